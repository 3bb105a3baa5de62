"""The forms of batches: what executes them and how, a file or trades to stage, a template."""

from collections.abc import Mapping
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from batches.control import save_template
from batches.executors import EXECUTORS, make
from batches.executors.wishes import Setting
from batches.fields import FIELDS
from batches.models import FIRST, LAST, MOST_PARALLEL, USUAL, BatchTemplate
from trades.models import validate_zone
from web.numbers import whole_number

LONGEST_NAME = 200


class Number(UnfoldAdminTextInputWidget):
    input_type = "number"


def priority_field(**attrs: object) -> forms.IntegerField:
    return forms.IntegerField(
        min_value=FIRST,
        max_value=LAST,
        initial=USUAL,
        widget=Number(attrs=attrs),
        help_text=f"{FIRST} is worked on first, {LAST} last.",
    )


class PriorityForm(forms.Form):
    priority = priority_field(autofocus=True)


class SureForm(forms.Form):
    """The word of who does what cannot be taken back."""

    sure = forms.BooleanField(
        label="Yes, I am sure", widget=forms.CheckboxInput(attrs={"autofocus": True})
    )


class WorkForm(forms.Form):
    """What executes a batch and with which settings, how urgently, how much at the same time.

    Each executor has fields for its own settings; those of the others do not count.
    """

    name = forms.CharField(max_length=LONGEST_NAME, widget=UnfoldAdminTextInputWidget)
    executor = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    priority = priority_field()
    parallel = forms.IntegerField(
        label="At the same time",
        min_value=1,
        max_value=MOST_PARALLEL,
        initial=1,
        widget=Number,
        help_text="So many trades are executed at the same time.",
    )

    def __init__(self, *args: Any, template: BatchTemplate | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        template = template or BatchTemplate()
        self.fields["executor"].choices = [(one.name, one.title) for one in EXECUTORS.values()]
        for name in ("executor", "priority", "parallel"):
            self.fields[name].initial = getattr(template, name)
        for executor in EXECUTORS.values():
            is_its = executor.name == template.executor
            usual = template.executor_settings if is_its else {}
            for setting in executor.settings:
                field = setting_field(setting, usual)
                self.fields[place_of(executor.name, setting.name)] = field

    def clean(self) -> dict[str, Any]:
        executor = self.cleaned_data.get("executor", "")
        given = {}
        for setting in EXECUTORS[executor].settings if executor else ():
            text = self.cleaned_data.get(place_of(executor, setting.name), "")
            number = None if setting.is_text else whole_number(text)
            given[setting.name] = text if number is None else number
        given = {name: value for name, value in given.items() if value != ""}
        try:
            if executor:
                make(executor, given)
        except ValueError as problem:
            self.add_error("executor", str(problem))
        self.cleaned_data["executor_settings"] = given
        return self.cleaned_data

    @property
    def wishes(self) -> dict[str, Any]:
        """What staging is told of it."""
        names = ("name", "executor", "executor_settings", "priority", "parallel")
        return {name: self.cleaned_data[name] for name in names}

    @property
    def settings_by_executor(self) -> list[tuple[str, str, str, list[forms.BoundField]]]:
        """Name, title, what it does, and the fields of its settings."""
        return [
            (
                one.name,
                one.title,
                one.description,
                [self[place_of(one.name, setting.name)] for setting in one.settings],
            )
            for one in EXECUTORS.values()
        ]


def place_of(executor: str, setting: str) -> str:
    return f"{executor}.{setting}"


def setting_field(setting: Setting, usual: Mapping[str, object]) -> forms.CharField:
    bounds = {"min": setting.smallest, "max": setting.largest}
    widget = UnfoldAdminTextInputWidget() if setting.is_text else Number(attrs=bounds)
    return forms.CharField(
        label=setting.label,
        required=False,
        max_length=max(20, setting.largest) if setting.is_text else 20,
        initial=usual.get(setting.name, setting.default),
        help_text=setting.help,
        widget=widget,
    )


class NewBatchForm(WorkForm):
    """A file to be staged. What feeds which field is not part of it: it hangs on the file."""

    file = forms.FileField(
        label="CSV file or JSON",
        allow_empty_file=True,  # which is told with its reason
        widget=forms.FileInput(attrs={"class": "tl-file", "accept": ".csv,.txt,.tsv,.json"}),
    )
    zone = forms.CharField(
        label="Zone of its times",
        max_length=64,
        required=False,
        validators=[validate_zone],
        widget=UnfoldAdminTextInputWidget(
            attrs={"list": "zones", "placeholder": "America/Chicago"}
        ),
        help_text="Empty: the account's, else that of this installation.",
    )
    start = forms.BooleanField(label="Start it at once", required=False)
    save_as = forms.CharField(
        label="Keep this as a template named",
        max_length=LONGEST_NAME,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = False
        self.fields["name"].help_text = "Empty: that of the file."

    def clean_save_as(self) -> str:
        name = self.cleaned_data["save_as"]
        if name and BatchTemplate.objects.filter(name=name).exists():
            raise forms.ValidationError("There is a template of this name already.")
        return name

    @property
    def wishes(self) -> dict[str, Any]:
        return super().wishes | {"timezone": self.cleaned_data["zone"]}


class CopyForm(WorkForm):
    """A batch that does again what chosen trades did."""

    account = forms.CharField(
        label="In the account",
        max_length=100,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"list": "accounts"}),
        help_text="Empty: each in its own.",
    )
    start = forms.BooleanField(label="Start it at once", required=False)


class TemplateForm(WorkForm):
    """Beside how to execute: for each field the heading of its column, and what stands in it else.

    An empty heading leaves it to what the headings of a file mean.
    """

    def __init__(self, *args: Any, template: BatchTemplate, **kwargs: Any) -> None:
        super().__init__(*args, template=template, **kwargs)
        self.template = template
        self.fields["name"].initial = template.name
        for name, field in FIELDS.items():
            for kind, values in (("column", template.columns), ("default", template.defaults)):
                self.fields[f"{kind}.{name}"] = forms.CharField(
                    label=f"{kind.capitalize()} of {field.label}",
                    max_length=LONGEST_NAME,
                    required=False,
                    initial=values.get(name, ""),
                    widget=UnfoldAdminTextInputWidget,
                )

    def clean_name(self) -> str:
        name = self.cleaned_data["name"]
        if BatchTemplate.objects.exclude(pk=self.template.pk).filter(name=name).exists():
            raise forms.ValidationError("There is a template of this name already.")
        return name

    @property
    def mapping(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """Label, column and default of each field."""
        return [
            (field.label, self[f"column.{name}"], self[f"default.{name}"])
            for name, field in FIELDS.items()
        ]

    def save(self) -> BatchTemplate:
        """The template as the form says."""
        for name, value in self.wishes.items():
            setattr(self.template, name, value)
        for kind in ("column", "default"):
            said = {name: self.cleaned_data[f"{kind}.{name}"] for name in FIELDS}
            setattr(self.template, f"{kind}s", {name: text for name, text in said.items() if text})
        return save_template(self.template)
