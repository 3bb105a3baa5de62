"""How importing goes, counted by the database over all imports; for the page and the API."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Avg, Count, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from imports.models import ImportExecutionLog
from imports.states import Status
from web.dayrange import beginning

DAYS = 30  # of the chart, today included

# What an import of a day counts as. One that was rolled back had gone well before; what is still
# going on, or was stopped, is neither.
OUTCOMES = {
    "success": [Status.SUCCESS],
    "partial": [Status.PARTIAL],
    "failed": [Status.FAILED],
    "other": [
        Status.QUEUED,
        Status.RUNNING,
        Status.CANCELLED,
        Status.ROLLING_BACK,
        Status.ROLLED_BACK,
    ],
}


@dataclass(frozen=True)
class Day:
    """The imports of one day, in the zone of the pages, by how they came out."""

    date: date
    success: int = 0
    partial: int = 0
    failed: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        return self.success + self.partial + self.failed + self.other


@dataclass(frozen=True)
class Statistics:
    """Over all imports. `success_rate` is the part of the rows of all files that is in or was known
    already, in percent; it and `average_time_ms` are None while there is nothing to divide."""

    total_imports: int
    by_status: dict[str, int]
    by_type: dict[str, int]
    total_rows: int
    success_rows: int
    failed_rows: int
    skipped_rows: int
    success_rate: float | None
    average_time_ms: int | None
    last_import: datetime | None
    last_24_hours: int
    by_day: list[Day]


def statistics() -> Statistics:
    """Four questions to the database, however many imports there are."""
    imports = ImportExecutionLog.objects.order_by()
    sums = imports.aggregate(
        total_imports=Count("pk"),
        total_rows=Sum("total_rows", default=0),
        success_rows=Sum("success_rows", default=0),
        failed_rows=Sum("failed_rows", default=0),
        skipped_rows=Sum("skipped_rows", default=0),
        average_time_ms=Avg("processing_time_ms"),
        last_import=Max("queued_at"),
        last_24_hours=Count("pk", filter=Q(queued_at__gte=timezone.now() - timedelta(days=1))),
    )
    average = sums.pop("average_time_ms")
    return Statistics(
        **sums,
        by_status=counts(imports, "status", Status.values),
        by_type=counts(imports, "import_type", ImportExecutionLog.Type.values),
        success_rate=percent(sums["success_rows"] + sums["skipped_rows"], sums["total_rows"]),
        average_time_ms=None if average is None else round(average),
        by_day=by_day(imports),
    )


def counts(imports: QuerySet, column: str, values: Iterable[str]) -> dict[str, int]:
    """How many imports have each value; 0 is said as well."""
    found = dict(imports.values_list(column).annotate(Count("pk")))
    return {value: found.get(value, 0) for value in values}


def percent(part: int, whole: int) -> float | None:
    """With one decimal; not 100 while anything is missing, nor 0 while there is something."""
    if not whole:
        return None
    rounded = round(100 * part / whole, 1)
    return rounded if part in (0, whole) else min(99.9, max(0.1, rounded))


def by_day(imports: QuerySet) -> list[Day]:
    """The last 30 days, each of them, the oldest first."""
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    outcomes = {name: Count("pk", filter=Q(status__in=states)) for name, states in OUTCOMES.items()}
    recent = imports.filter(queued_at__gte=beginning(first)).values(date=TruncDate("queued_at"))
    days = {found["date"]: Day(**found) for found in recent.annotate(**outcomes)}
    all_days = (first + timedelta(days=number) for number in range(DAYS))
    return [days.get(day, Day(day)) for day in all_days]
