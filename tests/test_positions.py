"""Positions from flat to flat: their arithmetic, their order, and that they keep their rows."""

import json
from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from imports.rollback import roll_back
from tests.conftest import EXAMPLES, TakeIn, file_of, fill
from tests.fills import (
    MORNING,
    account,
    from_nothing,
    mnq,
    parts,
    positions_of,
    remove,
    trade,
    whole_truth,
)
from trades import positions
from trades.models import Instrument, IntegrityIssue, Position, PositionTrade, TouchedPair, Trade
from trades.positions import mark_all, recompute_touched
from trades.touched import mark, touched_pairs
from trades.worth import set_point_value

pytestmark = pytest.mark.django_db
TRUTH = json.loads((EXAMPLES / "expected.json").read_text())
GOOD = [name for name, truth in TRUTH.items() if "trades" in truth]


# --- The bundled files, against what was computed apart from this code


def sample(name: str) -> bytes:
    return (EXAMPLES / name).read_bytes()


def halves(name: str) -> list[bytes]:
    """The file as two, cut between two lines of the same second."""
    header, *lines = sample(name).splitlines(keepends=True)
    return [header + b"".join(some) for some in (lines[:3], lines[3:])]


def expected(name: str) -> dict[tuple[str, str], tuple]:
    return {
        (account, symbol): (
            Decimal(one["net_quantity"]),
            one["closed_positions"],
            Decimal(one["gross_pnl_of_closed"]),
        )
        for account, instruments in TRUTH[name]["accounts"].items()
        for symbol, one in instruments.items()
    }


def computed() -> dict[tuple[str, str], tuple]:
    """By account and instrument: net quantity, number of closed positions, their gross."""
    found: dict[tuple[str, str], tuple] = {}
    for one in Position.objects.select_related("account", "instrument"):
        key = (one.account.name, one.instrument.symbol)
        net, count, gross = found.get(key, (Decimal(0), 0, Decimal(0)))
        if one.status == Position.Status.CLOSED:
            count, gross = count + 1, gross + one.gross_pnl
        found[key] = (net + one.net_quantity, count, gross)
    return found


@pytest.mark.parametrize("name", GOOD)
def test_a_sample_gives_exactly_its_positions(take_in: TakeIn, name: str) -> None:
    take_in(sample(name), name)
    assert computed() == expected(name)
    assert not touched_pairs()


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_halves_give_the_same_in_any_order(take_in: TakeIn, name: str, order: tuple) -> None:
    for half in order:
        take_in(halves(name)[half], f"{half}.csv")
    assert computed() == expected(name)


@pytest.mark.parametrize("name", GOOD)
def test_a_rollback_and_the_import_again_give_the_same(take_in: TakeIn, name: str) -> None:
    first, second = (take_in(half, f"{half[:3]}.csv") for half in halves(name))
    before = whole_truth()
    roll_back(first)
    assert whole_truth() == from_nothing() != before
    take_in(halves(name)[0])
    assert whole_truth() == before
    roll_back(second)
    assert whole_truth() == from_nothing()


def test_both_samples_together_are_rebuilt_as_they_were(take_in: TakeIn) -> None:
    for name in GOOD:
        take_in(sample(name), name)
    assert whole_truth() == from_nothing()


def test_a_list_with_the_newest_on_top_gives_the_same(take_in: TakeIn) -> None:
    """Also where the platform tells no more than the minute, no number and no position."""
    day = [("Buy", 1, 35), ("Sell", 2, 35), ("Sell", 3, 36), ("Buy", 4, 36), ("Buy", 5, 36)]
    lines = [
        fill(ID="", Action=side, Price=f"{price}", Time=f"1/5/2026 6:{minute} AM")
        for side, price, minute in day
    ]
    oldest_first = take_in(file_of(*lines))
    before = whole_truth()
    roll_back(oldest_first)
    take_in(file_of(*reversed(lines)))
    assert whole_truth() == before
    assert Position.objects.closed().count() == 2


