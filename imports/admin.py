"""Imports, row logs and the ledger in the admin: filters, upload, retry and rollback."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
)
from unfold.paginator import InfinitePaginator

from imports.actions import BulkActions
from imports.badges import import_badge, row_badge
from imports.formats import all_formats
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.views import upload
from trades.models import Account, Trade
from web.dayrange import DayRangeFilter
from web.readonly import ReadOnlyAdmin


class FormatFilter(admin.SimpleListFilter):
    title = "format"
    parameter_name = "format"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return [(format_.name, format_.title) for format_ in all_formats().values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(format=self.value()) if self.value() else queryset


class AccountFilter(admin.SimpleListFilter):
    """Imports that took in trades of an account, by its exact name."""

    title = "account"
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return [(name, name) for name in Account.objects.values_list("name", flat=True)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.with_account(self.value()) if self.value() else queryset


@admin.register(ImportExecutionLog)
class ImportAdmin(BulkActions, ReadOnlyAdmin):
    list_display = [
        "queued_at",
        "file_name",
        "import_type",
        "state",
        "total_rows",
        "success_rows",
        "failed_rows",
        "skipped_rows",
        "duration",
        "accounts",
    ]
    list_display_links = ["queued_at", "file_name"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("import_type", ChoicesDropdownFilter),
        FormatFilter,
        AccountFilter,
        ("queued_at", DayRangeFilter),
    ]
    list_filter_submit = True
    list_per_page = 25
    search_fields = ["file_name", "import_batch_id", "error_summary"]
    search_help_text = "File name, batch ID or summary"
    # --- Columns

    @admin.display(description="Status", ordering="status")
    def state(self, log: ImportExecutionLog) -> SafeString:
        return import_badge(log)

    @admin.display(description="Duration", ordering="processing_time_ms")
    def duration(self, log: ImportExecutionLog) -> str | None:
        return log.duration_in_words

    @admin.display(description="Accounts")
    def accounts(self, log: ImportExecutionLog) -> str | None:
        names = log.affected_accounts
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return ", ".join(names[:3]) + more if names else None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("imports.add_importexecutionlog")

    # --- Doors

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        return upload(request, self)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict | None = None,
    ) -> HttpResponse:
        """Its page is one for all who may see imports, also those who may not enter here."""
        log = self.get_object(request, object_id)
        if log is None:
            raise Http404("There is no such import.")
        return HttpResponseRedirect(log.get_absolute_url())


@admin.register(ImportRowLog)
class RowLogAdmin(ReadOnlyAdmin):
    list_display = ["row_number", "state", "error_category", "error_message", "of_import"]
    list_display_links = ["row_number"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("error_category", ChoicesDropdownFilter),
        ("import_log", AutocompleteSelectFilter),
    ]
    list_filter_submit = True
    list_select_related = ["import_log"]
    list_per_page = 50
    ordering = ["-id"]
    paginator = InfinitePaginator
    show_full_result_count = False
    fields = [
        ("of_import", "row_number"),
        ("state", "error_category"),
        "error_message",
        "raw_row_data",
        ("trade", "known_trade"),
    ]
    readonly_fields = ["of_import", "state", "trade", "known_trade"]

    @admin.display(description="Status", ordering="status")
    def state(self, row: ImportRowLog) -> SafeString:
        return row_badge(row)

    @admin.display(description="Import")
    def of_import(self, row: ImportRowLog) -> SafeString:
        page = f"{row.import_log.get_absolute_url()}?from={row.row_number}#rows"
        return format_html('<a class="tl-link" href="{}">{}</a>', page, row.import_log)

    @admin.display(description="Trade made")
    def trade(self, row: ImportRowLog) -> SafeString | None:
        return link_to_trade(row.trades.first())

    @admin.display(description="Trade it repeats")
    def known_trade(self, row: ImportRowLog) -> SafeString | None:
        return link_to_trade(row.duplicate_of)


def link_to_trade(trade: Trade | None) -> SafeString | None:
    if trade is None:
        return None
    page = reverse("admin:trades_trade_change", args=[trade.pk])
    return format_html('<a class="tl-link" href="{}">{}</a>', page, trade)


@admin.register(ImportedExecution)
class LedgerAdmin(ReadOnlyAdmin):
    list_display = [
        "account",
        "execution_id",
        "instrument",
        "csv_filename",
        "import_timestamp",
    ]
    list_display_links = ["execution_id"]
    list_filter = [
        ("account", AutocompleteSelectFilter),
        ("instrument", AutocompleteSelectFilter),
        ("import_timestamp", DayRangeFilter),
    ]
    list_filter_submit = True
    list_select_related = ["account", "instrument"]
    list_per_page = 50
    search_fields = ["execution_id__exact"]
    search_help_text = "Exact execution ID"
    paginator = InfinitePaginator
    show_full_result_count = False
    fields = [
        ("account", "execution_id"),
        "instrument",
        ("csv_filename", "import_timestamp", "import_log"),
    ]
