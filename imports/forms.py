"""What a user fills in to import files."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from imports.formats import all_formats
from trades.models import validate_zone


class FilesWidget(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One file or several."""

    widget = FilesWidget(attrs={"class": "tl-file", "accept": ".csv,.txt,.tsv"})

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = data if isinstance(data, (list, tuple)) else [data]
        # An empty file is an import that fails with a reason, not a form that is refused.
        return [super(FilesField, self).clean(file, initial) for file in files or [None]]


class UploadForm(forms.Form):
    files = FilesField(
        allow_empty_file=True,
        help_text="Exports of NinjaTrader 8: Control Center, tab Executions, right click, Export.",
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