def test_commissions_add_up(take_in: TakeIn) -> None:
    for name in GOOD:
        take_in(sample(name), name)
    total = sum(Decimal(TRUTH[name]["commission"]) for name in GOOD)
    assert sum(Position.objects.values_list("commission", flat=True)) == total
    assert sum(PositionTrade.objects.values_list("commission", flat=True)) == total


# --- Arithmetic


def test_a_closed_position_says_all_there_is() -> None:
    (one,) = positions_of("B 2 100", "B 1 103", "S 1 110", "S 2 104")
    assert (one.direction, one.status, one.fills) == ("long", "closed", 4)
    assert (one.opened_at, one.closed_at) == (MORNING, MORNING + timedelta(minutes=3))
    assert (one.peak_quantity, one.open_quantity) == (3, 0)
    assert (one.entry_quantity, one.exit_quantity) == (3, 3)
    assert (one.average_entry, one.average_exit) == (101, 106)
    assert (one.gross_pnl, one.commission, one.net_pnl) == (30, 4, 26)
    assert (one.currency, one.average_open, one.net_quantity) == ("USD", None, 0)


def test_a_short_wins_when_the_price_falls() -> None:
    (one,) = positions_of("S 2 100", "B 2 90")
    assert (one.direction, one.gross_pnl) == ("short", 40)


def test_an_open_position_counts_what_was_exited() -> None:
    (one,) = positions_of("B 2 100", "S 1 110", "B 1 130")
    assert (one.status, one.closed_at, one.net_quantity) == ("open", None, 2)
    assert (one.gross_pnl, one.average_open, one.average_entry) == (20, 115, 110)


def test_an_open_short_has_a_sign() -> None:
    (one,) = positions_of("SS 3 100", "BC 1 90")
    assert (one.net_quantity, one.gross_pnl, one.average_open) == (-2, 20, 100)


def test_a_fill_that_reverses_is_in_two_positions() -> None:
    first, second = positions_of("B 1 100", "S 3 110", "B 2 100")
    assert (first.direction, first.gross_pnl) == ("long", 20)
    assert (second.direction, second.gross_pnl) == ("short", 40)
    assert first.closed_at == second.opened_at
    reversing = Trade.objects.get(quantity=3)
    shares = [(part.quantity, part.position_id) for part in reversing.parts.order_by("pk")]
    assert shares == [(1, first.pk), (2, second.pk)]


def test_its_commission_is_split_to_the_last_digit() -> None:
    trade("B 1 100")
    trade("S 3 110", commission=Decimal("1.00"))
    recompute_touched()
    assert [commission for *_, commission in parts()] == [
        1,
        Decimal("0.3333333333"),
        Decimal("0.6666666667"),
    ]


def test_thirds_of_a_price_do_not_spoil_the_sum() -> None:
    (one,) = positions_of("B 3 100", "B 4 101", "S 1 100", "S 3 101.5", "S 3 99.25")
    assert one.gross_pnl == 2 * (Decimal("100") + 3 * Decimal("101.5") + 3 * Decimal("99.25") - 704)


def test_the_largest_numbers_have_room() -> None:
    (one,) = positions_of("B 999999999999999 99999999999.9999", "S 999999999999999 1")
    assert one.gross_pnl == Decimal("-1.99999999998e26")


def test_small_coins_are_exact() -> None:
    (one,) = positions_of("B 0.0000000001 0.0000000003", "B 0.3 0.1", "S 0.3000000001 0.1")
    assert one.status == "closed"
    assert one.peak_quantity == Decimal("0.3000000001")


def test_a_point_of_unknown_worth_gives_an_unknown_result() -> None:
    mnq()
    Instrument.objects.update(point_value=None)
    (one,) = positions_of("B 1 100", "S 1 110")
    assert (one.gross_pnl, one.net_pnl, one.commission) == (None, None, 2)


def test_the_currency_is_the_account_s_where_the_instrument_has_none() -> None:
    mnq()
    account()
    Instrument.objects.update(currency="")
    account().__class__.objects.update(currency="EUR")
    assert [one.currency for one in positions_of("B 1 100")] == ["EUR"]


