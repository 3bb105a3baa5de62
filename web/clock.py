"""Days and durations as the database counts them, also where it has a million rows to count.

SQLite knows no time zones: Django has it call a function in Python for every row, which takes ten
times as long as what is counted. Here it does both by itself.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import (
    Case,
    CharField,
    DateField,
    Expression,
    F,
    FloatField,
    Func,
    Max,
    Min,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import TruncDate
from django.utils import timezone

from web.dayrange import beginning

DAY = timedelta(days=1)
EARLIEST, LATEST = date(1900, 1, 1), date(2100, 1, 1)  # beyond, the clocks are not looked at


def local_day(column: str, found: QuerySet) -> Expression:
    """The day of a moment in the zone of the pages; `found` are the rows that are asked for."""
    if connection.vendor != "sqlite":
        return TruncDate(column)
    ends = found.order_by().aggregate(first=Min(column), last=Max(column))
    first, last = ends["first"] or timezone.now(), ends["last"] or timezone.now()
    changes = list(changes_of_clock(timezone.localdate(first), timezone.localdate(last) + DAY))
    until = [When(**{f"{column}__lt": moment}, then=shift(moment - DAY)) for moment in changes]
    here = Case(*until, default=shift(last), output_field=CharField())
    return Func(F(column), here, function="DATE", output_field=DateField())


def changes_of_clock(first: date, last: date) -> Iterator[datetime]:
    """The moments between these days at which the distance of the zone to UTC changes."""
    day, last = max(first, EARLIEST), min(last, LATEST)
    while day < last:
        begun, ended = beginning(day), beginning(day + DAY)
        if begun.utcoffset() != ended.utcoffset():
            yield moment_between(begun.astimezone(UTC), ended.astimezone(UTC))
        day += DAY


def moment_between(before: datetime, after: datetime) -> datetime:
    """The first second from which the zone is as far from UTC as `after`; both are in UTC."""
    as_after = timezone.localtime(after).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if timezone.localtime(middle).utcoffset() == as_after:
            after = middle
        else:
            before = middle
    return after


def shift(moment: datetime) -> Value:
    seconds = timezone.localtime(moment).utcoffset() // timedelta(seconds=1)
    return Value(f"{seconds:+} seconds")


class SecondsBetween(Func):
    """From one moment to another; nothing if one of them is."""

    output_field = FloatField()
    template = "EXTRACT(EPOCH FROM (%(expressions)s))"
    arg_joiner = " - "

    def __init__(self, begun: str, ended: str) -> None:
        super().__init__(F(ended), F(begun))

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> tuple[str, Any]:
        days = "(JULIANDAY(%(expressions)s))"
        return super().as_sql(
            compiler, connection, template=f"{days} * 86400", arg_joiner=") - JULIANDAY(", **more
        )
