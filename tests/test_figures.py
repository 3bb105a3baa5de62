"""What positions have brought: against numbers that were computed by hand, and by brute force."""

import json
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.conftest import EXAMPLES, TakeIn
from tests.fills import MORNING, account, mnq
from trades.calendar import sheets
from trades.equity import curve
from trades.figures import (
    Drawdown,
    InCurrency,
    by_currency,
    by_instrument,
    chosen_positions,
    decimals_within,
    largest_drawdown,
)
from trades.models import Instrument, Position
from trades.tallies import Tally
from web.clock import changes_of_clock
from web.periods import Period

pytestmark = pytest.mark.django_db

EVER = Period()


def closed(net: str | None, at: datetime = MORNING, **values: object) -> Position:
    """A closed position that brought so much after a commission of 1, and was held for an hour."""
    usual = {
        "account": account(),
        "instrument": mnq(),
        "direction": "long",
        "status": "closed",
        "opened_at": at - timedelta(hours=1),
        "closed_at": at,
        "peak_quantity": 1,
        "open_quantity": 0,
        "entry_quantity": 1,
        "exit_quantity": 1,
        "average_entry": 1,
        "average_exit": 1,
        "gross_pnl": None if net is None else Decimal(net) + 1,
        "commission": 1,
        "net_pnl": None if net is None else Decimal(net),
        "currency": "USD",
        "fills": 2,
        "first_trade_id": 1,
    }
    return Position.objects.create(**usual | values)


def one_after_the_other(*nets: str) -> None:
    for number, net in enumerate(nets):
        closed(net, MORNING + timedelta(minutes=number))


def only(period: Period = EVER) -> InCurrency:
    [found] = by_currency(period)
    return found


def deepest() -> Drawdown | None:
    found = only()
    return largest_drawdown(chosen_positions(EVER), found.currency, found.total)


def test_figures_computed_by_hand() -> None:
    one_after_the_other("100", "-40", "0", "-60.5", "30")
    total = only().total
    assert (total.closed, total.wins, total.losses, total.even) == (5, 2, 2, 1)
    assert (total.net, total.gross, total.commission) == (
        Decimal("29.5"),
        Decimal("34.5"),
        Decimal(5),
    )
    assert total.win_rate == 50
    assert total.profit_factor == Decimal(130) / Decimal("100.5")
    assert (total.average_win, total.average_loss) == (Decimal(65), Decimal("-50.25"))
    assert round(total.holding_time) == 3600


def test_nothing_is_divided_by_nothing() -> None:
    total = Tally()
    assert (total.win_rate, total.profit_factor, total.average_win) == (None, None, None)
    assert (total.average_loss, total.holding_time) == (None, None)


def test_without_a_loss_there_is_no_profit_factor() -> None:
    one_after_the_other("10", "0")
    assert (only().total.profit_factor, only().total.win_rate) == (None, 100)


def test_currencies_and_the_unknown_are_counted_apart() -> None:
    one_after_the_other("10", "20")
    closed("5", currency="EUR")
    closed(None)
    closed(None, currency="")
    found = {one.currency: one for one in by_currency(EVER)}
    assert {code: (one.total.net, one.unknown) for code, one in found.items()} == {
        "USD": (30, 1),
        "EUR": (5, 0),
        "": (0, 1),
    }
    assert next(iter(found)) == "USD"  # that with the most positions


def test_open_positions_are_not_counted() -> None:
    closed("10")
    closed("99", status="open", closed_at=None, open_quantity=1)
    assert only().total.net == 10


@pytest.mark.parametrize(
    ("nets", "depth"),
    [
        (["10", "20"], None),
        (["-5"], "5"),  # the sum begins at 0
        (["10", "-4", "-4", "9", "-3"], "8"),
        (["10", "-4", "20", "-9.25", "1", "-2"], "10.25"),
        (["0.1", "-0.1", "0.2", "-0.3"], "0.3"),
    ],
)
def test_the_largest_drawdown(nets: list[str], depth: str | None) -> None:
    one_after_the_other(*nets)
    found = deepest()
    assert (found and found.amount) == (Decimal(depth) if depth else None)


def test_the_drawdown_within_a_day_counts_and_says_when() -> None:
    one_after_the_other("10", "-30", "40")
    found = deepest()
    assert (found.amount, found.at) == (30, MORNING + timedelta(minutes=1))


def test_the_drawdown_is_exact_however_many_and_in_whatever_order_they_came() -> None:
    chance = random.Random(7)
    nets = [Decimal(chance.randint(-99_999, 99_999)).scaleb(-4) for _ in range(500)]
    order = list(range(500))
    chance.shuffle(order)
    for number in order:
        closed(str(nets[number]), MORNING + timedelta(hours=number))
    level = peak = depth = Decimal(0)
    for net in nets:
        level += net
        peak = max(peak, level)
        depth = max(depth, peak - level)
    found = only()
    assert deepest().amount == depth
    assert found.total.net == level