def test_sums_are_by_currency() -> None:
    positions_of("B 1 100", "S 1 110")
    euro = Instrument.objects.create(symbol="FDAX 03-26", kind="future", currency="EUR")
    positions_of("B 1 100", "S 1 110", instrument=euro)
    none = {"gross_pnl": None, "commission": None, "net_pnl": None}
    known = {"gross_pnl": 20, "commission": 2, "net_pnl": 18}
    assert Position.objects.totals() == [
        {"currency": "EUR", "positions": 1, "unknown": 1} | none,
        {"currency": "USD", "positions": 1, "unknown": 0} | known,
    ]


# --- The order of fills


def test_fills_of_one_moment_go_by_the_broker_s_number() -> None:
    for number in ("11", "9", "10"):
        trade("B 1 100 @0" if number == "9" else "S 1 110 @0", execution_id=number)
    recompute_touched()
    found = Trade.objects.filter(pk__in=[pk for pk, *_ in parts()])
    numbers = {one.pk: one.execution_id for one in found}
    assert [numbers[pk] for pk, *_ in parts()] == ["9", "10", "11"]


def test_fills_without_a_number_go_as_they_were_taken_in() -> None:
    made = [trade("B 1 100 @0"), trade("S 1 110 @0"), trade("S 1 111 @0"), trade("B 1 1 @0")]
    recompute_touched()
    assert [pk for pk, *_ in parts()] == [one.pk for one in made]
    assert Position.objects.count() == 2


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_what_the_broker_states_puts_fills_of_one_moment_in_order(order: tuple) -> None:
    same = [("S 1 110 @1", "-"), ("B 2 111 @1", "2 L"), ("S 3 112 @1", "1 S")]
    for words, states in [("B 1 100 @0", "1 L"), *(same[number] for number in order)]:
        trade(words, broker_position=states)
        recompute_touched()
    found = Position.objects.order_by("closed_at", "pk").values_list("direction", "gross_pnl")
    assert sorted(found) == [("long", 4), ("long", 20), ("short", 0)]
    assert not IntegrityIssue.objects.errors().exists()
    assert whole_truth() == from_nothing()


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_no_fill_is_left_behind_where_the_broker_s_words_lead_to_all(order: tuple) -> None:
    same = [
        ("B 1 100 @0", "1 L"),
        ("S 1 110 @0", "-"),
        ("B 1 100 @0", "1 L"),
        ("B 1 101 @0", "2 L"),
    ]
    for words, states in (same[number] for number in order):
        trade(words, broker_position=states)
    recompute_touched()
    found = Position.objects.values_list("fills", "gross_pnl", "open_quantity")
    assert sorted(found) == [(2, 0, 2), (2, 20, 0)]
    assert not IntegrityIssue.objects.errors().exists()


def test_a_broker_who_never_states_a_position_puts_nothing_in_order() -> None:
    trade("B 1 100 @0", broker_position="-")
    made = [trade("B 1 100 @1", broker_position="-"), trade("S 1 110 @1", broker_position="-")]
    recompute_touched()
    assert [pk for pk, *_ in parts()][1:] == [one.pk for one in made]


# --- What is kept


def note_all() -> dict[int, str]:
    for one in Position.objects.all():
        Position.objects.filter(pk=one.pk).update(notes=f"note {one.pk}", tags=[f"tag{one.pk}"])
    return dict(Position.objects.values_list("pk", "notes"))


DAY = ("B 1 100 @0", "S 1 110 @1", "S 2 100 @2", "B 2 90 @3", "B 1 100 @4")


def test_one_more_fill_leaves_the_others_alone() -> None:
    positions_of(*DAY)
    before = note_all()
    positions_of("S 1 105 @5", "B 1 100 @6")
    after = dict(Position.objects.values_list("pk", "notes"))
    assert before.items() < after.items()


def test_a_fill_in_the_middle_keeps_what_is_still_the_same() -> None:
    first, second, third = positions_of(*DAY)
    before = note_all()
    positions_of("B 1 95 @2.5", "S 1 100 @2.6")
    assert dict(Position.objects.values_list("pk", "notes")) == before
    assert whole_truth() == from_nothing()


