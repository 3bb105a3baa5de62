"""Real workers that work on batches, and are killed, cut off and raced while they do.

`--kills N` says how often; `bin/test --kills 100 tests/test_batches_crashes.py` is the long form.
"""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from batches.answers import INTERRUPTED
from batches.background import RUN
from batches.control import cancel
from batches.executors import EXECUTORS
from batches.models import Batch, BatchTrade
from batches.states import FINAL, Status
from joblogs import states
from joblogs.models import JobLog, Notice
from tests.batching import assert_true_to_its_trades, started
from tests.brokers import Knowing, Lenient, Strict, calls_in
from tests.processes import end_the_rest
from tests.test_worker_database import END_THE_OTHERS, Server, found, on_postgresql
from tests.workers import (
    attend_later,
    bury,
    hurry,
    kill_all,
    said,
    start_whole_workers,
    start_worker,
    until,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_process_left")]


@pytest.fixture(autouse=True)
def brokers(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (Strict, Lenient, Knowing):
        monkeypatch.setitem(EXECUTORS, kind.name, kind)


@pytest.fixture
def calls(tmp_path: Path) -> str:
    """The file of the calls."""
    return str(tmp_path / "calls.txt")


def all_final() -> bool:
    return not Batch.objects.exclude(status__in=FINAL).exists()


def go_on_until_final() -> None:
    """As if a minute passed again and again."""

    def attended() -> bool:
        attend_later()
        return all_final()

    until(attended)


def calls_go_on(calls: str) -> None:
    """Wait until some more have been made."""
    before = sum(calls_in(calls).values())
    until(lambda: sum(calls_in(calls).values()) > before + 3 or all_final())


def three_batches(calls: str, count: int) -> list[Batch]:
    """One that may be asked twice, one that may not, one that may not but knows."""
    wishes = {"executor_settings": {"path": calls, "rest_ms": 4}}
    return [
        started(count, executor="lenient", parallel=2, **wishes),
        started(count, executor="strict", parallel=4, priority=3, **wishes),
        started(count, executor="knowing", **wishes),
    ]


def assert_each_once(batches: list[Batch], calls: str) -> None:
    """Whatever happened: the books are right, and nothing was done twice that must not be."""
    made = calls_in(calls)
    lenient, strict, knowing = batches
    for batch in batches:
        assert_true_to_its_trades(batch)
        assert Notice.objects.filter(key=f"batch:{batch.pk}:1").count() == 1
    assert lenient.status == knowing.status == Status.SUCCESS
    assert all(made[f"{knowing.batch_uid}:{n}"] == 1 for n in range(1, knowing.total_trades + 1))
    rows = BatchTrade.objects.filter(batch=strict)
    for row in rows:
        times = made[f"{strict.batch_uid}:{row.sequence}"]
        assert times == 1 if row.status == "executed" else times <= 1
        assert row.error_message == ("" if row.status == "executed" else INTERRUPTED)


# --- kill -9


def test_killed_at_any_moment_they_execute_nothing_twice(round_of_kills: int, calls: str) -> None:
    """Each round kills a worker three times; on PostgreSQL another one works beside it."""
    chance = random.Random(round_of_kills)
    batches = three_batches(calls, 40)
    beside = {"slice": 1, "queue": {"workers": 1, "queue_limit": 1}}
    workers = [start_worker(**beside) for _ in range(2 if connection.vendor == "postgresql" else 1)]
    for _ in range(3):
        calls_go_on(calls)
        time.sleep(chance.random() / 4)
        kill_all(workers.pop(0))
        attend_later()
        workers.append(start_worker(**beside))
    go_on_until_final()
    assert_each_once(batches, calls)
    bury()
    # A bell that was rung twice may begin one more, which finds nothing to do.
    until(lambda: not JobLog.objects.filter(job=RUN, status__in=states.ACTIVE).exists())


def test_one_that_kills_every_worker_is_given_up_and_the_others_go_on(calls: str) -> None:
    names = {3: "die"}
    values = {"values": lambda sequence: {"trade_name": names.get(sequence, "")}}
    wishes = {"executor_settings": {"path": calls}}
    lenient = started(30, executor="lenient", parallel=3, **wishes, **values)
    strict = started(5, executor="strict", **wishes, **values)
    worker = start_worker()
    go_on_until_final()
    for batch in (lenient, strict):
        assert_true_to_its_trades(batch)
        assert (batch.status, batch.failed_trades) == (Status.PARTIAL_SUCCESS, 1)
    guilty = BatchTrade.objects.filter(sequence=3).order_by("batch_id")
    assert [*guilty.values_list("error_message", flat=True)] == [
        "Interrupted 3 times: it ends its worker.",
        INTERRUPTED,
    ]
    assert calls_in(calls)[f"{strict.batch_uid}:3"] == 1
    assert worker.poll() is None


# --- The database goes away


@on_postgresql
def test_connections_that_are_ended_again_and_again_cost_nothing(calls: str) -> None:
    workers = start_whole_workers(2, slice=1)
    batches = three_batches(calls, 40)
    for _ in range(4):
        calls_go_on(calls)
        with connection.cursor() as cursor:
            cursor.execute(END_THE_OTHERS)
        attend_later()
    go_on_until_final()
    assert_each_once(batches, calls)
    assert [worker.poll() for worker in workers] == [None, None]


@pytest.fixture
def own_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that can be restarted; this process and its workers use it in place of the other."""
    if not found("initdb"):
        pytest.skip("there is no initdb to make a server with")
    one = Server(tmp_path / "server.txt")
    one.control("start")
    there = {"NAME": "postgres", "USER": "postgres", "HOST": "127.0.0.1", "PORT": str(one.port)}
    try:
        connection.close()
        with monkeypatch.context() as instead:
            for name, value in there.items():
                instead.setitem(connection.settings_dict, name, value)
            call_command("migrate", verbosity=0)
            yield one
            end_the_rest()
            connection.close()
    finally:
        one.control("stop")
        one.remove()


@on_postgresql
def test_a_server_that_is_restarted_again_and_again_costs_nothing(
    own_server: Server, calls: str
) -> None:
    workers = start_whole_workers(2, slice=1)
    batches = three_batches(calls, 40)
    for _ in range(3):
        calls_go_on(calls)
        own_server.control("restart")  # as by a crash: it has to recover
        connection.close()
        attend_later()
    go_on_until_final()
    assert_each_once(batches, calls)
    assert [worker.poll() for worker in workers] == [None, None]


# --- Not killed, and stopped all the same


def test_a_running_batch_is_cancelled_by_a_user(calls: str) -> None:
    wishes = {"executor_settings": {"path": calls, "rest_ms": 100}, "parallel": 2}
    batch = started(2_000, executor="strict", **wishes)
    start_worker()
    calls_go_on(calls)
    cancel(batch)
    until(all_final)
    assert_true_to_its_trades(batch)
    assert batch.status == Status.CANCELLED
    assert 0 < batch.executed_trades < 2_000
    assert batch.executed_trades == len(calls_in(calls))
    until(lambda: not JobLog.objects.filter(status__in=states.ACTIVE).exists())
    assert said() == ""


def test_slices_let_an_urgent_batch_pass_a_long_one(calls: str) -> None:
    wishes = {"executor_settings": {"path": calls, "rest_ms": 200}}
    long = started(40, executor="strict", **wishes)
    start_worker(slice=0.1, queue={"workers": 1, "queue_limit": 1})
    calls_go_on(calls)
    urgent = started(1, priority=1)
    until(lambda: Batch.objects.get(pk=urgent.pk).is_completed)
    hurry()
    until(all_final)
    long.refresh_from_db()
    urgent.refresh_from_db()
    assert urgent.completed_at < long.completed_at
    assert_true_to_its_trades(long)
    assert long.status == Status.SUCCESS
    assert said() == ""
