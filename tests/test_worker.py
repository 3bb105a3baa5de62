"""What real workers do with imports, and what is left of it when they are killed.

`--kills N` says how often they are; `bin/test --kills 100 tests/test_worker.py` is the long form.
"""

import random
import time
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from django_q.models import OrmQ, Task

from imports.background import start_import, start_rollback
from imports.cancel import cancel
from imports.models import ImportedExecution, ImportExecutionLog
from imports.states import Status
from joblogs import states
from joblogs.models import JobLog
from joblogs.queueing import ANSWER
from joblogs.states import Trigger
from tests.conftest import file_of, fill
from tests.processes import PATIENCE, end, start
from tests.test_crashes import queue, some_lines, undisturbed, whole_truth
from tests.workers import (
    attend_later,
    bury,
    gets_on,
    has_ended,
    hurry,
    kill_all,
    kill_the_busy,
    said,
    start_worker,
    until,
)
from trades.models import Trade

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_process_left")]


def ring(lines: list[str], name: str = "fills.csv") -> ImportExecutionLog:
    log = queue(lines, name)
    start_import(log, Trigger.MANUAL)
    return log


def go_on_until_ended(*logs: ImportExecutionLog) -> None:
    """As if a minute passed again and again."""

    def attended() -> bool:
        attend_later()
        return all(map(has_ended, logs))

    until(attended)


def test_a_worker_takes_in_a_file_and_writes_down_how(tmp_path: Path) -> None:
    lines = some_lines(seed=1)
    truth = undisturbed(lines)
    ImportExecutionLog.objects.all().delete()
    path = tmp_path / "fills.csv"
    path.write_text(file_of(*lines), newline="")
    start_worker()
    command = end(start("manage.py", "import_csv", str(path), "--timezone", "UTC", "--background"))
    assert (command.status, command.err) == (0, "")
    log = ImportExecutionLog.objects.get()
    until(lambda: JobLog.objects.get().finished_at)
    assert whole_truth(log) == truth
    job = JobLog.objects.get()
    assert (job.status, job.trigger, job.error) == ("success", "command", "")
    assert job.result["lines"] == len(lines) == log.total_rows
    assert job.details.get(message__contains="fills.csv")  # on a busy machine others beside it
    assert said() == ""


# --- kill -9


def test_killed_at_any_moment_they_lose_and_double_nothing(round_of_kills: int) -> None:
    """Each round kills an import twice and its rollback once."""
    chance = random.Random(round_of_kills)
    lines = some_lines(seed=round_of_kills, count=3_000)
    truth = undisturbed(lines)
    log = ring(lines)
    for _ in range(2):
        work_until_killed(log, chance)
    start_worker(chunk=50)
    until(lambda: has_ended(log))
    assert whole_truth(log) == truth
    start_rollback(log, None, Trigger.MANUAL)
    work_until_killed(log, chance)
    start_worker(chunk=50)
    until(lambda: has_ended(log))
    assert log.status == Status.ROLLED_BACK
    assert not Trade.objects.exists()
    assert not ImportedExecution.objects.exists()
    bury()
    attend_later()
    until(lambda: not JobLog.objects.filter(status__in=states.ACTIVE).exists())


def work_until_killed(log: ImportExecutionLog, chance: random.Random) -> None:
    """Start a worker; at some moment, often in the middle, kill all of it; start again."""
    worker = start_worker(chunk=50)
    if chance.random() < 0.8:
        before = ImportExecutionLog.objects.get(pk=log.pk).lease_until
        begun = ImportExecutionLog.objects.exclude(lease_until=before).filter(pk=log.pk).exists
        until(lambda: begun() or has_ended(log))  # also before the last kill
    time.sleep(chance.random() / 2)
    kill_all(worker)
    attend_later()


def test_a_pool_process_killed_at_work_is_replaced_and_its_import_goes_on() -> None:
    lines = some_lines(seed=21)
    truth = undisturbed(lines)
    worker = start_worker(chunk=50, rest=0.5)
    log = ring(lines)
    for _ in range(2):
        until(gets_on(log))
        kill_the_busy(log)
        attend_later()
    hurry()
    go_on_until_ended(log)
    assert whole_truth(log) == truth
    assert worker.poll() is None
    bury()
    assert JobLog.objects.filter(status="error", error__startswith="abandoned").count() == 2
    until(lambda: not JobLog.objects.filter(status__in=states.ACTIVE).exists())
    OrmQ.objects.update(lock=timezone.now() - timedelta(hours=1))  # now the queue rings again
    until(lambda: not OrmQ.objects.exists())
    assert JobLog.objects.filter(details__message__startswith="The bell was rung once more")
    assert whole_truth(log) == truth


