"""What users say of trades, positions, issues and instruments."""

from decimal import Decimal

from django import forms
from django.db import transaction
from django.http import QueryDict

from audit.models import Deed
from audit.writing import write_down
from trades.models import Instrument, Position, Trade
from trades.worth import others_like, require_positive

LONGEST_TAG = 50  # characters
LONGEST_REASON = 500
NO_REASON = "Say in the reason why they are dismissed; nothing was changed."


class TagsField(forms.CharField):
    """A list of words, as text with commas between them."""

    def __init__(self, **kwargs: object) -> None:
        usual = {"required": False, "help_text": "Parted by commas: breakout, morning"}
        super().__init__(**usual | kwargs)

    def prepare_value(self, value: object) -> object:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: str | None) -> list[str]:
        words = (" ".join(word.split()) for word in (value or "").split(","))
        tags = sorted({word for word in words if word})
        if any(len(tag) > LONGEST_TAG for tag in tags):
            raise forms.ValidationError(f"A tag has at most {LONGEST_TAG} characters.")
        return tags

    def has_changed(self, initial: object, data: object) -> bool:
        return (initial or []) != self.to_python(data)


class RemarksForm(forms.ModelForm):
    """Of what is computed or reported, nothing but a user's own columns is ever saved."""

    def save_remarks(self) -> None:
        """Nothing else: the rest may have changed since the page was opened."""
        mine = {name: self.cleaned_data[name] for name in self.fields}
        with transaction.atomic():
            self._meta.model.objects.filter(pk=self.instance.pk).update(**mine)
            if self.has_changed():
                write_down(Deed.CHANGE, self.instance, words=", ".join(self.changed_data))


class TradeForm(RemarksForm):
    class Meta:
        model = Trade
        fields = ["notes", "reviewed"]
        widgets = {"notes": forms.Textarea({"rows": 4})}


class PositionForm(RemarksForm):
    tags = TagsField()

    class Meta:
        model = Position
        fields = ["notes", "tags"]
        widgets = {"notes": forms.Textarea({"rows": 4})}


class PointValueForm(forms.ModelForm):
    """Asks for the currency, too, where nobody has said it, and offers the same for others."""

    with_others = forms.BooleanField(required=False)

    class Meta:
        model = Instrument
        fields = ["point_value", "currency"]
        help_texts = {
            "point_value": "Empty: unknown, and so is the P&L.",
            "currency": "Three letters, like USD. Empty: the currency of the account.",
        }
        widgets = {"point_value": forms.TextInput({"inputmode": "decimal"})}

    def __init__(self, data: QueryDict | None, instance: Instrument) -> None:
        super().__init__(data, instance=instance)
        others = others_like(instance).count()
        kinds = f"{instance.get_kind_display().lower()} instruments"
        if instance.kind == Instrument.Kind.FUTURE:
            kinds = f"contracts of {instance.root}"
        words = f"The same for all other {kinds} of unknown point value ({others:,})"
        self.fields["with_others"].label = words
        if not others:
            del self.fields["with_others"]
        if instance.currency:
            del self.fields["currency"]

    def clean_currency(self) -> str:
        word = self.cleaned_data["currency"].strip().upper()
        if word and not (len(word) == 3 and word.isascii() and word.isalpha()):
            raise forms.ValidationError("A currency has three letters, like USD.")
        return word

    def clean_point_value(self) -> Decimal | None:
        value = self.cleaned_data["point_value"]
        if value is not None:
            require_positive(value)
        return value


class ReasonForm(forms.Form):
    """Why issues are dismissed."""

    reason = forms.CharField(max_length=LONGEST_REASON)
