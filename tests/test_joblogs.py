"""Job logs: their names, their lines while the job runs, their ends whatever happens."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import DataError, OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.utils import timezone

from joblogs import scribe
from joblogs.models import LONGEST_MESSAGE, JobLog, JobLogDetail
from joblogs.reaper import SILENCE, bury, bury_the_silent
from joblogs.running import run_job, start
from joblogs.states import Level, Status, Trigger
from tests.processes import PATIENCE, begin, end, kill
from tests.processes import start as start_process

pytestmark = pytest.mark.django_db(transaction=True)
logger = logging.getLogger("imports.test")
stranger = logging.getLogger("somebody.else")


@pytest.fixture
def log() -> JobLog:
    return start("test", trigger=Trigger.MANUAL)


def done(log: JobLog, work: Callable[[], object]) -> JobLog:
    assert run_job(log, work)
    log.refresh_from_db()
    return log


def broken(log: JobLog, problem: BaseException) -> JobLog:
    """The log of a job that raised this."""

    def work() -> None:
        logger.info("Opening the file")
        raise problem

    with pytest.raises(type(problem)) as raised:
        run_job(log, work)
    assert raised.value is problem
    log.refresh_from_db()
    return log


def lines(log: JobLog) -> list[str]:
    return [*JobLogDetail.objects.filter(job_log=log).values_list("message", flat=True)]


def wait_for_line(log: JobLog, message: str) -> bool:
    """Whether another connection than the scribe's sees a line before the patience is over."""
    pause = threading.Event()
    for _ in range(PATIENCE * 100):
        if message in lines(log):
            return True
        pause.wait(0.01)
    return False


# --- Beginning and end


def test_a_job_is_new_until_it_is_taken_up(log: JobLog) -> None:
    assert (log.status, log.started_at, log.duration) == (Status.NEW, None, None)


def test_a_job_that_returns_is_a_success(log: JobLog) -> None:
    done(log, lambda: {"taken_in": 412})
    assert (log.status, log.result, log.error) == (Status.SUCCESS, {"taken_in": 412}, "")
    assert log.created_at <= log.started_at <= log.finished_at == log.heartbeat_at


def test_a_job_is_processing_while_it_runs(log: JobLog) -> None:
    seen = []
    done(log, lambda: seen.append(JobLog.objects.get(pk=log.pk).status))
    assert seen == [Status.PROCESSING]


def test_a_job_runs_once(log: JobLog) -> None:
    done(log, lambda: None)
    assert not run_job(log, lambda: pytest.fail("it ran again"))


def test_a_job_needs_to_be_outside_of_transactions(log: JobLog) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
        run_job(log, lambda: None)
    log.refresh_from_db()
    assert log.status == Status.NEW


@pytest.mark.parametrize(
    "problem", [ValueError("no such day"), KeyboardInterrupt(), SystemExit(3)], ids=repr
)
def test_what_a_job_raises_is_recorded_and_raised_again(
    log: JobLog, problem: BaseException
) -> None:
    broken(log, problem)
    assert log.status == Status.ERROR
    assert log.error.startswith(type(problem).__name__)
    assert str(problem) in log.error
    assert log.error.endswith("Last step: Opening the file")


def test_where_a_job_broke_off_is_its_last_line(log: JobLog) -> None:
    broken(log, ValueError("no such day"))
    first, last = JobLogDetail.objects.filter(job_log=log)
    assert first.message == "Opening the file"
    assert last.level == Level.ERROR
    assert "raise problem\nValueError: no such day" in last.message


def test_an_exception_that_cannot_say_what_it_is_ends_the_job(log: JobLog) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ZeroDivisionError

    assert "Mute" in broken(log, Mute()).error


@pytest.mark.parametrize("problem", [None, ValueError("x")])
def test_nothing_is_left_behind(log: JobLog, problem: Exception | None) -> None:
    before = (logging.getLogger().handlers[:], threading.active_count())
    broken(log, problem) if problem else done(log, lambda: None)
    assert (logging.getLogger().handlers, threading.active_count()) == before
    assert scribe.CURRENT.get() is None


def test_no_connection_is_left_open(log: JobLog) -> None:
    opened = []

    def remember(sender: object, connection: BaseDatabaseWrapper, **_: object) -> None:
        opened.append(connection)

    connection_created.connect(remember)
    done(log, lambda: logger.info("one"))
    connection_created.disconnect(remember)
    assert [one.connection for one in opened] == [None]


def test_a_job_within_a_job_has_its_own_lines(log: JobLog) -> None:
    inner = start("inner", trigger=Trigger.MANUAL)

    def outer_work() -> None:
        logger.info("outer begins")
        run_job(inner, lambda: logger.info("inner"))
        logger.info("outer goes on")

    done(log, outer_work)
    assert lines(log) == ["outer begins", "outer goes on"]
    assert lines(inner) == ["inner"]


