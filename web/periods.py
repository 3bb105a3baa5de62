"""A stretch of days that a page speaks of, and the steps into which a chart divides it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, date, timedelta
from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone

from web.dayfilters import DAYS, DaysForm
from web.dayrange import beginning

DAY = timedelta(days=1)
MOST_STEPS = 400  # of a chart
OWN_DAYS = "days"
PERIODS = [
    ("", "All time"),
    ("week", "This week"),
    ("month", "This month"),
    ("quarter", "This quarter"),
    ("year", "This year"),
    (OWN_DAYS, "From – to"),
]


@dataclass(frozen=True)
class Period:
    """From the beginning of one day to the end of another; None: without a beginning or an end."""

    first: date | None = None
    last: date | None = None

    def has(self, column: str) -> Q:
        """That a moment lies in it, in the zone of the pages."""
        inside = Q()
        if self.first:
            inside &= Q(**{f"{column}__gte": beginning(self.first)})
        if self.last:
            inside &= Q(**{f"{column}__lt": beginning(self.last + DAY)})
        return inside

    def has_day(self, column: str) -> Q:
        """That a day lies in it."""
        inside = Q()
        if self.first:
            inside &= Q(**{f"{column}__gte": self.first})
        if self.last:
            inside &= Q(**{f"{column}__lte": self.last})
        return inside

    def __str__(self) -> str:
        if self.first and self.last:
            return f"{self.first} to {self.last}"
        if self.first:
            return f"since {self.first}"
        return f"until {self.last}" if self.last else "all time"


def period_named(name: str, today: date) -> Period:
    """That of this day: a week begins on Monday."""
    if name == "week":
        monday = today - timedelta(days=today.weekday())
        return Period(monday, monday + 6 * DAY)
    if name == "month":
        return Period(today.replace(day=1), month_after(today) - DAY)
    if name == "quarter":
        first = today.replace(month=3 * ((today.month - 1) // 3) + 1, day=1)
        return Period(first, month_after(month_after(month_after(first))) - DAY)
    if name == "year":
        return Period(today.replace(month=1, day=1), today.replace(month=12, day=31))
    return Period()


def month_after(day: date) -> date:
    """The first day of the next month."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


class PeriodForm(DaysForm):
    """`start_date` and `end_date` count where no other period is chosen."""

    period = forms.ChoiceField(choices=PERIODS, required=False)
    start_date = forms.DateField(label="From", required=False, **DAYS)
    end_date = forms.DateField(label="To", required=False, **DAYS)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("period") == OWN_DAYS and not any(map(self.data.get, DAY_FIELDS)):
            self.add_error("period", "Say from which day, to which day, or both.")
        return cleaned

    @property
    def has_own_days(self) -> bool:
        asked = self.data.get("period", "")
        return asked == OWN_DAYS or (not asked and any(map(self.data.get, DAY_FIELDS)))

    @property
    def found_period(self) -> Period:
        """What a valid form asks for."""
        told = self.cleaned_data
        if self.has_own_days:
            return Period(told["start_date"], told["end_date"])
        return period_named(told["period"], timezone.localdate())


DAY_FIELDS = ("start_date", "end_date")


# --- The steps of a chart

STEPS = ("day", "week", "month", "year")


def step_for(first: date, last: date) -> str:
    """Days if there are not too many of them for a chart; else weeks, months or years."""
    sizes = {"day": 1, "week": 7, "month": 30}
    days = (last - first).days
    return next((name for name, size in sizes.items() if days < MOST_STEPS * size), STEPS[-1])


def begin_of(step: str, day: date) -> date:
    """The first day of the step in which a day lies."""
    if step == "week":
        return day - timedelta(days=day.weekday())
    if step == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if step == "year" else day


def steps_between(step: str, first: date, last: date) -> Iterator[date]:
    """The beginnings of all steps from that of one day to that of another."""
    day, last = begin_of(step, first), begin_of(step, last)
    while day < last and day.year < MAXYEAR:
        yield day
        day = begin_of(
            step, day + timedelta(days={"day": 1, "week": 7, "month": 31}.get(step, 366))
        )
    yield day
