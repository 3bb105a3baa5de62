"""Two who want the same of a batch at the same moment: one wins, the other is told.

In threads, each with a connection of its own, again and again.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
from django.db import connection

from batches.claims import claim
from batches.control import cancel, delete, retry, set_priority, start, undo
from batches.executors import EXECUTORS
from batches.models import Batch, BatchTrade
from batches.running import run_batch
from batches.states import StateConflict, Status
from joblogs.models import JobLog
from tests.batching import assert_true_to_its_trades, stage, started, work_off
from tests.brokers import Strict, calls_in
from tests.processes import PATIENCE
from trades.models import Trade

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 4
CONFLICT = "conflict"


def race(*deeds: Callable[[], object]) -> list[object]:
    """Do all of them at once; what each came to: CONFLICT, or what it gave."""
    line = Barrier(len(deeds))

    def run(deed: Callable[[], object]) -> object:
        try:
            connection.ensure_connection()
            line.wait(PATIENCE)
            return deed()
        except StateConflict:
            return CONFLICT
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as threads:
        return list(threads.map(run, deeds))


def fresh(batch: Batch) -> Batch:
    """The same batch as another process would have read it."""
    return Batch.objects.get(pk=batch.pk)


def conflicts(answers: list[object]) -> int:
    return answers.count(CONFLICT)


def ended(count: int = 3, bad: int = 1) -> Batch:
    batch = started(count, bad=bad)
    work_off()
    return fresh(batch)


@pytest.mark.parametrize(
    ("deed", "make"),
    [
        (start, lambda: stage(2)),
        (cancel, lambda: started(2)),
        (retry, ended),
        (undo, ended),
        (delete, ended),
    ],
)
def test_what_is_wanted_twice_is_done_once(
    deed: Callable[[Batch], Batch], make: Callable[[], Batch]
) -> None:
    for _ in range(ROUNDS):
        batch = make()
        bells = JobLog.objects.count()
        answers = race(*(partial(deed, fresh(batch)) for _ in range(3)))
        assert conflicts(answers) == 2
        assert JobLog.objects.count() - bells <= 1
        work_off()
        Batch.objects.update(undo_requested=False)


@pytest.mark.parametrize(
    ("one", "other", "make"),
    [
        (retry, undo, ended),
        (delete, retry, ended),
        (delete, start, lambda: stage(2)),
        (delete, undo, ended),
    ],
)
def test_of_two_that_exclude_each_other_one_is_done(
    one: Callable[[Batch], Batch], other: Callable[[Batch], Batch], make: Callable[[], Batch]
) -> None:
    for _ in range(ROUNDS):
        batch = make()
        answers = race(partial(one, fresh(batch)), partial(other, fresh(batch)))
        assert conflicts(answers) == 1
        Batch.objects.all().delete()


def test_a_start_against_a_cancel_leaves_it_cancelled() -> None:
    for _ in range(ROUNDS):
        batch = stage(2)
        answers = race(partial(start, fresh(batch)), partial(cancel, fresh(batch)))
        assert answers[1] != CONFLICT
        work_off()
        assert_true_to_its_trades(batch)
        assert batch.status == Status.CANCELLED


def test_a_retry_against_a_cancel_is_first_or_alone() -> None:
    for _ in range(ROUNDS):
        batch = ended()
        retried, cancelled = race(partial(retry, fresh(batch)), partial(cancel, fresh(batch)))
        assert retried != CONFLICT
        assert_true_to_its_trades(batch)
        expected = Status.PENDING if cancelled == CONFLICT else Status.CANCELLED
        assert batch.status == expected
        work_off()


def test_a_cancel_against_the_end_is_done_or_refused() -> None:
    for _ in range(ROUNDS):
        batch = started(3)
        ran, cancelled = race(run_batch, partial(cancel, fresh(batch)))
        work_off()
        assert_true_to_its_trades(batch)
        expected = Status.SUCCESS if cancelled == CONFLICT else Status.CANCELLED
        assert batch.status == expected


def test_a_priority_that_changes_while_it_is_claimed_is_kept() -> None:
    for _ in range(ROUNDS):
        batch = started(1)
        claimed, changed = race(claim, partial(set_priority, fresh(batch), 2))
        assert claimed.pk == batch.pk
        assert changed != CONFLICT
        batch.refresh_from_db()
        assert (batch.priority, batch.owner) == (2, claimed.owner)
        Batch.objects.update(owner="")
        work_off()


def test_of_many_who_claim_one_batch_one_gets_it() -> None:
    for _ in range(ROUNDS):
        started(1)
        claimed = race(claim, claim, claim, claim)
        assert len([one for one in claimed if one]) == 1
        Batch.objects.update(owner="")
        work_off()


def test_of_many_who_claim_as_many_batches_each_gets_one() -> None:
    for _ in range(ROUNDS):
        batches = {started(1).pk for _ in range(3)}
        assert {one.pk for one in race(claim, claim, claim)} == batches
        Batch.objects.update(owner="")
        work_off()


def test_many_workers_execute_each_trade_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(EXECUTORS, "strict", Strict)
    calls = str(tmp_path / "calls.txt")
    wishes = {"executor_settings": {"path": calls}, "parallel": 3}
    batches = [started(40, executor="strict", **wishes) for _ in range(3)]
    race(*[run_batch] * 4)
    work_off()
    for batch in batches:
        assert_true_to_its_trades(batch)
        assert batch.status == Status.SUCCESS
    assert sorted(calls_in(calls).values()) == [1] * 120
    assert Trade.objects.count() == BatchTrade.objects.count() == 120