def test_a_huge_sum_has_fewer_decimals_but_never_overflows() -> None:
    assert decimals_within(Decimal(10**8)) == 10
    assert decimals_within(Decimal(10**12)) == 6
    assert decimals_within(Decimal(10**20)) == 0
    one_after_the_other("400000000000", "-300000000000.5", "-200000000000")
    found = deepest()
    assert found.amount == Decimal("500000000000.5")


@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        ("UTC", "2026-01-05T23:30", date(2026, 1, 5)),
        ("America/New_York", "2026-01-06T04:30", date(2026, 1, 5)),
        ("America/New_York", "2026-03-08T04:59", date(2026, 3, 7)),  # the clock goes forward
        ("America/New_York", "2026-03-09T03:59", date(2026, 3, 8)),
        ("America/New_York", "2026-11-01T03:59", date(2026, 10, 31)),  # and back
        ("America/New_York", "2026-11-02T04:59", date(2026, 11, 1)),
        ("Asia/Kolkata", "2026-01-05T18:29", date(2026, 1, 5)),
        ("Asia/Kolkata", "2026-01-05T18:31", date(2026, 1, 6)),
    ],
)
def test_days_are_those_of_the_zone_of_the_pages(zone: str, moment: str, day: date) -> None:
    with timezone.override(zone):
        closed("1", datetime.fromisoformat(f"{moment}:00.5+00:00"))
        assert list(only().days) == [day]
        assert only(Period(day, day)).total.closed == 1


def test_days_around_each_change_of_the_clock() -> None:
    with timezone.override("Europe/Berlin"):
        moments = [
            datetime(2025, 1, 1, 0, 30, tzinfo=UTC) + timedelta(hours=n) for n in range(9000)
        ]
        changes = list(changes_of_clock(date(2025, 1, 1), date(2026, 1, 1)))
        near = [m for m in moments if any(abs(m - one) < timedelta(days=2) for one in changes)]
        for moment in near:
            closed("1", moment)
        counted = {day: tally.closed for day, tally in only().days.items()}
        assert len(changes) == 2
        days = [timezone.localdate(moment) for moment in near]
        assert counted == {day: days.count(day) for day in days}


def test_a_period_has_both_its_ends() -> None:
    for day in range(1, 6):
        closed("1", datetime(2026, 1, day, 12, tzinfo=UTC))
    assert list(only(Period(date(2026, 1, 2), date(2026, 1, 4))).days) == [
        date(2026, 1, day) for day in (2, 3, 4)
    ]


def test_by_instrument_the_largest_gain_first() -> None:
    terms = {"kind": "future", "currency": "USD", "point_value": 2}
    others = [Instrument.objects.create(symbol=name, root=name, **terms) for name in "ABC"]
    for instrument, net in zip(others, ("5", "-80", "30"), strict=True):
        closed(net, instrument=instrument)
    found = by_instrument(chosen_positions(EVER), "USD", 2)
    assert [(symbol, tally.net) for symbol, tally in found] == [("C", 30), ("B", -80)]


def test_the_sheets_of_the_calendar() -> None:
    closed("5", datetime(2025, 12, 31, 12, tzinfo=UTC))
    closed("7", datetime(2026, 2, 1, 12, tzinfo=UTC))
    newest, older = sheets(only().days)
    assert (newest.first, newest.last, newest.total.net) == (
        date(2026, 2, 1),
        date(2026, 2, 28),
        7,
    )
    assert older.first == date(2025, 12, 1)
    assert newest.weeks[0][:6] == [None] * 6  # that Sunday ends its week
    assert newest.weeks[0][6].net == "+7.00"


def test_the_curve_has_a_bounded_number_of_points() -> None:
    for number in range(401):
        closed("1", MORNING + timedelta(days=number))
    found = curve(chosen_positions(EVER), only())
    assert (found.step, len(found.points)) == ("week", 58)
    assert found.points[-1].level == 401
    few = Period(date(2026, 1, 5), date(2026, 1, 6))
    by_position = curve(chosen_positions(few), only(few))
    assert (by_position.step, len(by_position.points)) == ("position", 2)


@pytest.mark.parametrize("name", ["ninjatrader-us.csv", "ninjatrader-eu.csv"])
def test_the_samples_have_the_gross_that_was_computed_apart(take_in: TakeIn, name: str) -> None:
    truth = json.loads((EXAMPLES / "expected.json").read_text())[name]["accounts"]
    take_in((EXAMPLES / name).read_bytes())
    total = only().total
    told = [one for instruments in truth.values() for one in instruments.values()]
    assert total.gross == sum(Decimal(one["gross_pnl_of_closed"]) for one in told)
    assert total.closed == sum(one["closed_positions"] for one in told)
