"""The pages that show batches: what goes on, the history, and one batch with all that it did.

Each address is a page by itself; a script that asks gets the part that it renews.
"""

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from batches.about import about
from batches.badges import batch_badge
from batches.export import DOWNLOADS, download_of
from batches.filters import SORTS, BatchFilter, BatchTradeFilter
from batches.live import MOST_SHOWN, asked_for
from batches.models import Batch, BatchTrade
from batches.progress import progress_of_all
from batches.states import FINAL, Status, TradeStatus
from batches.tables import BatchTable, BatchTradeTable, rights
from batches.tradepages import trade_page
from web.shell import is_by_script, page_for, shell

SEE = page_for("batches.view_batch")
SEE_TRADES = page_for("batches.view_batch", "batches.view_batchtrade")
PER_PAGE = (25, 10, 50, 100)  # the first unless told otherwise
RECENT = 10


@dataclass(frozen=True)
class Heading:
    """Of a column. `order` is how the list is sorted by it now, `next` what a click asks for."""

    name: str
    title: str
    order: str = ""
    next: str = ""


# --- What goes on


@SEE
@require_GET
def dashboard(request: HttpRequest) -> HttpResponse:
    """The batches at work, those that wait to be started, and the last that ended."""
    kept = Batch.objects.filter(archived_at=None)
    active = list(Batch.objects.active().most_urgent_first()[: MOST_SHOWN + 1])
    staged = kept.filter(status=Status.PENDING, queued_at=None).order_by("-created_at", "-id")
    recent = kept.filter(status__in=FINAL).order_by("-completed_at", "-id")
    context = {
        "active": [(batch, batch_badge(batch)) for batch in active[:MOST_SHOWN]],
        "more": len(active) > MOST_SHOWN,
        "staged": BatchTable(staged[:RECENT]),
        "recent": BatchTable(recent[:RECENT]),
        "may": rights(request.user),
        "is_active": bool(active),
    }
    if is_by_script(request):
        return render(request, "batches/dashboard_parts.html", context)
    return render(request, "batches/dashboard.html", shell(request, title="Batches", **context))


@SEE
@require_GET
def progress(request: HttpRequest) -> JsonResponse:
    """How far batches are, for pages whose browser gets no WebSocket: ?batch=1&batch=2."""
    numbers = asked_for(request.GET.getlist("batch"))
    return JsonResponse({"batches": progress_of_all(numbers) if numbers else []})


# --- The history


@SEE
@require_GET
def history(request: HttpRequest) -> HttpResponse:
    """All batches that fit the filters, the newest first. Scripts get the list alone."""
    filters = BatchFilter(request.GET, queryset=Batch.objects.all())
    found = filters.qs if filters.is_valid() else Batch.objects.none()
    page = Paginator(found, per_page(request)).get_page(request.GET.get("page"))
    table = BatchTable(page.object_list)
    context = {
        "filters": filters,
        "is_filtered": any(name not in ("sort_by", "sort_order") for name in used(filters)),
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number),
        "table": table,
        "headings": headings(table, *filters.order),
        "query": request.GET.urlencode(),
        "may": rights(request.user),
        "is_active": any(batch.is_active for batch in page.object_list),
    }
    if is_by_script(request):
        return render(request, "batches/history_list.html", context)
    filters.offer()
    context["per_page"] = page.paginator.per_page
    context["per_page_choices"] = sorted(PER_PAGE)
    page_of_history = shell(request, title="History of batches", **context)
    return render(request, "batches/history.html", page_of_history)


def used(filters: BatchFilter) -> list[str]:
    """The parameters that say something."""
    return [name for name in filters.filters if filters.data.get(name)]


def per_page(request: HttpRequest) -> int:
    asked = request.GET.get("per_page", "")
    return next((number for number in PER_PAGE if str(number) == asked), PER_PAGE[0])


def headings(table: BatchTable, sorted_by: str, order: str) -> list[Heading]:
    """A click turns the order round, or begins with the newest and the largest."""
    other = "asc" if order == "desc" else "desc"
    return [
        Heading(column.name, column.header)
        if column.name not in SORTS
        else Heading(column.name, column.header, order, other)
        if column.name == sorted_by
        else Heading(column.name, column.header, "", "desc")
        for column in table.columns
    ]


# --- One batch


@SEE_TRADES
@require_GET
def batch(request: HttpRequest, pk: int) -> HttpResponse:
    """One batch: how far it is, its errors, its trades, what happened to it and when."""
    one = get_object_or_404(Batch.objects.select_related("template", "created_by"), pk=pk)
    filters = BatchTradeFilter(request.GET, queryset=one.batch_trades.all())
    found = filters.qs if filters.is_valid() else BatchTrade.objects.none()
    page = trade_page(found, request.GET.get("from", ""))
    context = {
        "batch": one,
        "filters": filters,
        "is_filtered": any(filters.data.get(name) for name in ("account", "search")),
        "asked_status": request.GET.getlist("status"),
        "trade_page": page,
        "trade_table": BatchTradeTable(page.trades, request.user),
        "trade_choices": trade_choices(one),
        "may": rights(request.user),
        "query": request.GET.urlencode(),
        **about(one, request.user),
    }
    if is_by_script(request):
        return render(request, "batches/detail_news.html", context)
    return render(request, "batches/detail.html", shell(request, title=one.name, **context))


@SEE_TRADES
@require_GET
def results(request: HttpRequest, pk: int, form: str) -> HttpResponseBase:
    """What became of all of its trades, as a file."""
    if form not in DOWNLOADS:
        raise Http404(f"There is no such form; expected one of {', '.join(DOWNLOADS)}.")
    return download_of(get_object_or_404(Batch, pk=pk), form)


def trade_choices(one: Batch) -> list[tuple[list[str], str, int]]:
    """The filters above the trades: states, words, how many. What is executing is pending."""
    return [
        ([], "All", one.total_trades),
        ([TradeStatus.EXECUTED], "Executed", one.executed_trades),
        ([TradeStatus.FAILED], "Failed", one.failed_trades),
        ([TradeStatus.CANCELLED], "Cancelled", one.cancelled_trades),
        ([TradeStatus.PENDING, TradeStatus.EXECUTING], "Pending", one.pending_trades),
    ]
