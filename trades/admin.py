"""Accounts, instruments and trades in the admin. What a broker reported cannot be edited."""

from collections.abc import Callable
from functools import partial

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
)
from unfold.paginator import InfinitePaginator

from trades import positionadmin  # noqa: F401
from trades.models import Account, Instrument, Trade, plain
from trades.origins import of_import
from trades.touched import mark_trades
from trades.worth import follow, recompute_after_commit
from web.badges import Badge
from web.dayrange import DayRangeFilter
from web.numbers import whole_number

MOST_DELETED = 1_000


class ImportFilter(admin.SimpleListFilter):
    """Only the trades of one import; reached from its page."""

    title = "import"
    parameter_name = "import"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        chosen = request.GET.get(self.parameter_name)
        return [(chosen, f"Import {chosen}")] if chosen else []

    def has_output(self) -> bool:
        return bool(self.value())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Trade]) -> QuerySet[Trade]:
        if not self.value():
            return queryset
        number = whole_number(self.value())
        if number is None:
            return queryset.none()
        return of_import(queryset, number)


class NamedOnceAdmin(ModelAdmin):
    """Imports find these rows by their name: another name would make known trades unknown.

    Positions follow a change of what they are computed with (`used`).
    """

    name_field: str
    used: set[str]

    def save_model(
        self, request: HttpRequest, obj: Account | Instrument, form: ModelForm, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if change and self.used & {*form.changed_data}:
            follow(obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [self.name_field] if obj else []


@admin.register(Account)
class AccountAdmin(NamedOnceAdmin):
    name_field = "name"
    used = {"currency"}
    list_display = ["name", "broker", "currency", "timezone", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["name", "broker"]
    warn_unsaved_form = True


@admin.register(Instrument)
class InstrumentAdmin(NamedOnceAdmin):
    name_field = "symbol"
    used = {"currency", "kind", "point_value"}
    list_display = ["symbol", "kind", "expiry", "currency", "shown_point_value", "shown_tick_size"]
    list_filter = ["kind", ("point_value", admin.EmptyFieldListFilter)]
    search_fields = ["symbol", "root"]
    warn_unsaved_form = True

    @admin.display(description="Point value", ordering="point_value", empty_value="unknown")
    def shown_point_value(self, instrument: Instrument) -> str | None:
        return plain(instrument.point_value) or None

    @admin.display(description="Tick size", ordering="tick_size")
    def shown_tick_size(self, instrument: Instrument) -> str | None:
        return plain(instrument.tick_size) or None


@admin.register(Trade)
class TradeAdmin(ModelAdmin):
    """Notes and the mark of a review can be edited; a deleted trade stays in the ledger."""

    list_display = [
        "executed_at",
        "account",
        "instrument",
        "side",
        "shown_quantity",
        "shown_price",
        "shown_commission",
        "mark",
        "line",
    ]
    list_display_links = ["executed_at"]
    list_filter = [
        ("account", AutocompleteSelectFilter),
        ("instrument", AutocompleteSelectFilter),
        ("side", ChoicesDropdownFilter),
        ("executed_at", DayRangeFilter),
        "reviewed",
        ImportFilter,
    ]
    list_filter_submit = True
    list_select_related = ["account", "instrument", "import_row_log__import_log"]
    list_per_page = 50
    search_fields = ["execution_id", "order_id", "name"]
    search_help_text = "Execution ID, order ID or name"
    paginator = InfinitePaginator
    show_full_result_count = False
    fields = [
        ("executed_at", "line"),
        ("account", "instrument"),
        ("side", "shown_quantity"),
        ("shown_price", "shown_commission"),
        ("execution_id", "order_id"),
        ("name", "entry_exit"),
        ("broker_position", "connection"),
        "reviewed",
        "notes",
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        names = [name for row in self.fields for name in (row if isinstance(row, tuple) else [row])]
        return [name for name in names if name not in ("notes", "reviewed")]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: Trade) -> None:
        self.delete_queryset(request, Trade.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Trade]) -> None:
        with transaction.atomic():
            mark_trades(queryset)
            queryset.delete()
            recompute_after_commit()

    @admin.display(description="Quantity", ordering="quantity")
    def shown_quantity(self, trade: Trade) -> str:
        return plain(trade.quantity)

    @admin.display(description="Price", ordering="price")
    def shown_price(self, trade: Trade) -> str:
        return plain(trade.price)

    @admin.display(description="Commission", ordering="commission")
    def shown_commission(self, trade: Trade) -> str:
        return plain(trade.commission)

    @admin.display(description="Reviewed", ordering="reviewed")
    def mark(self, trade: Trade) -> SafeString | None:
        return Badge("success", "check_circle").html("Reviewed") if trade.reviewed else None

    @admin.display(description="From line", empty_value="no file")
    def line(self, trade: Trade) -> SafeString | None:
        """The way back to the file: the line's place on the page of its import."""
        row = trade.import_row_log
        if row is None:
            return None
        return format_html(
            '<a class="tl-link" href="{}?from={}#rows">line {} of {}</a>',
            row.import_log.get_absolute_url(),
            row.row_number,
            row.row_number,
            row.import_log,
        )

    def get_actions(self, request: HttpRequest) -> dict[str, tuple]:
        actions = super().get_actions(request)
        if "delete_selected" in actions:
            delete, *names = actions["delete_selected"]
            actions["delete_selected"] = (partial(delete_a_few, delete), *names)
        return actions


def delete_a_few(
    delete: Callable, model_admin: ModelAdmin, request: HttpRequest, trades: QuerySet[Trade]
) -> HttpResponse | None:
    """Django's own deletion lists every row that it would delete: not for a million of them."""
    if len(trades.order_by()[: MOST_DELETED + 1].values_list("pk")) > MOST_DELETED:
        advice = f"At most {MOST_DELETED:,} trades at once; to undo a whole import, roll it back."
        model_admin.message_user(request, advice, messages.ERROR)
        return None
    return delete(model_admin, request, trades)
