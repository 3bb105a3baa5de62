"""The pages of positions: the list with totals, each with its fills and its course, and downloads.

Also the form that says what a point of an instrument is worth, as P&L is unknown without it.
"""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_http_methods

from trades.badges import position_badge
from trades.course import MOST_DRAWN, Step, course, drawings
from trades.decimals import plain
from trades.export import positions_as_csv
from trades.filters import PositionFilters
from trades.forms import LONGEST_REASON, PointValueForm, PositionForm
from trades.listing import listing, offers, page_of, rows_of
from trades.models import Account, Instrument, Position, PositionTrade
from trades.origins import every_issue, every_position, trades_by_key
from trades.pages import CSV, file_name
from trades.tables import IssueTable, PositionTable, line_of, link, money, won_or_lost
from trades.touched import Pair, touched_pairs
from trades.worth import set_point_value, source_of
from web.bounded import bounded_page
from web.downloads import streamed
from web.shell import is_by_script, page_for, shell

SEE = page_for("trades.view_position")
SET_WORTH = page_for("trades.view_position", "trades.change_instrument")
DISMISS_RIGHTS = ("trades.view_integrityissue", "trades.dismiss_issue")
FILLS_PER_PAGE = 100
ADDED_AT_ONCE = 10_000  # positions; the totals of more are asked for apart
NAMED = 5  # accounts and instruments that are being computed anew, or lack a point value
ISSUES = 50
OF_POSITION = ("account", "instrument", "position", "state")  # which its page says itself


@SEE
@require_GET
def positions(request: HttpRequest) -> HttpResponse:
    """The newest positions, or those that fit the filters. Scripts get no more than the list."""
    filters = PositionFilters(request.GET, queryset=Position.objects.all())
    page = page_of(request, filters)
    table = PositionTable(rows_of(every_position(), page.object_list), request)
    context = listing(filters, page, table) | totals_at_once(request, filters, page)
    context |= {"address": reverse("positions"), "noun": "position", "computed": being_computed()}
    if is_by_script(request):
        return render(request, "trades/positions_news.html", context)
    context |= offers(page) | {"title": "Positions", "export": reverse("positions-export")}
    return render(request, "trades/positions.html", shell(request, **context))


def totals_at_once(request: HttpRequest, filters: PositionFilters, page: Page) -> dict[str, object]:
    """The totals, unless there is too much to add up for a page: then it asks for them apart."""
    if page.paginator.count > ADDED_AT_ONCE:
        return {"totals": None}
    return totals_of(request, filters)


def totals_of(request: HttpRequest, filters: PositionFilters) -> dict[str, object]:
    """By currency, with the instruments whose point value is missing, for those who may set it."""
    found = filters.qs if filters.is_valid() else Position.objects.none()
    totals = [in_money(one) for one in found.totals()]
    context = {"totals": totals, "lacking": [], "lack_more": False}
    if any(one["unknown"] for one in totals) and request.user.has_perm("trades.change_instrument"):
        context |= lacking(found)
    return context


def lacking(found: QuerySet[Position]) -> dict[str, object]:
    """The instruments without whose point value something of these is unknown."""
    unknown = found.of_unknown_worth().order_by().filter(instrument=OuterRef("pk"))
    without = Instrument.objects.filter(Exists(unknown), point_value=None)[: NAMED + 1]
    named = list(without)
    return {"lacking": named[:NAMED], "lack_more": len(named) > NAMED}


def in_money(total: dict[str, object]) -> dict[str, object]:
    """Of one currency; None where it is unknown."""
    if total["net_pnl"] is None:
        return total | {"net": None}
    return total | {
        "gross": money(total["gross_pnl"]),
        "commission": money(total["commission"]),
        "net": won_or_lost(total["net_pnl"]),
    }


@SEE
@require_GET
def totals(request: HttpRequest) -> HttpResponse:
    """What the list adds up to, for a page with more positions than are added up at once."""
    filters = PositionFilters(request.GET, queryset=Position.objects.all())
    context = totals_of(request, filters) | {"title": "Positions by currency"}
    return render(request, "trades/totals_page.html", shell(request, **context))


def being_computed() -> list[str]:
    """The pairs whose positions wait to be computed anew, in words; the first of them."""
    pairs = touched_pairs()
    words = [named_pair(pair) for pair in pairs[:NAMED]]
    more = len(pairs) - NAMED
    return [*words, f"{more:,} more"] if more > 0 else words


def named_pair(pair: Pair) -> str:
    account = Account.objects.filter(pk=pair.account_id).first()
    instrument = Instrument.objects.filter(pk=pair.instrument_id).first()
    return f"{instrument} in {account}"


@SEE
@require_GET
def export(request: HttpRequest) -> HttpResponseBase:
    """All that fits the filters, on whatever page."""
    filters = PositionFilters(request.GET, queryset=Position.objects.all())
    if not filters.is_valid():
        raise Http404("These filters cannot be used.")
    return streamed(positions_as_csv(filters.qs), file_name("positions"), CSV)


# --- One position