# --- Results


def test_a_result_is_kept_whatever_it_is_made_of(log: JobLog) -> None:
    result = {
        "nan": float("nan"),
        "price": Decimal("1.50"),
        "when": datetime(2026, 1, 5, 6, 35, tzinfo=UTC),
        "nul\0": "a\0b\udc80",
        "path": Path("a/b"),
        "list": [1, None, True, 2.5, (3,)],
        "password": "hunter2",
        "url": "postgresql://desk:hunter2@db/orders",
        5: {"a"},
    }
    assert done(log, lambda: result).result == {
        "nan": "nan",
        "price": "1.50",
        "when": "2026-01-05T06:35:00+00:00",
        "nul␀": "a␀b\\udc80",
        "path": "a/b",
        "list": [1, None, True, 2.5, [3]],
        "password": "***",
        "url": "postgresql://desk:***@db/orders",
        "5": ["a"],
    }


def test_a_result_without_end_is_cut(log: JobLog) -> None:
    result: dict = {}
    result["self"] = result
    assert done(log, lambda: result).status == Status.SUCCESS


def test_a_result_that_cannot_be_put_into_words_fails_no_job(log: JobLog) -> None:
    class Mute:
        def __str__(self) -> str:
            raise ZeroDivisionError

    done(log, lambda: {"mute": Mute()})
    assert (log.status, log.result) == (Status.SUCCESS, {})
    assert lines(log) == ["Its result cannot be written down: ZeroDivisionError"]


# --- Lines


def test_a_line_is_seen_while_the_job_runs(log: JobLog) -> None:
    def work() -> None:
        logger.info("Batch %s/4 imported (%s records)", 1, 500)
        assert wait_for_line(log, "Batch 1/4 imported (500 records)")

    assert done(log, work).status == Status.SUCCESS


def test_lines_survive_the_rollback_of_the_job(log: JobLog) -> None:
    def work() -> None:
        with transaction.atomic():
            start("undone", trigger=Trigger.MANUAL)
            logger.info("inside")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run_job(log, work)
    assert lines(log)[0] == "inside"
    assert JobLog.objects.count() == 1


def test_many_lines_are_kept_in_order(log: JobLog) -> None:
    def work() -> None:
        for number in range(1_000):
            logger.info("line %s", number)

    done(log, work)
    assert lines(log) == [f"line {number}" for number in range(1_000)]


def test_ours_from_info_and_others_from_warning(log: JobLog) -> None:
    def work() -> None:
        stranger.setLevel(logging.DEBUG)
        for one in (logger, stranger):
            one.debug("%s debug", one.name)
            one.info("%s info", one.name)
            one.warning("%s warning", one.name)

    done(log, work)
    assert [*JobLogDetail.objects.values_list("message", "level")] == [
        ("imports.test info", "info"),
        ("imports.test warning", "warning"),
        ("somebody.else warning", "warning"),
    ]


def test_lines_of_other_threads_do_not_stray(log: JobLog) -> None:
    def work() -> None:
        thread = threading.Thread(target=lambda: logger.info("not of the job"))
        thread.start()
        thread.join()

    done(log, work)
    assert lines(log) == []


