"""Issues: what does not fit together in the fills of a position, and what a user says to it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from imports.rollback import roll_back
from tests.conftest import EXAMPLES, TakeIn, file_of, fill, person
from tests.fills import (
    MORNING,
    account,
    from_nothing,
    positions_of,
    remove,
    trade,
    whole_truth,
)
from trades.integrity import session_end
from trades.issues import KINDS
from trades.models import Account, Instrument, IntegrityIssue, Trade
from trades.positions import recompute_touched
from trades.stated import stated_position

pytestmark = pytest.mark.django_db
NOTICE = "not_flat_at_session_end"


def stated(*fills: str) -> list[tuple[str, str]]:
    """The kinds and execution ids of the errors in fills like `B 2 100 = 2 L`."""
    for words in fills:
        order, _, broker = words.partition(" = ")
        trade(order, broker_position=broker)
    recompute_touched()
    assert whole_truth() == from_nothing()
    return errors()


def errors() -> list[tuple[str, str]]:
    return list(IntegrityIssue.objects.errors().order_by("pk").values_list("kind", "key"))


# --- The broker's own position


def test_a_broker_who_agrees_raises_no_issue() -> None:
    assert stated("B 2 100 = 2 L", "S 3 100 = 1 S", "B 1 100 = -") == []


def test_a_position_from_before_the_log_is_an_issue() -> None:
    assert stated("B 2 100 = 5 L", "S 1 100 = 4 L") == [("broker_position", "exec-0")]


def test_a_missing_fill_is_a_gap_between_two() -> None:
    assert stated("B 2 100 = 2 L", "B 1 100 = 4 L", "S 1 100 = 3 L") == [("gap", "exec-1")]
    issue = IntegrityIssue.objects.get(kind="gap")
    assert issue.trade_ids == list(Trade.objects.order_by("pk").values_list("pk", flat=True)[:2])
    assert issue.detail["broker"] == "4"
    assert issue.detail["ours"] == "3"
    assert issue.message == (
        "After buy 1 at 100 the broker states 4 long; from the fill before, 3 long would follow."
    )


def test_a_gap_that_makes_it_right_again_says_what_would_follow() -> None:
    stated("B 2 100 = 2 L", "B 1 100 = 9 L", "B 1 100 = 4 L")
    assert IntegrityIssue.objects.get(kind="gap", trade__execution_id="exec-2").message == (
        "After buy 1 at 100 the broker states 4 long; from the fill before, 10 long would follow, "
        "and ours is 4 long."
    )


def test_an_account_of_which_the_platform_knows_nothing_is_not_held_to_it() -> None:
    assert stated("B 2 100 = -", "B 1 100 = -", "S 3 100 = -") == []


def test_fills_of_one_moment_may_have_come_in_another_order() -> None:
    assert stated("B 1 100 @0 = 2 L", "B 1 100 @0 = 1 L", "S 2 100 @1 = -") == []


def test_a_file_without_the_column_is_in_order() -> None:
    assert stated("B 2 100", "S 2 100") == []


def test_where_nothing_fits_few_issues_say_so() -> None:
    wrong = stated(*[f"B 1 100 = {n * n + 3} L" for n in range(20)])
    assert len(wrong) == 5


@pytest.mark.parametrize(
    ("text", "net"),
    [
        *[("2 L", 2), ("3 S", -3), ("-", 0), ("-2", -2), ("0.5 L", "0.5"), ("", None)],
        *[("2L", 2), ("+2", 2), ("3 s", -3), ("2 Long", 2), ("0,5 L", "0.5")],
        *[("0.125 S", "-0.125"), ("2,25", "2.25")],
        *[("10000 L", 10_000), ("1.000 L", None), ("1,000", None), ("flat?", None), ("2 X", None)],
    ],
)
def test_what_the_column_says(text: str, net: object) -> None:
    assert stated_position(text) == (None if net is None else Decimal(net))


# --- Exits of what was not held


def test_an_exit_of_nothing_is_an_issue() -> None:
    trade("S 1 100", entry_exit="Exit")
    trade("B 1 100", entry_exit="Exit")
    trade("B 1 100", entry_exit="Exit")
    recompute_touched()
    assert errors() == [("sell_without_long", "exec-0"), ("cover_without_short", "exec-2")]


def test_an_exit_that_reverses_is_in_order() -> None:
    trade("B 1 100", entry_exit="Entry")
    trade("S 3 100", entry_exit="Exit")
    recompute_touched()
    trade("S 1 100", entry_exit="Entry")
    recompute_touched()
    assert errors() == []


def test_a_plain_sale_may_open_a_short() -> None:
    assert stated("S 1 100", "B 1 100") == []


def test_but_not_where_short_sales_are_told_apart() -> None:
    told = stated("S 1 100", "B 1 100", "SS 1 100", "BC 1 100", "S 1 100", "B 1 100")
    assert told == [("sell_without_long", "exec-4")]


def test_a_sale_of_more_than_was_held_is_one_there() -> None:
    told = stated("SS 1 100", "BC 1 100", "B 1 100", "S 3 100")
    assert told == [("sell_without_long", "exec-3")]
    assert "less was held" in IntegrityIssue.objects.get(key="exec-3", kind=told[0][0]).message


def test_a_cover_of_nothing_is_always_an_issue() -> None:
    assert stated("BC 1 100") == [("cover_without_short", "exec-0")]


def test_half_a_file_shows_what_is_missing(take_in: TakeIn) -> None:
    header, *lines = (EXAMPLES / "ninjatrader-us.csv").read_bytes().splitlines(keepends=True)
    take_in(header + b"".join(lines[20:]), "half.csv")
    assert {kind for kind, _ in errors()} >= {"broker_position", "sell_without_long"}
    take_in(header + b"".join(lines[:20]), "rest.csv")
    assert errors() == []


# --- The end of the session


def test_what_is_held_over_the_end_of_the_session_is_a_notice() -> None:
    positions_of("B 1 100", "B 1 100 @600", "S 2 100 @601", "B 1 100 @602", "S 1 100 @603")
    issue = IntegrityIssue.objects.get()
    assert (issue.kind, issue.key, KINDS[issue.kind].is_error) == (NOTICE, "exec-0", False)
    assert issue.shows_from == datetime(2026, 1, 5, 22, tzinfo=UTC)


def test_what_is_open_is_one_as_soon_as_the_session_is_over() -> None:
    now = datetime.now(UTC)
    positions_of("B 1 100", executed_at=now)
    assert IntegrityIssue.objects.get().shows_from == session_end(now) > now
    assert not IntegrityIssue.objects.standing().exists()
    IntegrityIssue.objects.update(shows_from=now)
    assert IntegrityIssue.objects.standing().exists()


def test_coins_have_no_session() -> None:
    coin = Instrument.objects.create(symbol="BTCUSD", root="BTCUSD", kind="crypto")
    positions_of("B 1 100", instrument=coin)
    assert not IntegrityIssue.objects.exists()


def test_a_session_ends_at_17_in_new_york() -> None:
    assert session_end(datetime(2026, 7, 1, 21, tzinfo=UTC)).hour == 21
    assert session_end(datetime(2026, 7, 1, 21, 0, 1, tzinfo=UTC)).day == 2
    assert session_end(MORNING) == datetime(2026, 1, 5, 22, tzinfo=UTC)


# --- How long an issue lives


def test_an_issue_that_is_mended_goes() -> None:
    stated("B 2 100 @0 = 2 L", "B 1 100 @2 = 4 L")
    trade("B 1 100 @1", broker_position="3 L")
    recompute_touched()
    assert errors() == []


def test_an_issue_keeps_its_row_and_its_dismissal(adam: User) -> None:
    stated("B 2 100 = 5 L", "S 2 100 = 3 L")
    issue = IntegrityIssue.objects.get(kind="broker_position")
    IntegrityIssue.objects.dismiss(adam, "moved from another broker")
    positions_of("B 1 100 @-1", "S 1 100 @-1")
    issue.refresh_from_db()
    assert (issue.dismissed_by, issue.dismissal_reason) == (adam, "moved from another broker")
    assert not IntegrityIssue.objects.standing().errors().exists()


def test_a_dismissal_outlives_a_rollback_and_the_import_again(take_in: TakeIn) -> None:
    content = file_of(fill(Position="5 L"), fill(ID="exec-2", Time="1/5/2026 6:35:04 AM"))
    log = take_in(content)
    IntegrityIssue.objects.dismiss(None, "known")
    roll_back(log)
    assert IntegrityIssue.objects.errors().get().resolved_at
    take_in(content)
    issue = IntegrityIssue.objects.errors().get()
    assert (issue.resolved_at, issue.dismissal_reason) == (None, "known")
    assert issue.trade.execution_id == "exec-1"
    assert issue.position_id is not None


def test_an_issue_goes_with_its_trades() -> None:
    stated("B 2 100 = 5 L")
    remove(Trade.objects.all())
    recompute_touched()
    assert not IntegrityIssue.objects.exists()


# --- In the admin

ISSUES = reverse("admin:trades_integrityissue_changelist")


def act(client: Client, action: str, reason: str = "") -> None:
    chosen = IntegrityIssue.objects.values_list("pk", flat=True)
    wanted = {"action": action, "_selected_action": list(chosen), "reason": reason}
    client.post(ISSUES, wanted)


def test_who_may_dismiss_does_so_in_the_list(client: Client) -> None:
    stated("B 2 100 = 5 L")
    client.force_login(person("ina", "view_integrityissue", "dismiss_issue"))
    act(client, "dismiss_selected")
    assert not IntegrityIssue.objects.exclude(dismissed_at=None).exists()
    act(client, "dismiss_selected", "moved in")
    issue = IntegrityIssue.objects.errors().get()
    assert (issue.dismissed_by.username, issue.dismissal_reason) == ("ina", "moved in")
    assert issue.dismissed_at - datetime.now(UTC) < timedelta(minutes=1)
    act(client, "restore_selected")
    issue.refresh_from_db()
    assert (issue.dismissed_at, issue.dismissed_by) == (None, None)


def test_who_only_looks_dismisses_nothing(client: Client, vera: User) -> None:
    stated("B 2 100 = 5 L")
    client.force_login(vera)
    act(client, "dismiss_selected", "none of my business")
    assert not IntegrityIssue.objects.exclude(dismissed_at=None).exists()


@pytest.mark.parametrize(("state", "count"), [("standing", 1), ("dismissed", 1), ("", 2)])
def test_the_list_is_filtered_by_state(client: Client, vera: User, state: str, count: int) -> None:
    stated("B 2 100 = 5 L")
    IntegrityIssue.objects.filter(kind=NOTICE).dismiss(vera)
    client.force_login(vera)
    response = client.get(ISSUES, {"state": state} if state else {})
    assert len(response.context["cl"].result_list) == count


# --- Whose word is heeded


# Of two fills, flat to flat, after each of which nothing is said to be held.
BOTH = [("broker_position", "exec-0"), ("gap", "exec-1")]


def aapl() -> Instrument:
    return Instrument.objects.get_or_create(
        symbol="AAPL", defaults={"root": "AAPL", "kind": "stock", "currency": "USD"}
    )[0]


def test_a_broker_who_states_something_anywhere_in_an_account_is_heeded_in_all_of_it() -> None:
    assert stated("B 2 100 = -", "S 2 100 = -") == []
    trade("B 1 50", instrument=aapl(), broker_position="1 L")
    recompute_touched()
    assert errors() == BOTH
    assert whole_truth() == from_nothing()


def test_but_not_in_another_account() -> None:
    stated("B 2 100 = -", "S 2 100 = -")
    trade("B 1 50", account=account("Live-7"), broker_position="1 L")
    recompute_touched()
    assert errors() == []


def test_nor_for_longer_than_it_states_something() -> None:
    stated("B 2 100 = -", "S 2 100 = -")
    only = trade("B 1 50", instrument=aapl(), broker_position="1 L")
    recompute_touched()
    assert errors() == BOTH
    remove([only])
    recompute_touched()
    assert errors() == []
    assert not Account.objects.get().states_positions
    assert whole_truth() == from_nothing()


def test_earlier_positions_are_looked_at_anew_when_the_broker_begins_to_state() -> None:
    assert stated("B 2 100 = -", "S 2 100 = -") == []
    assert stated("B 1 100 = 1 L") == BOTH
    assert stated("S 1 100 = -", "B 1 100 = -") == [*BOTH, ("broker_position", "exec-4")]
