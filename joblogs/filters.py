"""Which job logs a list shows: the same parameters for the page and the API."""

from datetime import date, timedelta

from django.db.models import QuerySet
from django_filters import ChoiceFilter, DateFilter, FilterSet

from joblogs.models import JobLog
from joblogs.registry import JOBS
from joblogs.states import Status
from web.dayfilters import DAYS, DaysForm
from web.dayrange import beginning


def job_choices() -> list[tuple[str, str]]:
    """The jobs that may run, and those that have run under another version."""
    return [(job, job) for job in sorted({*JOBS, *JobLog.objects.each_job()})]


class JobLogFilters(FilterSet):
    """Days are those of the zone of the pages, and the end date is included."""

    status = ChoiceFilter(choices=Status.choices, empty_label="Any status")
    job = ChoiceFilter(choices=job_choices, empty_label="Any job")
    start_date = DateFilter(method="since", label="From", **DAYS)
    end_date = DateFilter(method="until", label="To", **DAYS)

    class Meta:
        model = JobLog
        fields: list[str] = []
        form = DaysForm

    def since(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        return queryset.filter(created_at__gte=beginning(value))

    def until(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        return queryset.filter(created_at__lt=beginning(value + timedelta(days=1)))
