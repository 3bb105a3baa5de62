"""The page that makes a batch of trades that exist: first what it would be, then the batch.

The list of trades leads here, with those that were chosen or with its filters; the admin's list
shows the same page for those that were chosen there.
"""

from collections.abc import Iterable

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from batches.forms import CopyForm
from batches.mapping import StagingError
from batches.newpages import begun
from batches.staging import stage_trades
from batches.tables import rights
from trades.filters import TradeFilters
from trades.models import Account, Trade
from web.numbers import whole_number
from web.shell import page_for, shell

COPY = page_for("batches.add_batch", "trades.view_trade")
ACCOUNTS_OFFERED = 200
MOST_CHOSEN = 1_000  # by their numbers; filters may find more


@COPY
@require_http_methods(["GET", "POST"])
def copy(request: HttpRequest) -> HttpResponse:
    """Of the trades whose numbers are given (`trade`), else of all that fit the filters."""
    if "chosen" in request.GET and "trade" not in request.GET:
        messages.warning(request, "Choose trades first, by the boxes in front of them.")
        return redirect("trades")
    return copy_page(request, trades_meant(request.GET), back=reverse("trades"))


def trades_meant(asked: QueryDict) -> QuerySet[Trade]:
    if "trade" in asked:
        numbers = map(whole_number, asked.getlist("trade")[:MOST_CHOSEN])
        return Trade.objects.filter(pk__in=[number for number in numbers if number])
    filters = TradeFilters(asked, queryset=Trade.objects.all())
    if not filters.is_valid():
        raise Http404("These filters cannot be used.")
    return filters.qs


def copy_page(
    request: HttpRequest,
    trades: QuerySet[Trade],
    *,
    back: str,
    hidden: Iterable[tuple[str, str]] = (),
) -> HttpResponse:
    """What the batch would be; sent with a name and all that, the batch.

    `hidden` is sent along, so that the same trades are meant then. `back` leads out of it.
    """
    is_sent = "confirmed" in request.POST
    form = CopyForm(*[request.POST] if is_sent else [])
    most = settings.TRADELOG_MAX_BATCH_LINES
    count = len(trades.order_by().values_list("pk")[: most + 1])
    problem = problem_with(count, most, request.POST.get("seen", str(count)))
    if form.is_valid() and not problem:
        try:
            return copied(request, form, trades)
        except StagingError as why:
            problem = str(why)
    context = {
        "title": "Make a batch of trades",
        "form": form,
        "problem": problem,
        "count": count,
        "hidden": hidden,
        "back": back,
        "accounts": Account.objects.values_list("name", flat=True)[:ACCOUNTS_OFFERED],
        "may": rights(request.user),
    }
    return render(request, "batches/copy.html", shell(request, **context))


def problem_with(count: int, most: int, seen: str) -> str:
    """Why no batch can be made of so many trades; `seen` is how many the user was told of."""
    if not count:
        return "None of these trades exists any more, or none fits the filters."
    if count > most:
        return f"More than {most:,} trades are chosen, the most that a batch may have."
    if seen != str(count):
        return (
            f"Meanwhile they are {count:,} trades, not as many as you saw. Is that what you want?"
        )
    return ""


def copied(request: HttpRequest, form: CopyForm, trades: QuerySet[Trade]) -> HttpResponse:
    """Stage the trades, start the batch if that was wished, and lead to it. StagingError."""
    wanted = form.cleaned_data
    instead = {"account": wanted["account"]} if wanted["account"] else {}
    batch = stage_trades(trades, defaults=instead, user=request.user, **form.wishes)
    return redirect(begun(request, batch, is_wished=wanted["start"]))
