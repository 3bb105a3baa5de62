"""Batches and their trades in the admin: filters, and what is done to several at once.

On the list of trades: a batch that does again what the chosen ones did.
"""

from collections.abc import Callable

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.paginator import InfinitePaginator

from batches import control
from batches.badges import batch_badge, trade_badge
from batches.forms import CopyForm
from batches.mapping import StagingError
from batches.models import Batch, BatchTrade
from batches.staging import stage_trades
from batches.states import StateConflict
from batches.tables import rights
from trades.admin import TradeAdmin
from trades.models import Account, Trade
from web.dayrange import DayRangeFilter
from web.readonly import ReadOnlyAdmin

MOST_AT_ONCE = 500  # batches in one go
ACCOUNTS_OFFERED = 200

Change = Callable[..., Batch]


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
class BatchAdmin(ReadOnlyAdmin):
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
    actions = ["cancel_selected", "retry_selected", "archive_selected"]

    @admin.display(description="Status", ordering="status")
    def state(self, batch: Batch) -> SafeString:
        return batch_badge(batch)

    @admin.display(description="Duration")
    def duration(self, batch: Batch) -> str | None:
        return batch.duration_in_words

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return rights(request.user)["cancel"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return rights(request.user)["retry"]

    def has_archive_permission(self, request: HttpRequest) -> bool:
        return rights(request.user)["archive"]

    @admin.action(description="Cancel", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        for_each(request, queryset, control.cancel, "cancelled")

    @admin.action(description="Retry what failed", permissions=["retry"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        for_each(request, queryset, control.retry, "started again")

    @admin.action(description="Archive", permissions=["archive"])
    def archive_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        for_each(request, queryset, control.archive, "archived")

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


def for_each(request: HttpRequest, queryset: QuerySet, change: Change, done: str) -> None:
    """Do it to each. One that is in the wrong state is told to the user and stops no other."""
    batches = list(queryset[: MOST_AT_ONCE + 1])
    if len(batches) > MOST_AT_ONCE:
        messages.warning(request, f"Only the first {MOST_AT_ONCE} of the chosen batches are taken.")
    changed = 0
    for batch in batches[:MOST_AT_ONCE]:
        try:
            change(batch, request.user)
            changed += 1
        except StateConflict as conflict:
            messages.warning(request, str(conflict))
    if changed:
        messages.success(request, f"{changed:,} batch{'es' if changed > 1 else ''} {done}.")


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
        form = CopyForm(*[request.POST] if "confirmed" in request.POST else [])
        problem = ""
        if form.is_valid():
            try:
                return copied(request, form, queryset)
            except StagingError as why:
                problem = str(why)
        most = settings.TRADELOG_MAX_BATCH_LINES
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": "Make a batch of trades",
            "form": form,
            "problem": problem,
            "count": len(queryset.order_by().values_list("pk")[: most + 1]),
            "most": most,
            "chosen": request.POST.getlist("_selected_action"),
            "across": request.POST.get("select_across", "0"),
            "accounts": Account.objects.values_list("name", flat=True)[:ACCOUNTS_OFFERED],
            "may": rights(request.user),
        }
        return TemplateResponse(request, "batches/copy.html", context)


def copied(request: HttpRequest, form: CopyForm, trades: QuerySet[Trade]) -> HttpResponse:
    """Stage the trades, start the batch if that was wished, and lead to it. StagingError."""
    wanted = form.cleaned_data
    instead = {"account": wanted["account"]} if wanted["account"] else {}
    batch = stage_trades(trades, defaults=instead, user=request.user, **form.wishes)
    messages.success(request, f"{batch.name}: {batch.total_trades:,} trades are staged.")
    if wanted["start"] and rights(request.user)["start"]:
        control.start(batch, request.user)
    return HttpResponseRedirect(batch.get_absolute_url())
