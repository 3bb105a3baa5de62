"""What the positions of a time, and of some accounts, have brought: a part of the dashboard."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString

from trades.calendar import WEEKDAYS, sheets
from trades.course import WIDTH
from trades.equity import curve
from trades.figures import (
    Drawdown,
    InCurrency,
    by_currency,
    by_instrument,
    chosen_positions,
    largest_drawdown,
)
from trades.filters import UNKNOWN
from trades.models import Account, Position
from trades.positionpages import being_computed, lacking
from trades.tables import moment, money, won_or_lost
from trades.tallies import Tally
from web.durations import time_in_words
from web.periods import Period

INSTRUMENTS = 20  # that are named
MOST_AT_ONCE = 10_000  # positions; of more, the rest is asked for apart
BAR = WIDTH // 4  # of the longest bar


@dataclass(frozen=True)
class Card:
    """A figure, its title, and what stands below it."""

    title: str
    value: str | SafeString
    words: str | SafeString


@dataclass(frozen=True)
class Bar:
    """Of an instrument: what it brought, drawn from `x` on, to the right of 0 or to the left."""

    symbol: str
    tally: Tally
    x: float
    width: float

    @property
    def net(self) -> SafeString:
        return won_or_lost(self.tally.net)

    @property
    def win_rate(self) -> str:
        return percent(self.tally.win_rate)


def overview(
    period: Period, accounts: list[Account], code: str, may_set_worth: bool
) -> dict[str, Any]:
    """What the template needs; of the currency of this code, or of the one with the most."""
    keys = [account.pk for account in accounts]
    closed = chosen_positions(period, keys)
    found = by_currency(period, keys)
    wanted = "" if code == UNKNOWN else code
    asked = [one for one in found if code and one.currency == wanted]
    shown = next(iter(asked + found), None)
    context: dict[str, Any] = {
        "computed": being_computed(),
        "open": open_positions(keys),
        "tabs": tabs(found, shown) if len(found) > 1 else [],
        "shown": shown,
    }
    if shown is None:
        return context
    if shown.unknown and may_set_worth:
        context |= lacking(closed.filter(currency=shown.currency))
    context |= {
        "code": shown.currency or UNKNOWN,
        "cards": cards(shown),
        "curve": curve(closed, shown),
        "months": sheets(shown.days),
        "weekdays": WEEKDAYS,
        "is_much": shown.total.closed > MOST_AT_ONCE,
    }
    return context if context["is_much"] else context | rest(closed, shown.currency, shown.total)


def overview_rest(period: Period, accounts: list[Account], code: str) -> dict[str, Any]:
    """What is left out of it where there is much, as it takes as long as all else."""
    keys = [account.pk for account in accounts]
    currency = "" if code == UNKNOWN else code
    totals = {one.currency: one.total for one in by_currency(period, keys)}
    closed = chosen_positions(period, keys)
    return {"code": code} | rest(closed, currency, totals.get(currency, Tally()))


def rest(closed: QuerySet[Position], currency: str, total: Tally) -> dict[str, Any]:
    drawdown = largest_drawdown(closed, currency, total)
    return {"drawdown": drawdown_card(drawdown), **bars(closed, currency, total)}


def open_positions(accounts: list[int]) -> int:
    found = Position.objects.open().order_by()
    return (found.filter(account_id__in=accounts) if accounts else found).count()


def tabs(found: list[InCurrency], shown: InCurrency | None) -> list[dict[str, object]]:
    """One of each currency."""
    return [
        {
            "title": one.currency or "Unknown currency",
            "code": one.currency or UNKNOWN,
            "net": money(one.total.net) if one.total.closed else "P&L unknown",
            "is_shown": one is shown,
        }
        for one in found
    ]


def cards(shown: InCurrency) -> list[Card]:
    total = shown.total
    factor = "—" if total.profit_factor is None else f"{total.profit_factor:,.2f}"
    return [
        Card(
            "Net P&L",
            won_or_lost(total.net),
            f"{money(total.gross)} gross less {money(total.commission)} commission",
        ),
        Card(
            "Win rate",
            percent(total.win_rate),
            f"{total.wins:,} won, {total.losses:,} lost, {total.even:,} even",
        ),
        Card("Profit factor", factor, f"{money(total.won)} won, {money(-total.lost)} lost"),
        Card("Average win", amount(total.average_win), "of a position that won"),
        Card("Average loss", amount(total.average_loss), "of a position that lost"),
        Card("Holding time", time_in_words(total.holding_time) or "—", "on average"),
        Card("Closed positions", f"{total.closed:,}", days_in_words(len(shown.days))),
    ]


def days_in_words(number: int) -> str:
    return "on 1 day" if number == 1 else f"on {number:,} days"


def drawdown_card(drawdown: Drawdown | None) -> Card:
    if drawdown is None:
        return Card("Largest drawdown", "—", "never below its peak")
    at = format_html("lowest at {}", moment(drawdown.at))
    return Card("Largest drawdown", money(drawdown.amount), at)


def amount(number: Decimal | None) -> str | SafeString:
    return "—" if number is None else won_or_lost(number)


def percent(number: Decimal | None) -> str:
    return "—" if number is None else f"{number:.1f} %"


def bars(closed: QuerySet[Position], currency: str, total: Tally) -> dict[str, object]:
    """By instrument; and what those brought that are not named."""
    named = by_instrument(closed, currency, INSTRUMENTS)
    longest = max((abs(tally.net) for _, tally in named), default=Decimal(0)) or Decimal(1)
    found = []
    for symbol, tally in named:
        width = round(float(abs(tally.net) / longest) * BAR, 2)
        found.append(Bar(symbol, tally, BAR if tally.net > 0 else BAR - width, width))
    others = total.closed - sum(tally.closed for _, tally in named)
    others_net = total.net - sum(tally.net for _, tally in named)
    return {
        "instruments": found,
        "bar": BAR,
        "bars_width": 2 * BAR,
        "rest": others,
        "rest_net": won_or_lost(others_net) if others else "",
    }
