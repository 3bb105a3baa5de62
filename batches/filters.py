"""Which batches, and which trades of one, a list shows: the same for the pages and the API."""

from datetime import date, timedelta
from uuid import UUID

from django import forms
from django.db.models import Q, QuerySet
from django_filters import CharFilter, ChoiceFilter, DateFilter, FilterSet, MultipleChoiceFilter

from batches.models import Batch, BatchTrade
from batches.states import Status, TradeStatus
from web.dayfilters import DAYS, DaysForm
from web.dayrange import beginning

# What `sort_by` may say, and the column that it means.
SORTS = {"date": "created_at", "status": "status", "size": "total_trades"}
NEWEST_FIRST = ("date", "desc")
LONGEST = 200  # characters of a search
ARCHIVED = [("no", "Not archived"), ("yes", "Archived"), ("all", "All")]


class BatchFilter(FilterSet):
    """Days are those of the zone of the pages, and the end date is included.

    Archived batches are left out unless `archived` asks for them. What cannot be understood makes
    the form invalid; it never counts as "no such batches".
    """

    status = MultipleChoiceFilter(
        choices=Status.choices, label="Status", widget=forms.CheckboxSelectMultiple
    )
    start_date = DateFilter(method="since", label="From", **DAYS)
    end_date = DateFilter(method="until", label="To", **DAYS)
    search = CharFilter(method="named", max_length=LONGEST, label="Name or ID")
    executor = CharFilter(lookup_expr="iexact", max_length=50, label="Executor")
    archived = ChoiceFilter(choices=ARCHIVED, method="kept", label="Archive", empty_label=None)
    sort_by = ChoiceFilter(choices=[(name, name) for name in SORTS], method="in_order")
    sort_order = ChoiceFilter(choices=[("asc", "asc"), ("desc", "desc")], method="in_order")

    class Meta:
        model = Batch
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
        if not self.form.cleaned_data.get("archived"):
            queryset = queryset.filter(archived_at=None)
        found = super().filter_queryset(queryset)
        return found.order_by(sign + SORTS[column], f"{sign}id")

    def offer(self) -> None:
        """Have the form offer the executors that there are, and the one that was asked for."""
        found = Batch.objects.order_by("executor").values_list("executor", flat=True).distinct()
        names = sorted({*found, self.data.get("executor", "")} - {""})
        choices = [("", "Any"), *((name, name) for name in names)]
        self.form.fields["executor"].widget = forms.Select(choices=choices)

    def since(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        return queryset.filter(created_at__gte=beginning(value))

    def until(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        return queryset.filter(created_at__lt=beginning(value + timedelta(days=1)))

    def named(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """A part of the name, or the whole ID."""
        fits = Q(name__icontains=value)
        try:
            fits |= Q(batch_uid=UUID(value.strip()))
        except ValueError:
            return queryset.filter(fits)
        return queryset.filter(fits)

    def kept(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        if value == "all":
            return queryset
        return queryset.filter(archived_at__isnull=value == "no")

    def in_order(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """The two say the order together, which is given last."""
        return queryset


class BatchTradeFilter(FilterSet):
    """Of the trades of one batch, always in their sequence."""

    status = MultipleChoiceFilter(
        choices=TradeStatus.choices, label="Status", widget=forms.CheckboxSelectMultiple
    )
    account = CharFilter(
        field_name="account__name", lookup_expr="iexact", max_length=100, label="Account"
    )
    search = CharFilter(method="having", max_length=LONGEST, label="Search")

    class Meta:
        model = BatchTrade
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        return super().filter_queryset(queryset).order_by("sequence", "id")

    def having(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """A part of the instrument, of the order, of the name or of the message."""
        fits = Q()
        for field in ("instrument__symbol", "order_id", "trade_name", "error_message"):
            fits |= Q(**{f"{field}__icontains": value})
        return queryset.filter(fits)
