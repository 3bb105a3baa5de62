"""Bells that are lost, doubled or late, and workers that get in each other's way."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.db import connection
from django_q.models import OrmQ

from imports.models import ImportExecutionLog
from imports.states import Status
from joblogs.models import JobLog
from joblogs.queueing import send_bell
from joblogs.tasks import attend
from tests.conftest import file_of
from tests.processes import end
from tests.test_crashes import assert_ledger_and_trades_agree, some_lines, undisturbed
from tests.test_worker import ring
from tests.workers import attend_later, drive_command, has_ended, said, start_worker, until
from trades.models import Trade

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_process_left")]

LINES = some_lines(seed=80, count=200)


# --- Several at once


def test_workers_and_a_command_with_copies_of_a_file_share_its_lines(tmp_path: Path) -> None:
    lines = some_lines(seed=81, count=1_500)
    expected = undisturbed(lines)[0]
    ImportExecutionLog.objects.all().delete()
    path = tmp_path / "fills.csv"
    path.write_text(file_of(*lines), newline="")
    for _ in range(2 if connection.vendor == "postgresql" else 1):
        start_worker(chunk=50, queue={"workers": 2, "queue_limit": 2})
    logs = [ring(lines) for _ in range(3)]
    command = end(drive_command("import_csv", str(path), "--timezone", "UTC", chunk=50))
    until(lambda: all(map(has_ended, logs)))
    assert (command.status, command.err, said()) == (0, "", "")
    until(lambda: not JobLog.objects.exclude(status="success").exists())
    assert JobLog.objects.count() == 3
    assert not JobLog.objects.filter(details__level__in=["warning", "error"]).exists()
    logs = list(ImportExecutionLog.objects.all())
    assert [log.total_rows for log in logs] == [len(lines)] * 4
    assert sum(log.success_rows for log in logs) == Trade.objects.count() == expected[2]
    assert {log.failed_rows for log in logs} == {expected[3]}
    assert_ledger_and_trades_agree()


# --- Bells


def test_a_lost_bell_is_rung_again() -> None:
    log = ring(LINES)
    OrmQ.objects.all().delete()
    start_worker()
    attend()
    assert not OrmQ.objects.exists()  # it may still be on its way
    attend_later()
    until(lambda: has_ended(log))
    assert "it is rung again" in JobLog.objects.get().details.order_by("pk")[0].message


def test_a_doubled_bell_is_answered_once() -> None:
    log = ring(LINES)
    send_bell(JobLog.objects.get())
    start_worker(queue={"workers": 2, "queue_limit": 2})
    until(lambda: has_ended(log) and not OrmQ.objects.exists())
    assert log.total_rows == log.row_logs.count() == len(LINES)
    job = JobLog.objects.get()
    assert job.status == "success"
    assert job.details.filter(message="The bell was rung once more; nothing was done.").exists()


def test_a_bell_for_a_deleted_import_says_so() -> None:
    ring(LINES).delete()
    start_worker()
    until(lambda: JobLog.objects.get().finished_at)
    job = JobLog.objects.get()
    assert job.status == "success"
    words = job.details.get().message
    assert words.endswith("does not exist any more; nothing was done.")
    assert said().endswith(f"{words}\n")
    assert said().count("\n") == 1


def test_a_bell_whose_job_log_was_deleted_is_harmless_and_the_import_rung_for_again() -> None:
    log = ring(LINES)
    JobLog.objects.all().delete()
    start_worker()
    until(lambda: not OrmQ.objects.exists())
    assert not has_ended(log)
    ImportExecutionLog.objects.update(queued_at="2026-01-05T00:00:00Z")
    attend()
    until(lambda: has_ended(log))
    assert said() == ""


# --- Redis


class RedisQueue:
    """A queue of the test's own in Redis: its name, where it is, and what lies in it."""

    url = "redis://127.0.0.1:6379/0"

    def __init__(self) -> None:
        self.name = uuid.uuid4().hex
        self.key = f"django_q:{self.name}:q"
        self.connection = redis.from_url(self.url)

    def run(self, *command: str, url: str = url) -> tuple[int, str]:
        wishes = {"queue": {"name": self.name}, "TRADELOG_REDIS_URL": url}
        ended = end(drive_command(*command, **wishes))
        return ended.status, ended.err

    def attend(self, url: str = url) -> str:
        """As a minute later; what was said in this."""
        JobLog.objects.filter(status="new").update(rung_at="2026-01-05T00:00:00Z")
        call = "from joblogs.tasks import attend; attend()"
        status, err = self.run("shell", "--no-imports", "-c", call, url=url)
        assert status == 0, err
        return err

    def start_worker(self) -> None:
        start_worker(queue={"name": self.name}, TRADELOG_REDIS_URL=self.url)


@pytest.fixture
def redis_queue() -> Iterator[RedisQueue]:
    one = RedisQueue()
    try:
        one.connection.ping()
    except redis.ConnectionError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no Redis answers at {one.url}")
    yield one
    one.connection.delete(one.key)
    one.connection.close()


def test_an_import_bears_a_redis_that_is_away_or_was_emptied(
    redis_queue: RedisQueue, tmp_path: Path
) -> None:
    path = tmp_path / "fills.csv"
    path.write_text(file_of(*LINES), newline="")
    nowhere = "redis://127.0.0.1:1/0"
    status, err = redis_queue.run("import_csv", str(path), "--background", url=nowhere)
    assert status == 0, err
    assert "The queue cannot be reached" in err
    log = ImportExecutionLog.objects.get()
    assert log.status == Status.QUEUED
    assert "The queue cannot be reached" in redis_queue.attend(nowhere)
    assert redis_queue.attend() == ""
    assert redis_queue.connection.delete(redis_queue.key) == 1
    assert redis_queue.attend() == ""
    redis_queue.start_worker()
    until(lambda: has_ended(log))
    assert log.total_rows == log.row_logs.count() == len(LINES)
    assert JobLog.objects.get().trigger == "command"
    assert not OrmQ.objects.exists()
    assert said() == ""