def test_a_new_first_fill_keeps_the_row() -> None:
    (one,) = positions_of("B 1 100 @5")
    note_all()
    (after,) = positions_of("B 1 99 @4")
    assert (after.pk, after.notes, after.entry_quantity) == (one.pk, f"note {one.pk}", 2)


def test_of_two_that_become_one_nothing_written_is_lost() -> None:
    first, second = positions_of("B 1 100 @0", "S 1 110 @1", "B 1 100 @2")
    note_all()
    remove([Trade.objects.get(side="sell")])
    recompute_touched()
    one = Position.objects.get()
    assert one.pk == first.pk
    assert one.notes == f"note {first.pk}\n\nnote {second.pk}"
    assert one.tags == sorted([f"tag{first.pk}", f"tag{second.pk}"])


def test_a_deleted_and_restored_trade_gives_the_same() -> None:
    positions_of(*DAY)
    before = whole_truth()
    gone = Trade.objects.get(price=110)
    values = {"execution_id": gone.execution_id}
    remove([gone])
    recompute_touched()
    assert whole_truth() == from_nothing() != before
    positions_of("S 1 110 @1", **values)
    assert whole_truth() == before


def test_the_last_trade_takes_its_position_with_it() -> None:
    positions_of("B 1 100")
    remove(Trade.objects.all())
    recompute_touched()
    assert not Position.objects.exists()
    assert not PositionTrade.objects.exists()


def test_nothing_is_written_where_nothing_changed(django_assert_max_num_queries: object) -> None:
    positions_of(*DAY)
    mark_all()
    with CaptureQueriesContext(connection) as queries:
        recompute_touched()
    written = [one["sql"] for one in queries if one["sql"].startswith(("INSERT", "UPDATE"))]
    assert written == []


def test_one_more_fill_is_looked_at_from_the_last_flat_moment_on() -> None:
    positions_of(*DAY)
    looked_at: list[int] = []
    trade("B 1 101 @5")
    recompute_touched(on_progress=looked_at.append)
    assert looked_at == [2]


def test_a_reversal_is_as_good_as_flat() -> None:
    positions_of("B 1 100", "S 2 100", "B 2 100", "S 2 100", "B 2 100")
    looked_at: list[int] = []
    trade("S 2 100")
    recompute_touched(on_progress=looked_at.append)
    assert looked_at == [3]  # the rest of the last one, and two parts of this one
    assert whole_truth() == from_nothing()


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_slices_give_the_same_as_all_at_once(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    fills = [f"{side} {n % 3 + 1} {100 + n} @{n // 4}" for n, side in enumerate("BSSBSBBSSSBB" * 3)]
    positions_of(*fills)
    before, notes = whole_truth(), note_all()
    monkeypatch.setattr(positions, "SLICE", size)
    mark_all()
    recompute_touched()
    assert dict(Position.objects.values_list("pk", "notes")) == notes
    assert whole_truth() == before == from_nothing()


def test_what_takes_too_long_is_left_with_its_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions, "SLICE", 1)
    for words in DAY:
        trade(words)
    assert not recompute_touched(within=0)
    assert TouchedPair.objects.count() == 1
    assert Position.objects.count() == 1
    assert recompute_touched()
    assert whole_truth() == from_nothing()


def test_a_mark_of_a_pair_that_is_gone_goes(db: None) -> None:
    mark({(10**6, 10**6): MORNING})
    recompute_touched()
    assert not TouchedPair.objects.exists()


# --- What a point is worth


def test_positions_follow_the_point_value(adam: User, django_capture_on_commit_callbacks) -> None:
    positions_of("B 1 100", "S 1 110")
    note_all()
    with django_capture_on_commit_callbacks(execute=True):
        set_point_value(mnq(), Decimal("5"), adam)
    one = Position.objects.get()
    assert (one.gross_pnl, one.net_pnl, one.notes) == (50, 48, f"note {one.pk}")
    with django_capture_on_commit_callbacks(execute=True):
        set_point_value(mnq(), None, adam)
    assert Position.objects.get().gross_pnl is None


