"""Positions when processes are killed between the change of trades and the recompute, or race.

All of it with real processes. What the dead leave is taken up as the minute's job does.
"""

import random
import signal
from datetime import timedelta

import pytest
from django.utils import timezone

from imports.models import ImportExecutionLog
from imports.recomputing import recompute_positions, waiting_accounts
from imports.rollback import roll_back
from imports.running import run_import
from imports.states import ACTIVE, Status
from joblogs.queueing import waiting
from joblogs.running import start
from joblogs.states import Status as JobStatus
from joblogs.states import Trigger
from tests.fills import from_nothing, whole_truth
from tests.processes import drive, expire_lease, go
from tests.test_crashes import queue, run, some_lines
from trades.models import Position, PositionTrade, TouchedPair, Trade
from trades.positions import mark_all, recompute_touched

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_process_left")]

LINES = 200


def an_hour_later() -> None:
    """Long enough for the minute's job to look at what waits."""
    past = timezone.now() - timedelta(hours=1)
    TouchedPair.objects.update(created_at=past)


def take_up(log: ImportExecutionLog) -> None:
    """What the workers do after a death: go on with the import, then with the positions."""
    log.refresh_from_db()
    if log.status in ACTIVE:
        run(log)
    if log.status == Status.ROLLING_BACK:
        expire_lease(log)
        roll_back(log)
    an_hour_later()
    for account_id in list(waiting_accounts()):
        recompute_positions(account_id)


def assert_right() -> None:
    assert not TouchedPair.objects.exists()
    assert whole_truth() == from_nothing()


@pytest.mark.parametrize("seed", range(2))
def test_an_import_killed_anywhere_gets_its_positions(seed: int) -> None:
    chance = random.Random(seed)
    log = queue(some_lines(seed, LINES))
    moment = chance.choice(["before", "after"])
    # About 60 statements until the end of the import; the rest is of the positions.
    (died,) = go(drive("import", log, die_at=chance.randint(20, 200), moment=moment))
    assert died.status == -signal.SIGKILL, died.err
    take_up(log)
    assert_right()


@pytest.mark.parametrize("seed", range(2))
def test_a_rollback_killed_anywhere_gets_its_positions(seed: int) -> None:
    chance = random.Random(seed)
    run(queue(some_lines(seed + 100, LINES), "other.csv"))
    log = run(queue(some_lines(seed, LINES)))
    (died,) = go(drive("rollback", log, die_at=chance.randint(10, 150)))
    assert died.status == -signal.SIGKILL, died.err
    take_up(log)
    assert_right()


def test_a_death_between_the_change_and_the_recompute_leaves_the_marks() -> None:
    log = queue(some_lines(1, LINES))
    run_import(log.pk, with_positions=False)
    (died,) = go(drive("recompute", log, die_at=2))
    assert died.status == -signal.SIGKILL, died.err
    assert TouchedPair.objects.exists()
    assert not Position.objects.exists()
    take_up(log)
    assert Position.objects.exists()
    assert_right()


def test_a_recompute_killed_amid_a_pair_is_done_by_the_next() -> None:
    log = queue(some_lines(2, LINES))
    run_import(log.pk, with_positions=False)
    (died,) = go(drive("recompute", log, chunk=10, die_at=33))
    assert died.status == -signal.SIGKILL, died.err
    take_up(log)
    assert_right()


def test_two_recomputes_at_once_are_as_one() -> None:
    log = run(queue(some_lines(3, LINES)))
    truth, numbers = whole_truth(), set(Position.objects.values_list("pk", flat=True))
    Position.objects.update(fills=0)
    mark_all()
    racers = go(*[drive("recompute", log, chunk=7) for _ in range(2)])
    assert [one.status for one in racers] == [0, 0], racers
    assert whole_truth() == truth
    assert set(Position.objects.values_list("pk", flat=True)) == numbers


def test_recomputes_beside_an_import_leave_nothing_behind() -> None:
    run(queue(some_lines(4, LINES), "first.csv"))
    log = queue(some_lines(5, LINES), "second.csv")
    mark_all()
    racers = [drive("import", log, chunk=40), *[drive("recompute", log, chunk=7) for _ in range(2)]]
    assert [one.status for one in go(*racers)] == [0, 0, 0]
    recompute_touched()
    assert_right()
    of_trades = PositionTrade.objects.values_list("trade", flat=True)
    assert set(of_trades) == set(Trade.objects.values_list("pk", flat=True))


# --- What the minute's job finds


def test_fresh_marks_are_left_to_who_made_them() -> None:
    run_import(queue(some_lines(6, 50)).pk, with_positions=False)
    assert list(waiting_accounts()) == []
    an_hour_later()
    accounts = set(Trade.objects.values_list("account_id", flat=True))
    assert set(waiting_accounts()) == accounts
    assert {("recompute_positions", pk) for pk in accounts} <= set(waiting())


def test_an_account_that_is_worked_on_does_not_wait() -> None:
    run_import(queue(some_lines(6, 50)).pk, with_positions=False)
    an_hour_later()
    busy = TouchedPair.objects.first().account_id
    log = start("recompute_positions", trigger=Trigger.SCHEDULE, subject_id=busy)
    type(log).objects.update(status=JobStatus.PROCESSING)
    assert busy not in waiting_accounts()
