"""Trades without a file: fills of one account and instrument, written in a few words."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from trades.daytotals import KEY, SUMMED
from trades.models import (
    Account,
    DayTotal,
    Instrument,
    IntegrityIssue,
    Position,
    PositionTrade,
    Trade,
)
from trades.positionrows import COMPUTED
from trades.positions import recompute_touched
from trades.touched import mark_trades

MORNING = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
SIDES = {"B": "buy", "S": "sell", "SS": "sell_short", "BC": "buy_to_cover"}


def account(name: str = "Sim101") -> Account:
    return Account.objects.get_or_create(name=name)[0]


def mnq() -> Instrument:
    terms = {"root": "MNQ", "kind": "future", "currency": "USD", "point_value": 2}
    return Instrument.objects.get_or_create(symbol="MNQ 03-26", defaults=terms)[0]


def trade(words: str, **values: object) -> Trade:
    """`B 2 100` is a purchase of 2 at 100, a minute after the one before, for 1 of commission.

    `B 2 100 @5` is one 5 minutes after MORNING.
    """
    side, quantity, price, *at = words.split()
    number = Trade.objects.count()
    minutes = float(at[0][1:]) if at else number
    usual = {
        "account": account(),
        "instrument": mnq(),
        "execution_id": f"exec-{number}",
        "side": SIDES[side],
        "quantity": Decimal(quantity),
        "price": Decimal(price),
        "commission": Decimal(1),
        "executed_at": MORNING + timedelta(minutes=minutes),
    }
    made = Trade.objects.create(**usual | values)
    mark_trades(Trade.objects.filter(pk=made.pk))
    return made


def positions_of(*fills: str, **values: object) -> list[Position]:
    """The positions that these trades give, in their order."""
    for words in fills:
        trade(words, **values)
    recompute_touched()
    return list(Position.objects.order_by("opened_at", "pk"))


def remove(trades: Iterable[Trade]) -> None:
    """Delete trades as a user does."""
    chosen = Trade.objects.filter(pk__in=[one.pk for one in trades])
    mark_trades(chosen)
    chosen.delete()


def parts() -> list[tuple[int, Decimal, Decimal]]:
    rows = PositionTrade.objects.order_by("position__opened_at", "position_id", "pk")
    return list(rows.values_list("trade_id", "quantity", "commission"))


def whole_truth() -> tuple[list, list, list, list]:
    """All that is computed, without the numbers of the rows."""
    names = [name for name in COMPUTED if name != "first_trade_id"]
    names += ["account__name", "instrument__symbol", "first_trade__execution_id"]
    found = sorted(Position.objects.values_list(*names), key=repr)
    made_of = ("position__first_trade__execution_id", "trade__execution_id")
    rows = PositionTrade.objects.values_list(*made_of, "quantity", "commission")
    issues = IntegrityIssue.objects.filter(resolved_at=None)
    told = issues.values_list("kind", "key", "message", "account__name", "shows_from")
    totals = DayTotal.objects.exclude(positions=0).values_list("account__name", *KEY[1:], *SUMMED)
    return found, sorted(rows, key=repr), sorted(told, key=repr), sorted(totals)


def from_nothing() -> tuple[list, list, list, list]:
    """The same after everything that was computed is gone and made again."""
    Position.objects.all().delete()
    DayTotal.objects.all().delete()
    IntegrityIssue.objects.filter(dismissed_at=None).delete()
    mark_trades(Trade.objects.all())
    recompute_touched()
    return whole_truth()
