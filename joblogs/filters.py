"""Which job logs, or notices, a list shows: the same parameters for the page and the API."""

from datetime import date, timedelta

from django.db.models import QuerySet
from django_filters import ChoiceFilter, DateFilter, FilterSet

from joblogs.models import JobLog, Notice
from joblogs.registry import JOBS
from joblogs.states import Level, Status
from web.dayfilters import DAYS, DaysForm
from web.dayrange import beginning


def job_choices() -> list[tuple[str, str]]:
    """The jobs that may run, and those that have run under another version."""
    return [(job, job) for job in sorted({*JOBS, *JobLog.objects.each_job()})]


class CreatedFilters(FilterSet):
    """Days are those of the zone of the pages, and the end date is included."""

    start_date = DateFilter(method="since", label="From", **DAYS)
    end_date = DateFilter(method="until", label="To", **DAYS)

    def since(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        return queryset.filter(created_at__gte=beginning(value))

    def until(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        return queryset.filter(created_at__lt=beginning(value + timedelta(days=1)))


class JobLogFilters(CreatedFilters):
    status = ChoiceFilter(choices=Status.choices, empty_label="Any status")
    job = ChoiceFilter(choices=job_choices, empty_label="Any job")

    class Meta:
        model = JobLog
        fields = ["status", "job", "start_date", "end_date"]
        form = DaysForm


class NoticeFilters(CreatedFilters):
    """Those that nobody has acknowledged, and those that somebody has."""

    acknowledged = ChoiceFilter(
        choices=[("no", "Not yet"), ("yes", "Acknowledged")],
        method="by_acknowledgement",
        label="Acknowledged",
        empty_label="All",
    )
    level = ChoiceFilter(choices=Level.choices, empty_label="Any level")

    class Meta:
        model = Notice
        fields = ["acknowledged", "level", "start_date", "end_date"]
        form = DaysForm

    def by_acknowledgement(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(acknowledged_at__isnull=value == "no")
