"""One field for a code of the app, or a recovery code."""

import re

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=40,
        widget=UnfoldAdminTextInputWidget(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "none",
                "autofocus": True,
                "spellcheck": "false",
            }
        ),
    )

    def clean_code(self) -> str:
        """As it is shown, but for what people put between its parts."""
        return re.sub(r"[\s-]", "", self.cleaned_data["code"]).lower()
