"""How the jobs of a time came out and how long they took: a part of the dashboard."""

from dataclasses import dataclass

from django.db.models import Avg, Count, Max, Q, QuerySet

from joblogs.models import JobLog
from joblogs.states import ACTIVE, Status
from web.clock import SecondsBetween
from web.durations import time_in_words
from web.periods import Period

WIDTH = 150  # of the longest bar of a drawing


@dataclass(frozen=True)
class Runs:
    """Of one job. `average` and `longest` are seconds, None while none has ended."""

    job: str
    success: int
    error: int
    active: int
    average: float | None
    longest: float | None
    bar: float = 0

    @property
    def total(self) -> int:
        return self.success + self.error + self.active

    @property
    def average_in_words(self) -> str:
        return time_in_words(self.average) or "—"

    @property
    def longest_in_words(self) -> str:
        return time_in_words(self.longest) or "—"


def jobs_of(period: Period) -> QuerySet[JobLog]:
    """Those that were asked for in a period."""
    return JobLog.objects.filter(period.has("created_at")).order_by()


def outcomes(found: QuerySet[JobLog]) -> list[Runs]:
    """By job, in the order of their names; each with a bar as long as it takes on average."""
    took = SecondsBetween("started_at", "finished_at")
    numbers = {
        "success": Count("pk", filter=Q(status=Status.SUCCESS)),
        "error": Count("pk", filter=Q(status=Status.ERROR)),
        "active": Count("pk", filter=Q(status__in=ACTIVE)),
        "average": Avg(took),
        "longest": Max(took),
    }
    rows = list(found.values("job").annotate(**numbers).order_by("job"))
    most = max((row["average"] or 0 for row in rows), default=0) or 1
    return [Runs(**row, bar=round(WIDTH * (row["average"] or 0) / most, 2)) for row in rows]
