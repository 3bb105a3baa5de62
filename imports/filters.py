"""Which imports a list shows and in which order: the same parameters for the page and the API."""

from datetime import date, timedelta

from django import forms
from django.db.models import QuerySet
from django_filters import CharFilter, ChoiceFilter, DateFilter, FilterSet

from imports.models import ImportExecutionLog
from imports.states import Status
from web.dayfilters import DAYS, DaysForm
from web.dayrange import beginning

# What `sort_by` may say, and the column that it means.
SORTS = {
    "import_time": "queued_at",
    "file_name": "file_name",
    "import_type": "import_type",
    "status": "status",
    "total_rows": "total_rows",
    "success_rows": "success_rows",
    "failed_rows": "failed_rows",
    "skipped_rows": "skipped_rows",
    "processing_time_ms": "processing_time_ms",
}
NEWEST_FIRST = ("import_time", "desc")


class ImportFilters(FilterSet):
    """Days are those of the zone of the pages, and the end date is included.

    What cannot be understood makes the form invalid; it never counts as "no such imports".
    """

    status = ChoiceFilter(choices=Status.choices, empty_label="Any status")
    type = ChoiceFilter(
        field_name="import_type", choices=ImportExecutionLog.Type.choices, empty_label="Any type"
    )
    account = CharFilter(
        method="of_account",
        max_length=100,
        label="Account",
        widget=forms.TextInput({"list": "accounts"}),
    )
    start_date = DateFilter(method="since", label="From", **DAYS)
    end_date = DateFilter(method="until", label="To", **DAYS)
    search = CharFilter(
        field_name="file_name", lookup_expr="icontains", max_length=255, label="File name"
    )
    sort_by = ChoiceFilter(choices=[(name, name) for name in SORTS], method="in_order")
    sort_order = ChoiceFilter(choices=[("asc", "asc"), ("desc", "desc")], method="in_order")

    class Meta:
        model = ImportExecutionLog
        fields: list[str] = []
        form = DaysForm

    @property
    def order(self) -> tuple[str, str]:
        """By which column, and "asc" or "desc"; the newest first unless told otherwise."""
        asked = self.form.cleaned_data if self.form.is_valid() else {}
        column, direction = NEWEST_FIRST
        return asked.get("sort_by") or column, asked.get("sort_order") or direction

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        column, direction = self.order
        sign = "-" if direction == "desc" else ""
        found = super().filter_queryset(queryset)
        return found.order_by(sign + SORTS[column], f"{sign}id")

    def of_account(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.with_account(value)

    def since(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        return queryset.filter(queued_at__gte=beginning(value))

    def until(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        return queryset.filter(queued_at__lt=beginning(value + timedelta(days=1)))

    def in_order(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """The two say the order together, which is given last."""
        return queryset