@SEE
@require_http_methods(["GET", "POST"])
def position(request: HttpRequest, pk: int) -> HttpResponse:
    """One position: what came of it, its course, its fills with their lines, and its issues.

    Notes and tags are taken from those who may change them.
    """
    found = get_object_or_404(every_position(), pk=pk)
    may_change = request.user.has_perm("trades.change_position")
    if request.method == "POST" and not may_change:
        raise PermissionDenied
    form = PositionForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        form.save_remarks()
        messages.success(request, "Notes and tags are kept.")
        return HttpResponseRedirect(reverse("position", args=[pk]))
    waits = Pair(found.account_id, found.instrument_id) in touched_pairs(found.account_id)
    may_set_worth = request.user.has_perm("trades.change_instrument")
    context = {
        "title": f"{found.get_direction_display()} {found.instrument}",
        "position": found,
        "badge": position_badge(found),
        "other_currency": other_currency(found),
        "facts": facts(found, may_set_worth),
        "may_set_worth": may_set_worth,
        "is_computed": waits,
        "form": form if may_change else None,
        "issues": issues_of(request, found),
        "may_dismiss": request.user.has_perms(DISMISS_RIGHTS),
        "longest_reason": LONGEST_REASON,
        **the_fills(request, found),
    }
    return render(request, "trades/position.html", shell(request, **context))


def other_currency(found: Position) -> str:
    """The account's, if it is another than that of the P&L and there was commission; else ''."""
    own = found.account.currency
    return own if found.currency and own != found.currency and found.commission else ""


def facts(found: Position, may_set_worth: bool) -> list[tuple[str, object]]:
    """Titles and what stands beside them; what is not there is left out."""
    told = [
        ("Account", found.account),
        ("Instrument", found.instrument),
        ("Opened", found.opened_at),
        ("Closed", found.closed_at),
        ("Held now", plain(found.net_quantity) if found.open_quantity else None),
        ("Peak quantity", plain(found.peak_quantity)),
        ("Average entry", plain(found.average_entry)),
        ("Average exit", plain(found.average_exit) or None),
        ("Average of what is held", plain(found.average_open) or None),
        ("Currency", found.currency or "unknown"),
        ("Point value", point_value_of(found.instrument, may_set_worth)),
        ("Fills", f"{found.fills:,}"),
    ]
    return [(title, value) for title, value in told if value is not None]


def point_value_of(instrument: Instrument, may_set_worth: bool) -> SafeString | str:
    """With its source; for those who may set it, the way there."""
    if instrument.point_value is None:
        words = "unknown"
    else:
        words = f"{plain(instrument.point_value)}, {source_of(instrument)}"
    return link("point-value", instrument.pk, words) if may_set_worth else words


def the_fills(request: HttpRequest, found: Position) -> dict[str, object]:
    """A page of the fills, with what was held after each, and the course of all of them."""
    parts = found.parts.exclude(trade__pk=None).select_related("trade").order_by("pk")
    is_drawn = found.fills <= MOST_DRAWN
    steps = course(found, parts) if is_drawn else {}
    page = bounded_page(parts, FILLS_PER_PAGE, request.GET.get("page", ""))
    return {
        "charts": drawings(steps.values()),
        "is_drawn": is_drawn,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number),
        "fills": fill_rows(request, list(page.object_list), steps),
        "gross": None if found.gross_pnl is None else money(found.gross_pnl),
        "net": None if found.net_pnl is None else won_or_lost(found.net_pnl),
        "commission": money(found.commission),
    }


def fill_rows(
    request: HttpRequest, parts: list[PositionTrade], steps: dict[int, Step]
) -> list[dict[str, object]]:
    has_page = request.user.has_perm("imports.view_importexecutionlog")
    trades = trades_by_key(part.trade_id for part in parts)
    return [
        {
            "part": part,
            "trade": trade,
            "line": line_of(trade, has_page=has_page),
            "quantity": plain(part.quantity),
            "price": plain(trade.price),
            "commission": plain(part.commission),
            "is_split": part.quantity != trade.quantity,
            "held": plain(steps[part.pk].held) if part.pk in steps else "—",
            "net": net_after(steps.get(part.pk)),
        }
        for part in parts
        if (trade := trades.get(part.trade_id))
    ]


def net_after(step: Step | None) -> str:
    if step is None:
        return "—"
    return "unknown" if step.net is None else money(step.net)


def issues_of(request: HttpRequest, found: Position) -> IssueTable | None:
    """Those that stand; None for those who may not see them."""
    if not request.user.has_perm("trades.view_integrityissue"):
        return None
    rows = list(every_issue().filter(position=found).standing()[:ISSUES])
    return IssueTable(rows, request, exclude=OF_POSITION)


# --- What a point is worth


@SET_WORTH
@require_http_methods(["GET", "POST"])
def point_value(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what a point of an instrument is worth; all its positions follow."""
    found = get_object_or_404(Instrument, pk=pk)
    form = PointValueForm(request.POST or None, found)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        set_point_value(
            found,
            said["point_value"],
            request.user,
            currency=said.get("currency", ""),
            with_others=said.get("with_others", False),
        )
        messages.success(request, f"The positions in {found} follow the new point value.")
        return HttpResponseRedirect(f"{reverse('positions')}?instrument={found.symbol}")
    context = {"title": f"Point value of {found}", "instrument": found, "form": form}
    return render(request, "trades/point_value.html", shell(request, **context))
