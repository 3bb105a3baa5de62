"""Snapshots and their orders in the admin: looked at, never edited."""

from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.paginator import InfinitePaginator

from orders.models import OpenOrder, OpenOrderSnapshot
from orders.states import Status
from web.badges import Badge
from web.dayrange import DayRangeFilter
from web.readonly import ReadOnlyAdmin

BADGES = {
    Status.LOADING: Badge("info", "autorenew"),
    Status.COMPLETE: Badge("success", "check_circle"),
    Status.EMPTY: Badge("warning", "error"),
    Status.FAILED: Badge("danger", "cancel"),
}


@admin.register(OpenOrderSnapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    """How each sync of the last month went."""

    list_display = [
        "started_at",
        "state",
        "source",
        "total_orders",
        "new_orders",
        "changed_orders",
        "gone_orders",
        "bad_values",
        "error",
    ]
    list_filter = [("status", ChoicesDropdownFilter), ("started_at", DayRangeFilter)]
    list_filter_submit = True
    list_per_page = 50
    search_fields = ["error"]
    search_help_text = "Error"

    @admin.display(description="Status", ordering="status")
    def state(self, snapshot: OpenOrderSnapshot) -> SafeString:
        return BADGES[Status(snapshot.status)].html(snapshot.get_status_display())


@admin.register(OpenOrder)
class OrderAdmin(ReadOnlyAdmin):
    """The orders of every snapshot that is still there; the page Open orders shows the current."""

    list_display = ["order_id", "snapshot", "account", "instrument", "side", "quantity", "state"]
    list_display_links = ["order_id"]
    list_filter = [("snapshot", AutocompleteSelectFilter)]
    list_filter_submit = True
    list_select_related = ["snapshot"]
    list_per_page = 50
    search_fields = ["order_id__exact"]
    search_help_text = "Exact order"
    ordering = ["-snapshot", "number"]
    paginator = InfinitePaginator
    show_full_result_count = False
