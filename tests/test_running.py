"""Chunks, and what befalls a run between them: death, rivals, refusals, a user's stop."""

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.utils import timezone

from imports import running
from imports.cancel import cancel
from imports.claims import Pause, claim
from imports.models import ImportedExecution, ImportExecutionLog
from imports.retry import retry
from imports.rollback import roll_back
from imports.running import run_import
from imports.states import RowStatus, StateConflict, Status
from imports.storing import Wishes, receive
from tests.conftest import ZONE, TakeIn, file_of, fill
from tests.reading import OPEN_FILES, is_open
from trades.models import Trade

FIVE = file_of(*[fill(ID=f"exec-{number}") for number in range(1, 6)])
FIVE_TWINS = file_of(*[fill(ID="")] * 5)


class Killed(BaseException):
    """The process is gone; nothing of it runs any more."""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "CHUNK", 2)


def queued(content: str) -> ImportExecutionLog:
    return receive(io.BytesIO(content.encode()), "fills.csv", Wishes(timezone=ZONE))


def breaking_after(chunks: int, problem: BaseException) -> Callable[[ImportExecutionLog], None]:
    """A progress that raises once so many chunks are written."""
    left = [None] * (chunks - 1)

    def on_progress(log: ImportExecutionLog) -> None:
        if not left:
            raise problem
        left.pop()

    return on_progress


@pytest.fixture
def left_behind(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ImportExecutionLog]:
    """An import whose process was killed after the first chunk, and whose lease has run out."""

    def begin(content: str) -> ImportExecutionLog:
        log = queued(content)
        with monkeypatch.context() as patch:
            patch.setattr(running, "end", lambda *_: None)
            with pytest.raises(Killed):
                run_import(log.pk, on_progress=breaking_after(1, Killed()))
        expire(log)
        log.refresh_from_db()
        assert (log.status, log.cursor) == (Status.RUNNING, 2)
        return log

    return begin


def expire(log: ImportExecutionLog) -> None:
    ImportExecutionLog.objects.filter(pk=log.pk).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


def take_over(log: ImportExecutionLog) -> None:
    """As another process does that finds it left behind."""
    ImportExecutionLog.objects.filter(pk=log.pk).update(owner="another process")


# --- Chunks


def test_every_chunk_is_told(db: None) -> None:
    cursors: list[int] = []
    run_import(queued(FIVE).pk, on_progress=lambda log: cursors.append(log.cursor))
    assert cursors == [2, 4, 5]


def test_chunks_add_up(take_in: TakeIn) -> None:
    log = take_in(FIVE)
    log.refresh_from_db()
    assert (log.total_rows, log.success_rows, log.trades_created) == (5, 5, 5)
    assert Trade.objects.count() == ImportedExecution.objects.count() == log.row_logs.count() == 5


def test_accounts_of_all_chunks_are_kept(take_in: TakeIn) -> None:
    log = take_in(file_of(*[fill(Account=name) for name in "CABAD"]))
    assert log.affected_accounts == ["A", "B", "C", "D"]


def test_twins_in_different_chunks_survive(take_in: TakeIn) -> None:
    assert take_in(FIVE_TWINS).success_rows == 5
    assert take_in(FIVE_TWINS).skipped_rows == 5


def test_a_duplicate_of_an_earlier_chunk_points_at_its_trade(take_in: TakeIn) -> None:
    log = take_in(file_of(fill(), fill(ID="exec-2"), fill(ID="exec-3"), fill()))
    row = log.row_logs.get(status=RowStatus.SKIPPED)
    assert (row.row_number, row.duplicate_of) == (5, Trade.objects.get(execution_id="exec-1"))


# --- Another process goes on


@pytest.mark.parametrize("content", [FIVE, FIVE_TWINS], ids=["ids", "twins"])
def test_another_process_goes_on_at_the_cursor(
    left_behind: Callable[[str], ImportExecutionLog], content: str
) -> None:
    log = run_import(left_behind(content).pk)
    assert (log.status, log.success_rows, log.skipped_rows) == (Status.SUCCESS, 5, 0)
    assert [*log.row_logs.values_list("row_number", flat=True)] == [2, 3, 4, 5, 6]
    assert Trade.objects.count() == ImportedExecution.objects.count() == 5