@pytest.mark.parametrize("value", [Decimal(0), Decimal(-2), Decimal("1e20")])
def test_a_point_is_worth_something(value: Decimal, adam: User) -> None:
    with pytest.raises(ValidationError):
        set_point_value(mnq(), value, adam)
    assert mnq().point_value == 2


# --- The command


def test_a_rebuild_mends_what_is_wrong(capsys: pytest.CaptureFixture) -> None:
    positions_of(*DAY)
    before, notes = whole_truth(), note_all()
    call_command("rebuild_positions", check=True)
    Position.objects.update(gross_pnl=1)
    PositionTrade.objects.order_by("pk").last().delete()
    with pytest.raises(CommandError, match="differences"):
        call_command("rebuild_positions", check=True)
    assert "gross pnl is 1, must be 20." in capsys.readouterr().out
    call_command("rebuild_positions")
    assert whole_truth() == before
    assert dict(Position.objects.values_list("pk", "notes")) == notes
    assert "3 positions of 1 instruments" in capsys.readouterr().out


def test_a_check_finds_what_is_missing_or_too_many(capsys: pytest.CaptureFixture) -> None:
    first, _, third = positions_of(*DAY)
    Position.objects.filter(pk=first.pk).delete()
    third.pk = None
    third.save()
    with pytest.raises(CommandError, match="2 differences"):
        call_command("rebuild_positions", check=True)
    told = capsys.readouterr().out
    assert "is missing." in told
    assert f"position {third.pk}, opened at" in told
    call_command("rebuild_positions")
    call_command("rebuild_positions", check=True)


def test_the_command_runs_as_it_is_typed() -> None:
    """Which looks at the whole installation first; call_command passes over that."""
    positions_of(*DAY)
    call_command("rebuild_positions", skip_checks=False)
    call_command("rebuild_positions", check=True, skip_checks=False)


def test_a_check_compares_issues(capsys: pytest.CaptureFixture) -> None:
    positions_of("BC 1 100", "S 1 100", "BC 2 100", "S 2 100")
    first, second = IntegrityIssue.objects.filter(kind="cover_without_short").order_by("pk")
    call_command("rebuild_positions", check=True)
    IntegrityIssue.objects.filter(pk=first.pk).update(message="something else")
    second.delete()
    with pytest.raises(CommandError, match="2 differences"):
        call_command("rebuild_positions", check=True)
    told = capsys.readouterr().out
    assert "the issue cover_without_short: something else must be the issue" in told
    assert "lacks the issue cover_without_short: Buy to cover 2 at 100 is told as an exit" in told
    call_command("rebuild_positions")
    second.pk, second.key = None, "exec-9"
    second.save()
    with pytest.raises(CommandError, match="1 differences"):
        call_command("rebuild_positions", check=True)
    assert "which is not found." in capsys.readouterr().out


def test_positions_of_some_trades_are_each_found_once() -> None:
    first, second, _ = positions_of(*DAY)
    chosen = Trade.objects.filter(price__in=[110, 90, 100], executed_at__lt=second.closed_at)
    assert set(Position.objects.of_trades(chosen)) == {first, second}


def test_a_tag_is_found_as_it_is_written() -> None:
    positions_of("B 1 100")
    Position.objects.update(tags=["Fomo", "a b"])
    assert [Position.objects.with_tag(tag).count() for tag in ("Fomo", "fomo", "a")] == [1, 0, 0]


def test_a_check_goes_by_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions, "SLICE", 1)
    positions_of("B 1 100", "S 2 100", "B 2 100", "S 2 100 @3", "B 1 100 @3", "B 1 100 @4")
    call_command("rebuild_positions", check=True)


def test_one_account_is_rebuilt_alone() -> None:
    positions_of("B 1 100")
    positions_of("B 1 100", account=account("Other"))
    Position.objects.update(fills=7)
    call_command("rebuild_positions", account="Other")
    found = dict(Position.objects.values_list("account__name", "fills"))
    assert found == {"Sim101": 7, "Other": 1}


def test_an_account_that_does_not_exist_is_said() -> None:
    with pytest.raises(CommandError, match="no account 'Nobody'"):
        call_command("rebuild_positions", account="Nobody")
