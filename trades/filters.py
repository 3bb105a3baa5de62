"""Which trades, positions and issues a list shows, and in which order: for the page and the API."""

from collections.abc import Iterable
from datetime import date, timedelta

from django import forms
from django.db.models import F, Q, QuerySet
from django_filters import CharFilter, ChoiceFilter, DateFilter, Filter, FilterSet
from django_filters import ModelMultipleChoiceFilter as SeveralFilter

from trades.issues import KINDS, IntegrityIssue
from trades.models import Account, Instrument, Position, Trade
from trades.origins import of_import
from web.dayfilters import DAYS, DaysForm
from web.dayrange import beginning
from web.periods import Period

LONGEST = 200  # characters of an execution id
FEW = 1_000  # rows that are looked for once
LARGEST = 10**18 - 1  # number of an import or a batch
OUTCOMES = {
    "winners": ("Winners", Q(net_pnl__gt=0)),
    "losers": ("Losers", Q(net_pnl__lt=0)),
    "unknown": ("Unknown", Q(gross_pnl=None)),
}
UNKNOWN = "unknown"  # as a currency in an address
DISMISSED = {"no": "Standing", "yes": "Dismissed", "all": "All"}


class NumberFilter(Filter):
    """By the number of something."""

    field_class = forms.IntegerField

    def __init__(self, **more: object) -> None:
        super().__init__(min_value=1, max_value=LARGEST, **more)