def test_the_first_start_is_the_start(left_behind: Callable[[str], ImportExecutionLog]) -> None:
    before = left_behind(FIVE)
    assert run_import(before.pk).started_at == before.started_at


def test_attempts_are_counted_while_they_get_nowhere(db: None) -> None:
    log = queued(FIVE)
    for attempt in (1, 2):
        assert claim(log.pk, Status.RUNNING).attempt == attempt
        expire(log)
    told: list[int] = []
    run_import(log.pk, on_progress=lambda log: told.append(log.attempt))
    assert told == [1, 1, 1]


def test_going_on_reads_numbers_and_dates_as_before(
    left_behind: Callable[[str], ImportExecutionLog],
) -> None:
    log = left_behind(FIVE)
    dialect = log.dialect | {"day_first": True}
    ImportExecutionLog.objects.filter(pk=log.pk).update(dialect=dialect)
    run_import(log.pk)
    assert {*Trade.objects.values_list("executed_at__month", flat=True)} == {1, 5}


def test_an_import_in_good_hands_is_left_alone(db: None) -> None:
    log = queued(FIVE)
    assert claim(log.pk, Status.RUNNING) is not None
    assert run_import(log.pk) is None
    assert not Trade.objects.exists()


@pytest.mark.parametrize("status", ["success", "partial", "failed", "cancelled", "rolled_back"])
def test_a_final_import_is_not_run_again(db: None, status: str) -> None:
    log = queued(FIVE)
    ImportExecutionLog.objects.filter(pk=log.pk).update(status=status)
    assert run_import(log.pk) is None


def test_an_import_being_rolled_back_is_not_run(db: None) -> None:
    log = queued(FIVE)
    ImportExecutionLog.objects.filter(pk=log.pk).update(status=Status.ROLLING_BACK)
    assert run_import(log.pk) is None


# --- Who has lost the import leaves quietly


def test_who_has_lost_the_import_writes_nothing_more(db: None) -> None:
    log = queued(FIVE)
    assert run_import(log.pk, on_progress=take_over).owner == "another process"
    log.refresh_from_db()
    assert (log.status, log.cursor, log.row_logs.count()) == (Status.RUNNING, 2, 2)


def test_who_has_lost_the_import_does_not_end_it(db: None) -> None:
    log = run_import(queued(file_of(fill())).pk, on_progress=take_over)
    assert (log.status, log.owner) == (Status.RUNNING, "another process")


