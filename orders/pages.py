"""The page of the open orders: how fresh they are, filters, table, detail, download, sync now.

A request looks at one snapshot from its beginning to its end: whatever is synced meanwhile, nobody
sees a mixture.
"""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from joblogs.states import Trigger
from orders.export import as_csv
from orders.filters import OrderFilters
from orders.freshness import Freshness, freshness
from orders.models import OpenOrder
from orders.tables import OrderTable
from orders.tasks import ask_for_sync
from web.downloads import streamed
from web.shell import is_by_script, page_for, shell

SEE = page_for("orders.view_openorder", by_password=True)
SYNC = page_for("orders.sync_open_orders", by_password=True)
ON_ITS_PAGE = ("time_in_force", "submitted_at")  # columns for which a list has no room
PER_PAGE = (50, 10, 25, 100)  # the first unless told otherwise


@dataclass(frozen=True)
class Heading:
    """Of a column. `order` is how the list is sorted by it now, `next` what a click asks for."""

    name: str
    title: str
    order: str
    next: str


@SEE
@require_GET
def open_orders(request: HttpRequest) -> HttpResponse:
    """The orders of the current snapshot that fit the filters. Scripts get the list alone."""
    fresh = freshness()
    orders = orders_of(fresh)
    filters = OrderFilters(request.GET, queryset=orders)
    found = filters.qs if filters.is_valid() else OpenOrder.objects.none()
    page = Paginator(found, per_page(request)).get_page(request.GET.get("page"))
    table = OrderTable(page.object_list, orderable=False, exclude=ON_ITS_PAGE)
    context = {
        "fresh": fresh,
        "filters": filters,
        "is_filtered": any(name not in ("sort_by", "sort_order") for name in used(filters)),
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number),
        "table": table,
        "headings": headings(table, *filters.order),
        "query": request.GET.urlencode(),
        "may_see_job": request.user.has_perm("joblogs.view_joblog"),
    }
    if is_by_script(request):
        return render(request, "orders/list_news.html", context)
    filters.offer(orders)
    context["may_sync"] = request.user.has_perm("orders.sync_open_orders")
    context["per_page"] = page.paginator.per_page
    context["per_page_choices"] = sorted(PER_PAGE)
    return render(request, "orders/list.html", shell(request, title="Open orders", **context))


def orders_of(fresh: Freshness) -> QuerySet[OpenOrder]:
    """What readers see."""
    return OpenOrder.objects.filter(snapshot=fresh.current)


def used(filters: OrderFilters) -> list[str]:
    """The parameters that say something."""
    return [name for name in filters.filters if filters.data.get(name)]


def per_page(request: HttpRequest) -> int:
    asked = request.GET.get("per_page", "")
    return next((number for number in PER_PAGE if str(number) == asked), PER_PAGE[0])


def headings(table: OrderTable, sorted_by: str, order: str) -> list[Heading]:
    """A click turns the order round, or begins with the smallest."""
    other = "desc" if order == "asc" else "asc"
    return [
        Heading(column.name, column.header, order, other)
        if column.name == sorted_by
        else Heading(column.name, column.header, "", "asc")
        for column in table.columns
    ]


@SEE
@require_GET
def open_order(request: HttpRequest, key: str) -> HttpResponse:
    """One order as it is now; the address stays the same from sync to sync."""
    fresh = freshness()
    found = list(orders_of(fresh).filter(key=key).order_by("number"))
    if not found:
        context = {"title": "Not an open order any more", "fresh": fresh}
        return render(request, "orders/gone.html", shell(request, **context), status=404)
    context = {"title": f"Open order {found[0]}", "fresh": fresh}
    context["orders"] = [(one, facts(one)) for one in found]
    return render(request, "orders/detail.html", shell(request, **context))


def facts(order: OpenOrder) -> list[tuple[str, object]]:
    """Titles and cells of all columns, as the table shows them; moments with their year."""
    row = OrderTable([order], orderable=False).rows[0]
    cells = [(column.header, in_full(order, column.name, cell)) for column, cell in row.items()]
    return [("Order", order.order_id or "—"), *cells[1:]]


def in_full(order: OpenOrder, name: str, cell: object) -> object:
    value = getattr(order, name)
    return value if isinstance(value, datetime) else cell


@SEE
@require_GET
def export(request: HttpRequest) -> HttpResponseBase:
    """All that fits the filters, on whatever page."""
    filters = OrderFilters(request.GET, queryset=orders_of(freshness()))
    if not filters.is_valid():
        raise Http404("These filters cannot be used.")
    name = f"open-orders-{timezone.localtime():%Y%m%d-%H%M%S}.csv"
    return streamed(as_csv(filters.qs), name, "text/csv; charset=utf-8")


@SYNC
@require_POST
def sync_now(request: HttpRequest) -> HttpResponse:
    ask_for_sync(Trigger.MANUAL, request.user)
    messages.success(request, "The open orders will be synced as soon as a worker is free.")
    return HttpResponseRedirect(reverse("open-orders"))
