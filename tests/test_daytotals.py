"""The totals of days are what the positions add up to; those of another zone are not used."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from imports.recomputing import recompute_positions, waiting_accounts
from tests.fills import account, mnq, positions_of, remove
from tests.test_figures import EVER, closed
from trades import daytotals
from trades.daytotals import are_kept, count_all, follow_closings, kept, wrong_totals
from trades.figures import by_currency, chosen_positions, counted_now
from trades.models import DayTotal, DayZone, Position, Trade
from trades.positions import recompute_touched
from trades.worth import set_point_value
from web.periods import Period

pytestmark = pytest.mark.django_db

EVENING = datetime(2026, 1, 5, 23, 30, tzinfo=UTC)


def told(period: Period = EVER, accounts: list[int] | None = None) -> list[tuple]:
    return [(*key, round(tally.net, 6)) for *key, tally in kept(period, accounts or [])]


def in_seconds(rows: Iterable[tuple]) -> list[tuple]:
    """As SQLite counts time but roughly."""
    return [(*key, replace(tally, held=round(tally.held))) for *key, tally in rows]


def test_what_is_closed_is_added() -> None:
    count_all()
    positions_of("B 1 100", "S 1 110", "B 2 100", "S 2 95", "B 1 100")
    assert told() == [("USD", date(2026, 1, 5), 2, Decimal(20 - 2 - 20 - 2))]
    [total] = DayTotal.objects.all()
    assert (total.closed, total.wins, total.losses) == (2, 1, 1)
    assert (total.gross, total.won, total.held) == (0, 18, 120_000_000)


def test_what_goes_is_taken_off() -> None:
    count_all()
    positions_of("B 1 100", "S 1 110")
    remove(Trade.objects.order_by("-executed_at")[:1])
    recompute_touched()
    assert told() == []
    assert list(wrong_totals(None)) == []


def test_they_follow_the_point_value() -> None:
    count_all()
    positions_of("B 1 100", "S 1 110")
    set_point_value(mnq(), None, None)
    recompute_touched()
    assert told() == [("USD", date(2026, 1, 5), 1, 0)]
    assert DayTotal.objects.get().closed == 0


def test_they_are_what_would_be_counted() -> None:
    closed("0.1")
    closed("-0.3", EVENING)
    closed("7", EVENING, account=account("Sim102"))
    closed(None, currency="")
    for zone in ("UTC", "Asia/Kolkata"):
        with timezone.override(zone):
            by_counting = counted_now(chosen_positions(EVER))
            count_all()
            assert in_seconds(kept(EVER, [])) == in_seconds(by_counting)
            days = Period(date(2026, 1, 6), date(2026, 1, 6))
            assert len(kept(days, [account("Sim102").pk])) == (zone == "Asia/Kolkata")


def test_sums_are_exact_in_every_database() -> None:
    count_all()
    large = Decimal("123456789012.345")
    rows = [closed("0.0000000001"), closed(str(large)), closed("-0.1")]
    for row in rows:
        follow_closings([], [row])
    assert DayTotal.objects.get().net == large - Decimal("0.0999999999")
    follow_closings(rows[1:], [])
    assert DayTotal.objects.get().net == Decimal("0.0000000001")


def test_they_follow_while_something_is_being_read() -> None:
    count_all()
    rows = [closed("1"), closed("2")]
    follow_closings([], rows[:1])
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 UNION SELECT 2")
        cursor.fetchone()
        follow_closings([], rows[1:])
    assert DayTotal.objects.get().net == 3


def test_those_of_another_zone_are_not_used() -> None:
    positions_of("B 1 100 @540", "S 1 110 @541")  # half past eleven in the evening
    count_all()
    with timezone.override("Asia/Kolkata"):
        assert not are_kept()
        [found] = by_currency(EVER)
        assert list(found.days) == [date(2026, 1, 6)]
    assert list(by_currency(EVER)[0].days) == [date(2026, 1, 5)]


def test_who_adds_days_of_another_zone_says_so() -> None:
    positions_of("B 1 100", "S 1 110")
    count_all()
    with timezone.override("Asia/Kolkata"):
        positions_of("B 1 100", "S 1 120")
    assert not are_kept()
    assert DayZone.objects.get().zone == ""
    assert by_currency(EVER)[0].total.closed == 2


def test_a_worker_counts_them_where_they_are_not_kept() -> None:
    assert list(waiting_accounts()) == []
    positions_of("B 1 100", "S 1 110")
    DayTotal.objects.all().delete()
    [waiting] = waiting_accounts()
    recompute_positions(waiting)
    assert are_kept()
    assert told() == [("USD", date(2026, 1, 5), 1, 18)]
    assert list(waiting_accounts()) == []


def test_the_command_compares_and_mends_them() -> None:
    count_all()
    positions_of("B 1 100", "S 1 110")
    DayTotal.objects.update(wins=7)
    assert list(wrong_totals(account("Sim102"))) == []
    out = StringIO()
    with pytest.raises(CommandError, match="1 differences"):
        call_command("rebuild_positions", "--check", stdout=out)
    assert "the totals of Sim101, 2026-01-05, USD: wins is 7, must be 1." in out.getvalue()
    call_command("rebuild_positions", stdout=out)
    call_command("rebuild_positions", "--check", stdout=out)
    assert Position.objects.count() == DayTotal.objects.get().wins == 1


def test_totals_that_nothing_closed_are_wrong() -> None:
    count_all()
    follow_closings([], [closed("5", account=account("Sim102"))])
    Position.objects.all().delete()
    [sentence] = wrong_totals(account("Sim102"))
    assert "positions is 1, must be 0" in sentence
    assert daytotals.Sums().positions == 0