def test_two_jobs_in_one_process_do_not_mix() -> None:
    logs = [start("test", trigger=Trigger.API) for _ in range(2)]
    together = threading.Barrier(2, timeout=PATIENCE)

    def work(log: JobLog) -> None:
        for number in range(20):
            together.wait()
            logger.info("%s of %s", number, log.name)

    def run(log: JobLog) -> None:
        run_job(log, lambda: work(log))
        connection.close()

    threads = [threading.Thread(target=run, args=[log]) for log in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    for log in logs:
        assert lines(log) == [f"{number} of {log.name}" for number in range(20)]


def test_a_line_has_its_moment(log: JobLog) -> None:
    before = timezone.now()
    done(log, lambda: logger.info("now"))
    assert before - timedelta(milliseconds=1) <= log.details.get().created_at <= log.finished_at


@pytest.mark.parametrize(
    ("message", "arguments", "written"),
    [
        ("nul \0 in it", (), "nul ␀ in it"),
        ("half %s", ("\udc80",), "half \\udc80"),
        ("Login with password=%s done", ("hunter2",), "Login with password=*** done"),
        ("100 %", ("x",), "100 % [ValueError when it was put into words]"),
        ("%d rows", ("many",), "%d rows [TypeError when it was put into words]"),
    ],
)
def test_a_line_is_written_whatever_is_in_it(
    log: JobLog, message: str, arguments: tuple, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The tests' own handlers would raise.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    done(log, lambda: logger.info(message, *arguments))
    assert lines(log) == [written]


def test_a_long_message_is_cut_and_says_so(log: JobLog) -> None:
    done(log, lambda: logger.info("begin" + "x" * 100_000 + "the end"))
    (line,) = lines(log)
    assert len(line) == LONGEST_MESSAGE
    assert "cut: " in line
    assert line.startswith("beginx")
    assert line.endswith("xthe end")


# --- When the database does not do what it should


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scribe, "PAUSE", 0.01)


@pytest.fixture
def impatient(eager: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scribe, "PATIENCE", 0.2)


def refuse(monkeypatch: pytest.MonkeyPatch, *problems: Exception | None) -> None:
    """Let the scribe's attempts meet these problems, one after the other; the last one stays."""
    add, left = scribe.Scribe.add, [*problems]

    def add_or_raise(self: scribe.Scribe, lines: list) -> None:
        problem = left.pop(0) if len(left) > 1 else left[0]
        if problem:
            raise problem
        add(self, lines)

    monkeypatch.setattr(scribe.Scribe, "add", add_or_raise)


def test_a_database_that_comes_back_gets_every_line(
    log: JobLog, eager: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, OperationalError("gone"), OperationalError("gone"), None)
    assert done(log, lambda: logger.info("one")).status == Status.SUCCESS
    assert lines(log) == ["one"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server to lose")
def test_a_lost_connection_costs_no_line(log: JobLog, eager: None) -> None:
    others = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND backend_type = 'client backend'"""

    def work() -> None:
        logger.info("before")
        assert wait_for_line(log, "before")
        with connection.cursor() as cursor:
            cursor.execute(others)
            assert cursor.fetchall() == [(True,)]
        logger.info("after")

    assert done(log, work).status == Status.SUCCESS
    assert lines(log) == ["before", "after"]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has no lock on everything")
def test_lines_wait_for_the_lock_of_the_job(
    log: JobLog, eager: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.05)
    met = threading.Event()
    try_again = scribe.Scribe.try_again
    monkeypatch.setattr(scribe.Scribe, "try_again", lambda self: met.set() or try_again(self))

    def work() -> None:
        with transaction.atomic():
            logger.info("inside")
            assert met.wait(PATIENCE)

    assert done(log, work).status == Status.SUCCESS
    assert lines(log) == ["inside"]


def test_a_database_that_stays_away_breaks_no_job(
    log: JobLog, impatient: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refuse(monkeypatch, OperationalError("gone"))
    assert done(log, lambda: logger.info("one")).status == Status.PROCESSING
    assert lines(log) == []
    assert "that were lost: 1. OperationalError: gone" in caplog.text


def test_lines_that_the_database_refuses_are_counted(
    log: JobLog, eager: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, DataError("what a line"), None)
    done(log, lambda: logger.info("one"))
    assert log.status == Status.SUCCESS
    assert lines(log) == ["Lines of this job that were lost: 1. DataError: what a line"]


def test_more_lines_than_memory_is_for_are_counted(
    log: JobLog, eager: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scribe, "MOST_WAITING", 0)
    done(log, lambda: logger.info("one"))
    assert lines(log) == ["Lines of this job that were lost: 1."]


def test_a_log_that_is_deleted_meanwhile_breaks_no_job(log: JobLog, impatient: None) -> None:
    def work() -> None:
        JobLog.objects.all().delete()
        logger.info("one")

    threads = threading.active_count()
    assert run_job(log, work)
    assert not JobLog.objects.exists()
    assert threading.active_count() == threads


def test_an_end_that_was_written_unnoticed_is_the_end(
    log: JobLog, eager: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, answers = scribe.Scribe.write, [OperationalError("no answer")]

    def write_and_lose_the_answer(self: scribe.Scribe) -> None:
        write(self)
        if answers:
            raise answers.pop()

    monkeypatch.setattr(scribe.Scribe, "write", write_and_lose_the_answer)
    assert done(log, lambda: None).status == Status.SUCCESS
    assert (lines(log), answers) == ([], [])


def test_a_break_before_the_work_ends_the_job(log: JobLog, eager: None) -> None:
    JobLog.objects.update(status=Status.PROCESSING)
    with pytest.raises(KeyboardInterrupt), scribe.listening(log):
        raise KeyboardInterrupt
    log.refresh_from_db()
    assert (log.status, log.error) == (Status.ERROR, "It broke off; nobody knows how.")


# --- Names


def test_names_in_one_second_are_numbered(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 1, 5, 6, 35, 3, 999, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    names = [start("test", trigger=Trigger.API).name for _ in range(3)]
    assert names == ["20260105063503", "20260105063503_1", "20260105063503_2"]
    JobLog.objects.filter(name="20260105063503").delete()
    assert start("test", trigger=Trigger.API).name == "20260105063503_3"


NAMER = """
import sys
from datetime import UTC, datetime
import django
django.setup()
from django.db import connection
from django.utils import timezone
from joblogs.running import start
timezone.now = lambda: datetime(2026, 1, 5, 6, 35, 3, tzinfo=UTC)
connection.ensure_connection()
print("ready", flush=True)
sys.stdin.readline()
print(*[start("test", trigger="api").name for _ in range(20)], sep="\\n")
"""


@pytest.mark.usefixtures("no_process_left")
def test_processes_in_one_second_get_names_of_their_own() -> None:
    processes = [start_process("-c", NAMER) for _ in range(3)]
    for process in processes:
        assert process.stdout.readline() == "ready\n", process.communicate()[1]
    begin(*processes)
    ended = [end(process) for process in processes]
    assert [one.err for one in ended] == ["", "", ""]
    names = {name for one in ended for name in one.out.split()}
    second = "20260105063503"
    assert names == {second, *(f"{second}_{number}" for number in range(1, 60))}


# --- The reaper


def silence(log: JobLog, since: timedelta) -> None:
    JobLog.objects.filter(pk=log.pk).update(heartbeat_at=timezone.now() - since)


RUNNER = """
import logging, sys
import django
django.setup()
from joblogs.models import JobLog
from joblogs.running import run_job

def work():
    logging.getLogger("imports").info("at work")
    sys.stdin.readline()

run_job(JobLog.objects.get(pk=sys.argv[1]), work)
"""


@pytest.mark.usefixtures("no_process_left")
def test_a_job_whose_process_is_killed_is_ended_by_the_reaper(log: JobLog) -> None:
    process = start_process("-c", RUNNER, str(log.pk))
    assert wait_for_line(log, "at work"), end(process)
    assert bury_the_silent() == 0
    kill(process)
    assert bury_the_silent() == 1
    log.refresh_from_db()
    assert log.status == Status.ERROR
    assert log.error.startswith("abandoned: its process is gone, no sign of life since ")
    assert log.finished_at
    assert bury_the_silent() == 0


def test_a_job_of_another_machine_is_ended_when_it_is_silent_for_too_long(log: JobLog) -> None:
    JobLog.objects.update(status=Status.PROCESSING, owner="elsewhere:1:1:a")
    silence(log, SILENCE - timedelta(seconds=5))
    assert bury_the_silent() == 0
    silence(log, SILENCE + timedelta(seconds=1))
    assert bury_the_silent() == 1
    log.refresh_from_db()
    assert log.error.startswith("abandoned: no sign of life since ")


def test_the_reaper_leaves_who_is_not_at_work(log: JobLog) -> None:
    silence(log, 2 * SILENCE)
    finished = done(start("test", trigger=Trigger.API), lambda: None)
    silence(finished, 2 * SILENCE)
    assert bury_the_silent() == 0


def test_the_reaper_leaves_who_gives_a_sign_of_life_at_the_last_moment(log: JobLog) -> None:
    JobLog.objects.update(status=Status.PROCESSING)
    silence(log, 2 * SILENCE)
    log.refresh_from_db()
    silence(log, timedelta(0))
    assert not bury(log)


def test_a_running_job_gives_signs_of_life(log: JobLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scribe, "HEARTBEAT", 0.01)
    long_ago = timezone.now() - 2 * SILENCE

    def work() -> None:
        JobLog.objects.filter(pk=log.pk).update(heartbeat_at=long_ago)
        pause = threading.Event()
        for _ in range(PATIENCE * 100):
            if JobLog.objects.get(pk=log.pk).heartbeat_at > long_ago:
                return
            pause.wait(0.01)
        pytest.fail("no sign of life")

    assert done(log, work).status == Status.SUCCESS


def test_a_job_that_comes_back_says_so_and_stays_buried(log: JobLog) -> None:
    def work() -> dict:
        silence(log, 2 * SILENCE)
        assert bury_the_silent() == 1
        return {"rows": 1}

    done(log, work)
    assert (log.status, log.result) == (Status.ERROR, {})
    assert log.error.startswith("abandoned")
    assert lines(log) == ["Came back after it was given up, and ended: Success."]


def test_a_job_that_comes_back_with_an_error_says_which(log: JobLog) -> None:
    def work() -> None:
        silence(log, 2 * SILENCE)
        assert bury_the_silent() == 1
        raise ValueError("too late")

    with pytest.raises(ValueError, match="too late"):
        run_job(log, work)
    assert "and ended: Error. ValueError: too late" in lines(log)[-1]


def test_a_move_that_is_not_legal_is_refused(log: JobLog) -> None:
    with pytest.raises(ValueError, match="no legal move"):
        JobLog.objects.filter(pk=log.pk).move(Status.SUCCESS, Status.NEW)
