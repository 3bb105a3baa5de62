"""Batches and their trades in the admin: columns, filters, and what is done to several at once.

On the list of trades: a batch that does again what the chosen ones did.
"""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.paginator import InfinitePaginator

from batches.badges import batch_badge, trade_badge
from batches.bulk import BulkActions
from batches.copypages import copy_page
from batches.models import Batch, BatchTrade
from batches.tables import rights
from trades.admin import TradeAdmin
from trades.models import Trade
from web.dayrange import DayRangeFilter
from web.readonly import ReadOnlyAdmin


class ArchiveFilter(admin.SimpleListFilter):
    title = "archive"
    parameter_name = "archived"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("no", "Not archived"), ("yes", "Archived")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        return queryset.filter(archived_at__isnull=self.value() == "no")


class ExecutorFilter(admin.SimpleListFilter):
    title = "executor"
    parameter_name = "executor"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        found = Batch.objects.order_by("executor").values_list("executor", flat=True)
        return [(name, name) for name in found.distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(executor=self.value()) if self.value() else queryset


@admin.register(Batch)
class BatchAdmin(BulkActions, ReadOnlyAdmin):
    list_display = [
        "created_at",
        "name",
        "state",
        "total_trades",
        "executed_trades",
        "failed_trades",
        "cancelled_trades",
        "priority",
        "executor",
        "duration",
    ]
    list_display_links = ["created_at", "name"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ExecutorFilter,
        ArchiveFilter,
        ("created_at", DayRangeFilter),
    ]
    list_filter_submit = True
    list_per_page = 25
    search_fields = ["name", "batch_uid__exact"]
    search_help_text = "Name or batch ID"

    @admin.display(description="Status", ordering="status")
    def state(self, batch: Batch) -> SafeString:
        return batch_badge(batch)

    @admin.display(description="Duration")
    def duration(self, batch: Batch) -> str | None:
        return batch.duration_in_words

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict | None = None,
    ) -> HttpResponse:
        """Its page is one for all who may see batches, also those who may not enter here."""
        batch = self.get_object(request, object_id)
        if batch is None:
            raise Http404("There is no such batch.")
        return HttpResponseRedirect(batch.get_absolute_url())


@admin.register(BatchTrade)
class BatchTradeAdmin(ReadOnlyAdmin):
    list_display = [
        "sequence",
        "state",
        "account",
        "instrument",
        "side",
        "quantity",
        "price",
        "attempts",
        "error_message",
        "of_batch",
    ]
    list_display_links = ["sequence"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("account", AutocompleteSelectFilter),
        ("batch", AutocompleteSelectFilter),
    ]
    list_filter_submit = True
    list_select_related = ["account", "instrument", "batch"]
    list_per_page = 50
    ordering = ["-id"]
    paginator = InfinitePaginator
    show_full_result_count = False
    fields = [
        ("of_batch", "sequence", "row_number"),
        ("state", "attempts", "finished_at"),
        ("account", "instrument"),
        ("side", "quantity", "filled_quantity"),
        ("price", "commission"),
        ("executed_at", "order_id", "trade_name"),
        "notes",
        "error_message",
        "raw",
        "became",
    ]
    readonly_fields = ["of_batch", "state", "became"]

    @admin.display(description="Status", ordering="status")
    def state(self, trade: BatchTrade) -> SafeString:
        return trade_badge(trade)

    @admin.display(description="Batch")
    def of_batch(self, trade: BatchTrade) -> SafeString:
        page = f"{trade.batch.get_absolute_url()}?from={trade.sequence}#trades"
        return format_html('<a class="tl-link" href="{}">{}</a>', page, trade.batch)

    @admin.display(description="Trade")
    def became(self, trade: BatchTrade) -> str:
        return str(trade.trade or "—")


# --- A batch of trades that exist

admin.site.unregister(Trade)


@admin.register(Trade)
class TradesForBatchesAdmin(TradeAdmin):
    """The list of trades, from which a batch can be made."""

    actions = [*TradeAdmin.actions, "make_batch"]

    def has_make_batch_permission(self, request: HttpRequest) -> bool:
        return rights(request.user)["add"]

    @admin.action(description="Make a batch…", permissions=["make_batch"])
    def make_batch(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        """First what it would be; with the name and all that, the batch."""
        sent = request.POST
        hidden = [
            ("action", "make_batch"),
            ("select_across", sent.get("select_across", "0")),
            *(("_selected_action", chosen) for chosen in sent.getlist("_selected_action")),
        ]
        return copy_page(request, queryset, hidden=hidden, back=request.get_full_path())