class ListFilters(FilterSet):
    """Days are those of the zone of the pages, and the end date is included.

    What cannot be understood makes the form invalid; it never counts as "no such trades".
    `sorts`: what `sort_by` may say, with the columns that it means.
    """

    moment: str
    sorts: dict[str, str] = {}
    may_be_empty: set[str] = set()  # columns of which some rows have nothing: those come last

    account = SeveralFilter(
        queryset=Account.objects.all(),
        to_field_name="name",
        method="of_accounts",
        label="Account",
        widget=forms.CheckboxSelectMultiple,
    )
    instrument = CharFilter(
        method="of_instrument",
        max_length=50,
        label="Instrument",
        widget=forms.TextInput({"list": "instruments"}),
    )
    start_date = DateFilter(method="since", label="From", **DAYS)
    end_date = DateFilter(method="until", label="To", **DAYS)

    class Meta:
        fields: list[str] = []
        form = DaysForm

    @classmethod
    def get_filters(cls) -> dict[str, Filter]:
        """With the filters that say the order, last."""
        order = {
            "sort_by": ChoiceFilter(choices=[(one, one) for one in cls.sorts], method="in_order"),
            "sort_order": ChoiceFilter(
                choices=[("asc", "asc"), ("desc", "desc")], method="in_order"
            ),
        }
        return super().get_filters() | (order if cls.sorts else {})

    @property
    def order(self) -> tuple[str, str]:
        """By which column, and "asc" or "desc"; the newest first unless told otherwise."""
        asked = self.form.cleaned_data if self.form.is_valid() else {}
        return asked.get("sort_by") or self.moment, asked.get("sort_order") or "desc"

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        name, direction = self.order
        column, last = self.sorts.get(name, name), True if name in self.may_be_empty else None
        if direction == "desc":
            by, key = F(column).desc(nulls_last=last), "-pk"
        else:
            by, key = F(column).asc(nulls_last=last), "pk"
        return super().filter_queryset(queryset).order_by(by, key)

    def of_accounts(self, queryset: QuerySet, name: str, value: Iterable[Account]) -> QuerySet:
        ids = [account.pk for account in value]
        return queryset.filter(account_id__in=ids) if ids else queryset

    def of_instrument(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Of this very symbol; capital and small letters are the same."""
        found = Instrument.objects.filter(symbol__iexact=value).order_by()
        return queryset.filter(instrument_id__in=list(found.values_list("pk", flat=True)))

    def since(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        return queryset.filter(**{f"{self.moment}__gte": beginning(value)})

    def until(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        return queryset.filter(**{f"{self.moment}__lt": beginning(value + timedelta(days=1))})

    def in_order(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """The two say the order together, which is given last."""
        return queryset


def looked_for_once(every: QuerySet, found: QuerySet, *order: str) -> QuerySet:
    """What was found among all by a condition of which there is no index, or only one in an order.

    If it is little it is looked for once, and not for the page, its count and its totals each; if
    it is much, the first of it is soon found.
    """
    keys = list(found.order_by(*order).values_list("pk", flat=True)[: FEW + 1])
    return found if len(keys) > FEW else every.filter(pk__in=keys)


class TradeFilters(ListFilters):
    moment = "executed_at"
    sorts = {
        "executed_at": "executed_at",
        "account": "account__name",
        "instrument": "instrument__symbol",
        "side": "side",
        "quantity": "quantity",
        "price": "price",
        "commission": "commission",
    }

    side = ChoiceFilter(choices=Trade.Side.choices, label="Side", empty_label="Any")
    batch = NumberFilter(field_name="batch", label="Batch")
    search = CharFilter(method="with_id", max_length=LONGEST, label="Execution ID")

    class Meta(ListFilters.Meta):
        model = Trade

    @classmethod
    def get_filters(cls) -> dict[str, Filter]:
        """With `import`, which Python lets nothing be called."""
        of_import = NumberFilter(method="of_import", label="Import")
        return super().get_filters() | {"import": of_import}

    def of_instrument(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """By the index of fills, which begins with the account."""
        found = super().of_instrument(queryset, name, value)
        if self.data.get("account"):
            return found
        return found.filter(account_id__in=Account.objects.order_by().values("pk"))

    def of_import(self, queryset: QuerySet, name: str, value: int) -> QuerySet:
        return of_import(queryset, value)

    def with_id(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """With this very execution id; each account may have it once."""
        return looked_for_once(queryset, queryset.filter(execution_id=value))


class ClosedForm(DaysForm):
    ranges = (*DaysForm.ranges, ("closed_from", "closed_to"))


class PositionFilters(ListFilters):
    moment = "opened_at"
    sorts = {
        "opened_at": "opened_at",
        "closed_at": "closed_at",
        "account": "account__name",
        "instrument": "instrument__symbol",
        "direction": "direction",
        "status": "status",
        "peak_quantity": "peak_quantity",
        "net_pnl": "net_pnl",
        "fills": "fills",
    }
    may_be_empty = {"closed_at", "net_pnl"}

    start_date = DateFilter(method="since", label="Opened from", **DAYS)
    end_date = DateFilter(method="until", label="Opened to", **DAYS)
    direction = ChoiceFilter(
        choices=Position.Direction.choices, label="Direction", empty_label="Any"
    )
    status = ChoiceFilter(
        choices=Position.Status.choices, method="of_status", label="Status", empty_label="Any"
    )
    pnl = ChoiceFilter(
        choices=[(name, title) for name, (title, _) in OUTCOMES.items()],
        method="of_outcome",
        label="P&L",
        empty_label="Any",
    )
    tag = CharFilter(method="tagged", max_length=50, label="Tag")
    closed_from = DateFilter(method="closed_since", label="Closed from", **DAYS)
    closed_to = DateFilter(method="closed_until", label="Closed to", **DAYS)
    currency = CharFilter(method="in_currency", max_length=len(UNKNOWN), label="Currency")

    class Meta(ListFilters.Meta):
        model = Position
        form = ClosedForm

    def of_outcome(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """By the net P&L; of what is open, by that of the part that was exited."""
        return looked_for_once(queryset, queryset.filter(OUTCOMES[value][1]))

    def closed_since(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        return queryset.filter(Period(first=value).has("closed_at"))

    def closed_until(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        return queryset.filter(Period(last=value).has("closed_at"))

    def in_currency(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """In this one, or in an unknown one."""
        return queryset.filter(currency="" if value == UNKNOWN else value.upper())

    def of_status(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return looked_for_once(queryset, queryset.filter(status=value))

    def tagged(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """With this very tag."""
        # The order of the index of tagged ones, which is not taken for the condition alone.
        return looked_for_once(queryset, queryset.with_tag(value), "-opened_at", "-pk")


class IssueFilters(ListFilters):
    """Those that stand, unless `dismissed` asks for others. Always the newest first."""

    moment = "occurred_at"

    kind = ChoiceFilter(
        choices=[(name, kind.title) for name, kind in KINDS.items()],
        label="Kind",
        empty_label="Any",
    )
    dismissed = ChoiceFilter(
        choices=list(DISMISSED.items()), method="seen", label="State", empty_label=None
    )

    class Meta(ListFilters.Meta):
        model = IntegrityIssue

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        found = super().filter_queryset(queryset.filter(resolved_at=None))
        return found if self.form.cleaned_data["dismissed"] else found.standing()

    def seen(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        if value == "yes":
            return queryset.exclude(dismissed_at=None)
        standing = queryset.standing()
        return standing if value == "no" else standing | queryset.exclude(dismissed_at=None)