def test_idle_processes_of_a_pool_may_be_killed_and_are_replaced() -> None:
    worker = start_worker(queue={"workers": 2, "queue_limit": 2})
    first = ring(some_lines(seed=6, count=100))
    until(lambda: has_ended(first) and saved_tasks() == 1)
    sentinel = psutil.Process(worker.pid).children()[0]
    pool = sentinel.children()
    for process in pool:
        process.kill()
    until(lambda: len(set(sentinel.children()) - set(pool)) == len(pool) == 4)
    second = ring(some_lines(seed=7, count=100))
    until(lambda: has_ended(second) and saved_tasks() == 2)


def saved_tasks() -> int:
    """Those whose end the queue has heard of."""
    return Task.objects.filter(func=ANSWER).count()


def test_a_file_that_kills_its_worker_is_given_up_and_the_others_go_on() -> None:
    good = [[fill(ID=f"good-{number}")] for number in range(2)]
    bad = [fill(ID=f"bad-{number}") for number in range(300)]
    bad[250] = fill(ID="bad-250", Name="poison")
    worker = start_worker()
    poisoned, *others = ring(bad, "bad.csv"), *map(ring, good)
    go_on_until_ended(poisoned, *others)
    poisoned.refresh_from_db()
    assert poisoned.status == Status.FAILED
    assert "interrupted 3 times" in poisoned.error_summary
    assert poisoned.total_rows == poisoned.success_rows == 200
    assert {log.status for log in others} == {Status.SUCCESS}
    assert worker.poll() is None
    bury()
    jobs = JobLog.objects.filter(subject_id=poisoned.pk)
    assert jobs.filter(status="error", error__startswith="abandoned").count() == 3


# --- Not killed, and stopped all the same


def test_a_running_import_is_cancelled_by_a_user(olga: User) -> None:
    start_worker(chunk=50, rest=0.5)
    log = ring(some_lines(seed=23))
    until(gets_on(log))
    cancel(log, olga)
    until(lambda: JobLog.objects.get().finished_at)
    log.refresh_from_db()
    assert log.status == Status.CANCELLED
    assert log.total_rows == log.cursor == log.row_logs.count() < 2_000
    assert log.success_rows == Trade.objects.count() > 0
    job = JobLog.objects.get()
    assert (job.status, job.result["status"], job.error) == ("success", "cancelled", "")
    assert said() == ""


def test_slices_let_a_small_file_pass_a_large_one() -> None:
    lines = some_lines(seed=24, count=600)
    truth = undisturbed(lines)
    large = ring(lines)
    small = ring([fill(ID="small", Account="Sim900")], "small.csv")
    start_worker(slice=0.01, queue={"workers": 1, "queue_limit": 1})
    until(lambda: has_ended(small) and has_ended(large))
    assert small.completed_at < large.completed_at
    Trade.objects.filter(account__name="Sim900").delete()
    ImportedExecution.objects.filter(account__name="Sim900").delete()
    assert whole_truth(large) == truth
    jobs = JobLog.objects.filter(subject_id=large.pk)
    assert jobs.count() > 3
    until(lambda: not jobs.exclude(status="success").exists())
    assert large.attempt <= 1
    assert said() == ""


def test_the_timeout_of_the_queue_in_the_middle_costs_nothing() -> None:
    lines = some_lines(seed=25, count=1_500)
    truth = undisturbed(lines)
    worker = start_worker(chunk=50, rest=PATIENCE, queue={"timeout": 2})
    log = ring(lines)
    until(JobLog.objects.filter(error__startswith="django_q.exceptions.TimeoutException").exists)
    assert worker.poll() is None
    kill_all(worker)
    start_worker(chunk=50)  # in peace: three timeouts without a chunk between them would end it
    go_on_until_ended(log)
    assert whole_truth(log) == truth
