"""What a user fills in to import files."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from imports.correcting import MOST_CELLS
from imports.daterange import problem_of, usual_range
from imports.filters import DAYS
from imports.formats import all_formats
from imports.models import ImportExecutionLog, ImportRowLog
from imports.textfile import LONGEST_LINE
from trades.models import validate_zone

TYPED_FROM = 1_000  # trades; to delete so many, the name of the file must be typed


class FilesWidget(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One file or several."""

    widget = FilesWidget(attrs={"class": "tl-file", "accept": ".csv,.txt,.tsv,.jsonl,.gz"})

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = data if isinstance(data, (list, tuple)) else [data]
        # An empty file is an import that fails with a reason, not a form that is refused.
        return [super(FilesField, self).clean(file, initial) for file in files or [None]]


class UploadForm(forms.Form):
    files = FilesField(
        allow_empty_file=True,
        help_text="Exports of NinjaTrader 8: Control Center, tab Executions, right click, Export. "
        "Or a backup of tradelog.",
    )
    account = forms.CharField(
        max_length=100,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Only for files without a column Account: the account of their lines.",
    )
    timezone = forms.CharField(
        max_length=64,
        required=False,
        validators=[validate_zone],
        widget=UnfoldAdminTextInputWidget(
            attrs={"list": "zones", "placeholder": "America/Chicago"}
        ),
        help_text="Zone of the times in the files. Empty: the account's, else that of this "
        "installation.",
    )
    format = forms.ChoiceField(
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="Found out by itself from the header.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        titles = [(format_.name, format_.title) for format_ in all_formats().values()]
        self.fields["format"].choices = [("", "Find out"), *titles]


class DayInput(UnfoldAdminTextInputWidget):
    input_type = "date"


class DateRangeForm(forms.Form):
    """The days that a source is asked for; the last seven unless told otherwise."""

    start_date = forms.DateField(label="From", **DAYS | {"widget": DayInput})
    end_date = forms.DateField(
        label="To", help_text="This day included.", **DAYS | {"widget": DayInput}
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, day in zip(("start_date", "end_date"), usual_range(), strict=True):
            self.fields[name].initial = day

    def clean(self) -> dict[str, Any]:
        days = [self.cleaned_data.get(name) for name in ("start_date", "end_date")]
        if all(days) and (problem := problem_of(*days)):
            self.add_error(*problem)
        return self.cleaned_data


class CorrectedFileForm(forms.Form):
    """A file to be imported in place of one that failed; without one, the stored file is meant."""

    file = forms.FileField(
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"class": "tl-file", "accept": ".csv,.txt,.tsv"}),
    )


class BackupForm(forms.Form):
    """A backup to be brought back."""

    file = forms.FileField(
        label="Backup",
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"class": "tl-file", "accept": ".jsonl,.gz"}),
    )


class ConfirmForm(forms.Form):
    """The word of who rolls an import back: its file's name for a large one, else a tick."""

    sure = forms.BooleanField(
        label="Yes, delete these trades", widget=forms.CheckboxInput(attrs={"autofocus": True})
    )
    file_name = forms.CharField(
        label="Type the name of the file to confirm",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "autofocus": True}),
    )

    def __init__(self, *args: Any, log: ImportExecutionLog, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.log = log
        del self.fields["sure" if log.success_rows >= TYPED_FROM else "file_name"]

    def clean_file_name(self) -> str:
        typed = " ".join(self.cleaned_data["file_name"].split())
        if typed != " ".join(self.log.file_name.split()):
            raise forms.ValidationError("That is not the name of the file.")
        return typed


class CellsForm(forms.Form):
    """The cells of a line, each under its heading, with what is wrong with it beside it."""

    def __init__(
        self, *args: Any, log: ImportExecutionLog, row: ImportRowLog, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        raw = row.raw_row_data
        self.names = log.header + [""] * (len(raw) - len(log.header))
        self.problems: dict[str, list[str]] = {}
        for place, name in enumerate(self.names[:MOST_CELLS]):
            cell = raw[place] if place < len(raw) else ""
            if not name and not cell:
                continue
            widget = forms.Textarea if "\n" in cell or "\r" in cell else UnfoldAdminTextInputWidget
            self.fields[f"cell_{place}"] = forms.CharField(
                label=name or f"Column {place + 1}, without a heading",
                required=False,
                strip=False,
                initial=cell,
                max_length=LONGEST_LINE,
                widget=widget(attrs={"autocomplete": "off", "dir": "auto", "spellcheck": "false"}),
            )

    @property
    def cells(self) -> list[str]:
        """What was filled in, without the empty cells behind the last heading."""
        values = [self.cleaned_data.get(f"cell_{place}", "") for place in range(len(self.names))]
        while values and not values[-1] and not self.names[len(values) - 1]:
            values.pop()
        return values

    def show_problems(self, problems: list[dict[str, str]]) -> None:
        """Put each problem beside the cell with its heading; the others stand above the form."""
        for problem in problems:
            known = problem["field"] in self.names and problem["field"]
            place = f"cell_{self.names.index(problem['field'])}" if known else ""
            place = place if place in self.fields else ""
            heading = f"{problem['field']}: " if problem["field"] and not place else ""
            self.problems.setdefault(place, []).append(f"{heading}{problem['error']}")
        for place in self.problems.keys() & self.fields.keys():
            self.fields[place].widget.attrs |= {
                "aria-invalid": "true",
                "aria-describedby": f"id_{place}_problems",
            }

    @property
    def rows(self) -> list[tuple[forms.BoundField, list[str]]]:
        return [(field, self.problems.get(field.name, [])) for field in self]

    @property
    def general_problems(self) -> list[str]:
        return self.problems.get("", [])
