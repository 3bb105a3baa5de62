"""Which open orders a list shows, and in which order: the same for the page and the API."""

from datetime import date, timedelta

from django import forms
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import NullIf
from django_filters import CharFilter, ChoiceFilter, DateFilter, FilterSet

from orders.building import FIELDS, TEXTS
from orders.models import LONGEST_TEXT, OpenOrder
from web.dayfilters import DAYS, DaysForm
from web.dayrange import beginning

SORTS = FIELDS  # what `sort_by` may say: columns of the same name
NEWEST_FIRST = ("updated_at", "desc")
MOST_OFFERED = 200
SEARCHED = ("order_id", "account", "instrument")
# Filters by one of the values that there are.
CHOSEN = ("state", "side", "type", "account", "instrument")


def exactly(field: str, label: str) -> CharFilter:
    """Capital and small letters are the same."""
    return CharFilter(field_name=field, lookup_expr="iexact", max_length=LONGEST_TEXT, label=label)


class OrderFilters(FilterSet):
    """Days are those of the zone of the pages, and the end date is included.

    What cannot be understood makes the form invalid; it never counts as "no such orders".
    """

    search = CharFilter(method="having", max_length=LONGEST_TEXT, label="Search")
    state = exactly("state", "State")
    side = exactly("side", "Side")
    type = exactly("type", "Type")
    account = exactly("account", "Account")
    instrument = exactly("instrument", "Instrument")
    start_date = DateFilter(method="since", label="Updated from", **DAYS)
    end_date = DateFilter(method="until", label="To", **DAYS)
    problems = ChoiceFilter(
        choices=[("yes", "With problems"), ("no", "Without")],
        method="with_problems",
        label="Problems",
        empty_label="Any",
    )
    sort_by = ChoiceFilter(choices=[(name, name) for name in SORTS], method="in_order")
    sort_order = ChoiceFilter(choices=[("asc", "asc"), ("desc", "desc")], method="in_order")

    class Meta:
        model = OpenOrder
        fields: list[str] = []
        form = DaysForm

    @property
    def order(self) -> tuple[str, str]:
        """By which column, and "asc" or "desc"; the last updated first unless told otherwise."""
        asked = self.form.cleaned_data if self.form.is_valid() else {}
        column, direction = NEWEST_FIRST
        return asked.get("sort_by") or column, asked.get("sort_order") or direction

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        """What is empty comes last in both directions."""
        column, direction = self.order
        field = NullIf(F(column), Value("")) if column in TEXTS else F(column)
        by = field.desc(nulls_last=True) if direction == "desc" else field.asc(nulls_last=True)
        return super().filter_queryset(queryset).order_by(by, "pk")

    def offer(self, orders: QuerySet) -> None:
        """Have the form offer the values that there are, and the one that was asked for."""
        for name in CHOSEN:
            found = orders.exclude(**{name: ""}).order_by(name)
            values = list(found.values_list(name, flat=True).distinct()[:MOST_OFFERED])
            asked = self.data.get(name, "")
            if asked and asked.casefold() not in map(str.casefold, values):
                values.append(asked)
            choices = [("", "Any"), *((value, value) for value in values)]
            self.form.fields[name].widget = forms.Select(choices=choices)

    def having(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """A part of the order's number, of its account or of its instrument."""
        fits = Q()
        for field in SEARCHED:
            fits |= Q(**{f"{field}__icontains": value})
        return queryset.filter(fits)

    def since(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        return queryset.filter(updated_at__gte=beginning(value))

    def until(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        return queryset.filter(updated_at__lt=beginning(value + timedelta(days=1)))

    def with_problems(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        without = Q(problems=[])
        return queryset.filter(~without if value == "yes" else without)

    def in_order(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """The two say the order together, which is given last."""
        return queryset
