"""The pages of trades: the list with its filters, each trade with its line, and the download."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from trades.decimals import plain
from trades.export import trades_as_csv
from trades.filters import TradeFilters
from trades.forms import TradeForm
from trades.listing import listing, offers, page_of, rows_of
from trades.models import Position, Trade
from trades.origins import every_position, every_trade
from trades.tables import PositionTable, TradeTable, line_of, link
from web.downloads import streamed
from web.shell import is_by_script, page_for, shell

SEE = page_for("trades.view_trade")
CSV = "text/csv; charset=utf-8"


@SEE
@require_GET
def trades(request: HttpRequest) -> HttpResponse:
    """The newest trades, or those that fit the filters. Scripts get no more than the list."""
    filters = TradeFilters(request.GET, queryset=Trade.objects.all())
    page = page_of(request, filters)
    table = TradeTable(rows_of(every_trade(), page.object_list), request)
    context = listing(filters, page, table) | {"address": reverse("trades"), "noun": "trade"}
    context["may_make_batch"] = table.may["add_batch"]
    if is_by_script(request):
        return render(request, "trades/list_rows.html", context)
    context |= offers(page) | {"title": "Trades", "export": reverse("trades-export")}
    return render(request, "trades/trades.html", shell(request, **context))


@SEE
@require_GET
def export(request: HttpRequest) -> HttpResponseBase:
    """All that fits the filters, on whatever page."""
    filters = TradeFilters(request.GET, queryset=Trade.objects.all())
    if not filters.is_valid():
        raise Http404("These filters cannot be used.")
    return streamed(trades_as_csv(filters.qs), file_name("trades"), CSV)


def file_name(what: str) -> str:
    return f"{what}-{timezone.localtime():%Y%m%d-%H%M%S}.csv"


@SEE
@require_http_methods(["GET", "POST"])
def trade(request: HttpRequest, pk: int) -> HttpResponse:
    """One trade as the broker reported it, with the way up to its line and down to its positions.

    Notes and the mark of a review are taken from those who may change them.
    """
    found = get_object_or_404(every_trade(), pk=pk)
    may_change = request.user.has_perm("trades.change_trade")
    if request.method == "POST" and not may_change:
        raise PermissionDenied
    form = TradeForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        form.save_remarks()
        messages.success(request, "The trade is kept as you left it.")
        return HttpResponseRedirect(reverse("trade", args=[pk]))
    context = {"title": f"Trade {pk}", "trade": found, "facts": facts(request, found)}
    context |= {"form": form if may_change else None, "positions": positions(request, found)}
    return render(request, "trades/trade.html", shell(request, **context))


def facts(request: HttpRequest, found: Trade) -> list[tuple[str, object]]:
    """Titles and what stands beside them; what is empty is left out."""
    has_page = request.user.has_perm("imports.view_importexecutionlog")
    told = [
        ("Executed", found.executed_at),
        ("Account", found.account),
        ("Instrument", found.instrument),
        ("Side", found.get_side_display()),
        ("Quantity", plain(found.quantity)),
        ("Price", plain(found.price)),
        ("Commission", plain(found.commission)),
        ("From", line_of(found, has_page=has_page) or "no file"),
        ("Execution ID", found.execution_id),
        ("Order", found.order_id),
        ("Name", found.name),
        ("Entry or exit", found.entry_exit),
        ("Position at the broker", found.broker_position),
        ("Connection", found.connection),
        ("Batch", batch_of(request, found)),
        ("Taken in", found.created_at),
    ]
    return [(title, value) for title, value in told if value not in ("", None)]


def batch_of(request: HttpRequest, found: Trade) -> object:
    """The number of the batch that made it, with the way there for those who may see it."""
    if not found.batch_id or not request.user.has_perm("batches.view_batch"):
        return found.batch_id
    return link("batch", found.batch_id, found.batch_id)


def positions(request: HttpRequest, found: Trade) -> PositionTable | None:
    """The one or two positions that it is a part of; None for those who may not see them."""
    if not request.user.has_perm("trades.view_position"):
        return None
    numbers = found.parts.order_by("pk").values_list("position_id", flat=True)
    rows: list[Position] = rows_of(every_position(), numbers)
    return PositionTable(rows, request)