def test_who_has_lost_the_import_does_not_fail_it(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = queued("no header of ours\r\n")
    monkeypatch.setattr(running, "open_stored", lose(log, running.open_stored))
    assert run_import(log.pk).status == Status.RUNNING


def lose(log: ImportExecutionLog, then: Callable) -> Callable:
    def losing(*arguments: object) -> object:
        take_over(log)
        return then(*arguments)

    return losing


def test_a_problem_of_who_has_lost_the_import_is_still_raised(db: None) -> None:
    log = queued(FIVE)
    with pytest.raises(ZeroDivisionError):
        run_import(log.pk, on_progress=lambda mine: take_over(mine) or 1 / 0)
    log.refresh_from_db()
    assert log.status == Status.RUNNING


# --- A run breaks off


def stop_after_first_chunk(content: str) -> ImportExecutionLog:
    log = queued(content)
    with pytest.raises(KeyboardInterrupt):
        run_import(log.pk, on_progress=breaking_after(1, KeyboardInterrupt()))
    log.refresh_from_db()
    return log


def test_a_stop_by_the_user_is_told(db: None) -> None:
    log = stop_after_first_chunk(FIVE)
    assert (log.status, log.owner, log.success_rows) == (Status.FAILED, "", 2)
    assert "broke off after 2 lines: stopped by the user" in log.error_summary


@pytest.mark.parametrize("content", [FIVE, FIVE_TWINS], ids=["ids", "twins"])
def test_a_retry_brings_the_rest(db: None, content: str) -> None:
    new = run_import(retry(stop_after_first_chunk(content)).pk)
    assert (new.status, new.skipped_rows, new.success_rows) == (Status.SUCCESS, 2, 3)
    assert Trade.objects.count() == 5


def test_an_unforeseen_error_is_told_and_raised(db: None) -> None:
    log = queued(FIVE)
    with pytest.raises(OSError, match="disk full"):
        run_import(log.pk, on_progress=breaking_after(2, OSError("disk full")))
    log.refresh_from_db()
    assert (log.status, log.cursor) == (Status.FAILED, 4)
    assert "disk full" in log.error_summary


@pytest.mark.parametrize("problem", [OperationalError("gone"), SystemExit("time is over")])
def test_an_import_whose_database_or_time_is_gone_goes_on(db: None, problem: BaseException) -> None:
    log = queued(FIVE)
    with pytest.raises(type(problem)):
        run_import(log.pk, on_progress=breaking_after(2, problem))
    log.refresh_from_db()
    assert (log.status, log.cursor, log.owner) == (Status.RUNNING, 4, "")
    assert run_import(log.pk).status == Status.SUCCESS


def test_an_import_that_pauses_is_let_go_and_goes_on(db: None) -> None:
    log = queued(FIVE_TWINS)
    for cursor in (2, 4):
        paused = run_import(log.pk, on_progress=breaking_after(1, Pause()))
        assert (paused.status, paused.cursor, paused.owner) == (Status.RUNNING, cursor, "")
        log.refresh_from_db()
        assert (log.owner, log.attempt) == ("", 0)
    assert run_import(log.pk).success_rows == 5


# --- A user stops it


def test_a_waiting_import_is_cancelled(db: None, adam: User) -> None:
    log = queued(FIVE)
    cancel(log, adam)
    log.refresh_from_db()
    assert (log.status, log.total_rows) == (Status.CANCELLED, 0)
    assert log.error_summary == "fills.csv was cancelled by adam before a line was read."
    assert run_import(log.pk) is None


def test_a_running_import_is_cancelled_between_two_chunks(db: None, adam: User) -> None:
    log = queued(FIVE)
    run = run_import(log.pk, on_progress=lambda log: cancel(log, adam))
    assert (run.status, run.success_rows, Trade.objects.count()) == (Status.CANCELLED, 2, 2)
    assert run.error_summary.startswith("fills.csv was cancelled by adam after 2 lines.")


def test_a_cancelled_import_can_be_retried_or_undone(db: None, adam: User) -> None:
    log = queued(FIVE)
    run_import(log.pk, on_progress=lambda log: cancel(log, adam))
    log.refresh_from_db()
    again = run_import(retry(log).pk)
    assert (again.success_rows, again.skipped_rows) == (3, 2)
    assert roll_back(log) == 2


def test_what_has_ended_cannot_be_cancelled(take_in: TakeIn, adam: User) -> None:
    with pytest.raises(StateConflict):
        cancel(take_in(FIVE), adam)


def test_a_run_that_breaks_off_closes_its_file(db: None) -> None:
    log = queued(FIVE)
    open_within: list[bool] = []

    def stop(log: ImportExecutionLog) -> None:
        open_within.append(is_open(log.stored_path))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        run_import(log.pk, on_progress=stop)
    assert caught.tb, "what holds the frames of the run"
    assert (open_within, is_open(log.stored_path)) == ([OPEN_FILES.exists()], False)


def test_bytes_that_are_gone_fail_the_import(db: None) -> None:
    log = queued(FIVE)
    log.stored_path.unlink()
    log = run_import(log.pk)
    assert (log.status, log.total_rows) == (Status.FAILED, 0)
    assert log.error_summary == "fills.csv cannot be read: No such file or directory."
