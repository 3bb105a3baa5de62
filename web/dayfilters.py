"""A range of days in the filters of a list, none of which is beyond what a clock reaches."""

from datetime import MAXYEAR, MINYEAR, date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError


def refuse_far_years(day: date) -> None:
    """No day whose beginning or end no clock reaches."""
    if not MINYEAR < day.year < MAXYEAR:
        raise ValidationError(f"{day} is too far away.")


# What both filters of a range, `start_date` and `end_date`, are told.
DAYS = {
    "input_formats": ["%Y-%m-%d"],
    "validators": [refuse_far_years],
    "widget": forms.DateInput({"type": "date"}),
}


class DaysForm(forms.Form):
    """Of filters that have `start_date` and `end_date`, or other ranges of days."""

    ranges: tuple[tuple[str, str], ...] = (("start_date", "end_date"),)

    def clean(self) -> dict[str, Any]:
        for begin, end in self.ranges:
            first, last = self.cleaned_data.get(begin), self.cleaned_data.get(end)
            if first and last and first > last:
                self.add_error(end, f"{last} is before {first}, the start date.")
        return self.cleaned_data
