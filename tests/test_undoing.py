"""Rolling an import back, and retrying one that failed."""

import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from imports import rollback, running
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.retry import FileMissing, retry
from imports.rollback import preview, roll_back
from imports.running import run_import
from imports.states import RowStatus, StateConflict, Status
from imports.storing import Wishes, receive
from tests.conftest import ZONE, TakeIn, file_of, fill
from trades.models import Account, Instrument, Trade

THREE = file_of(fill(ID="a"), fill(ID="b"), fill(ID="c"))
FAILED = file_of(fill(Quantity="abc"))
PARTIAL = file_of(fill(), fill(ID="exec-2", Quantity="abc"))


def contents() -> list[tuple]:
    """Every trade as the user sees it, ids and times of making aside."""
    return sorted(
        Trade.objects.values_list("execution_id", "price", "executed_at", "account__name")
    )


class Killed(BaseException):
    """The process is gone; nothing of it runs any more."""


# --- Rollback


def test_a_rollback_leaves_what_was_there_before(take_in: TakeIn) -> None:
    take_in(file_of(fill(ID="other")))
    before = contents()
    roll_back(take_in(THREE))
    assert contents() == before
    assert [*ImportedExecution.objects.values_list("execution_id", flat=True)] == ["other"]


@pytest.mark.parametrize("content", [THREE, file_of(*[fill(ID="")] * 3)], ids=["ids", "twins"])
def test_what_was_rolled_back_comes_again(take_in: TakeIn, content: str) -> None:
    log = take_in(content)
    before = contents()
    assert roll_back(log) == 3
    assert take_in(content).success_rows == 3
    assert contents() == before


def test_a_rollback_tells_who_and_when(take_in: TakeIn, adam: User) -> None:
    log = take_in(THREE)
    roll_back(log, adam)
    assert (log.status, log.rolled_back_by) == (Status.ROLLED_BACK, adam)
    assert log.completed_at < log.rolled_back_at <= timezone.now()


def test_a_rollback_keeps_the_import_and_its_lines(take_in: TakeIn) -> None:
    log = take_in(PARTIAL)
    roll_back(log)
    assert (log.success_rows, log.failed_rows, log.row_logs.count()) == (1, 1, 2)


def test_a_rollback_keeps_accounts_and_instruments(take_in: TakeIn) -> None:
    roll_back(take_in(THREE))
    assert (Account.objects.count(), Instrument.objects.count()) == (1, 1)


def test_a_second_rollback_is_refused(take_in: TakeIn) -> None:
    log = take_in(THREE)
    roll_back(log)
    with pytest.raises(StateConflict, match=r"fills\.csv is rolled back"):
        roll_back(log)


def test_a_stale_import_is_looked_at_again(take_in: TakeIn) -> None:
    log = take_in(THREE)
    roll_back(ImportExecutionLog.objects.get(pk=log.pk))
    assert log.status == Status.SUCCESS
    with pytest.raises(StateConflict):
        roll_back(log)


def test_a_failed_import_without_trades_cannot_be_rolled_back(take_in: TakeIn) -> None:
    log = take_in(FAILED)
    with pytest.raises(StateConflict):
        roll_back(log)
    log.refresh_from_db()
    assert log.status == Status.FAILED


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_an_import_at_work_cannot_be_rolled_back(take_in: TakeIn, status: Status) -> None:
    log = take_in(THREE)
    ImportExecutionLog.objects.filter(pk=log.pk).update(status=status)
    with pytest.raises(StateConflict):
        roll_back(log)
    assert Trade.objects.count() == 3


def test_what_a_broken_run_took_in_can_be_rolled_back(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "CHUNK", 1)
    log = receive(io.BytesIO(THREE.encode()), "fills.csv", Wishes())
    with pytest.raises(ZeroDivisionError):
        run_import(log.pk, on_progress=lambda log: 1 / (2 - log.cursor))
    assert roll_back(log) == 2
    assert not Trade.objects.exists()


def test_an_import_of_known_lines_takes_nothing_away(take_in: TakeIn) -> None:
    take_in(THREE)
    assert roll_back(take_in(THREE)) == 0
    assert Trade.objects.count() == 3


def test_lines_that_were_skipped_lose_their_link(take_in: TakeIn) -> None:
    first, second = take_in(THREE), take_in(THREE)
    roll_back(first)
    assert not second.row_logs.exclude(duplicate_of=None).exists()
    assert second.row_logs.filter(status=RowStatus.SKIPPED).count() == 3


# --- A trade that a user deletes


def test_a_deleted_trade_stays_away(take_in: TakeIn) -> None:
    take_in(THREE)
    Trade.objects.get(execution_id="b").delete()
    again = take_in(THREE)
    row = again.row_logs.get(error_message__contains="deleted by a user")
    assert (again.skipped_rows, row.row_number, row.duplicate_of) == (3, 3, None)
    assert Trade.objects.count() == 2


def test_a_deleted_trade_comes_back_after_a_rollback(take_in: TakeIn) -> None:
    log = take_in(THREE)
    Trade.objects.get(execution_id="b").delete()
    assert roll_back(log) == 2
    assert take_in(THREE).success_rows == 3


def test_a_deleted_trade_keeps_the_log_of_its_line(take_in: TakeIn) -> None:
    log = take_in(THREE)
    Trade.objects.all().delete()
    assert log.row_logs.filter(status=RowStatus.SUCCESS).count() == 3


# --- Preview


def test_a_preview_counts_what_a_rollback_would_do(take_in: TakeIn) -> None:
    log = take_in(file_of(fill(), fill(Account="Sim102"), fill(ID="exec-2")))
    Trade.objects.filter(account__name="Sim102").update(notes="a good one", reviewed=True)
    Trade.objects.filter(execution_id="exec-2").update(reviewed=True)
    effect = preview([log])
    assert (effect.trades, effect.with_notes, effect.reviewed) == (3, 1, 2)
    assert effect.accounts == ["Sim101", "Sim102"]


def test_a_preview_sums_over_imports(take_in: TakeIn) -> None:
    logs = [take_in(THREE), take_in(file_of(fill(ID="d", Account="Sim102")))]
    effect = preview(logs)
    assert (effect.trades, effect.accounts) == (4, ["Sim101", "Sim102"])


def test_a_preview_changes_nothing(take_in: TakeIn) -> None:
    log = take_in(THREE)
    preview([log])
    assert (Trade.objects.count(), ImportRowLog.objects.count()) == (3, 3)


def test_a_preview_leaves_deleted_trades_out(take_in: TakeIn) -> None:
    log = take_in(THREE)
    Trade.objects.get(execution_id="b").delete()
    assert preview([log]).trades == 2


def test_a_preview_names_the_imports_that_skipped_because_of_it(take_in: TakeIn) -> None:
    first, later = take_in(THREE), take_in(THREE)
    take_in(file_of(fill(ID="unrelated")))
    assert preview([first]).later_imports == [later]


def test_a_preview_names_no_import_that_goes_too(take_in: TakeIn) -> None:
    assert preview([take_in(THREE), take_in(THREE)]).later_imports == []


def test_a_preview_of_nothing_is_empty(db: None) -> None:
    effect = preview([])
    assert (effect.trades, effect.accounts, effect.later_imports) == (0, [], [])


# --- A rollback that was interrupted


@pytest.fixture
def half_undone(take_in: TakeIn, monkeypatch: pytest.MonkeyPatch) -> ImportExecutionLog:
    """An import of three trades whose rollback was killed after the first."""
    monkeypatch.setattr(rollback, "SLICE", 1)
    # The dead let nothing go.
    monkeypatch.setattr(rollback, "release_when_possible", lambda log: None)
    log = take_in(THREE)

    def die(deleted: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        roll_back(log, on_progress=die)
    log.refresh_from_db()
    assert (log.status, Trade.objects.count()) == (Status.ROLLING_BACK, 2)
    return log


def expire(log: ImportExecutionLog) -> None:
    past = timezone.now() - timedelta(seconds=1)
    ImportExecutionLog.objects.filter(pk=log.pk).update(lease_until=past)
    log.refresh_from_db()


def test_an_interrupted_rollback_goes_on(half_undone: ImportExecutionLog) -> None:
    expire(half_undone)
    assert roll_back(half_undone) == 2
    assert half_undone.status == Status.ROLLED_BACK
    assert not ImportedExecution.objects.exists()


def test_a_rollback_at_work_is_left_alone(half_undone: ImportExecutionLog) -> None:
    with pytest.raises(StateConflict, match="by another process"):
        roll_back(half_undone)
    assert Trade.objects.count() == 2


def test_a_rollback_that_was_stopped_can_go_on_at_once(
    take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollback, "SLICE", 1)
    log = take_in(THREE)

    def stop(deleted: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        roll_back(log, on_progress=stop)
    assert roll_back(log) == 2


def test_a_user_may_go_on_with_an_interrupted_rollback(half_undone: ImportExecutionLog) -> None:
    assert not half_undone.can_be_rolled_back
    expire(half_undone)
    assert half_undone.can_be_rolled_back


def test_who_has_lost_a_rollback_says_so(take_in: TakeIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollback, "SLICE", 1)
    log = take_in(THREE)
    mine = ImportExecutionLog.objects.filter(pk=log.pk)
    with pytest.raises(StateConflict):
        roll_back(log, on_progress=lambda deleted: mine.update(owner="another process"))
    assert Trade.objects.count() == 2


def test_an_import_amid_its_rollback_cannot_be_retried(half_undone: ImportExecutionLog) -> None:
    with pytest.raises(StateConflict):
        retry(half_undone)


# --- Retry


def test_lines_that_were_known_can_be_won_back(take_in: TakeIn) -> None:
    first, second = take_in(THREE), take_in(THREE)
    assert not second.can_be_retried
    roll_back(first)
    second.refresh_from_db()
    assert run_import(retry(second).pk).success_rows == 3


def test_a_retry_reads_times_as_the_first_run_did(take_in: TakeIn) -> None:
    text = file_of(fill(ID=""), fill(ID="", Time="2/5/2026 7:00:00 AM"), fill(Quantity="abc"))
    log = take_in(text, timezone="")
    Account.objects.update(timezone="America/Chicago")
    again = run_import(retry(log).pk)
    assert (again.success_rows, again.skipped_rows) == (0, 2)


def test_an_import_that_nobody_began_can_be_gone_on_with(db: None) -> None:
    log = receive(io.BytesIO(THREE.encode()), "fills.csv", Wishes(timezone=ZONE))
    assert log.is_left_behind
    call_command("retry_import", str(log.pk), stdout=io.StringIO())
    log.refresh_from_db()
    assert log.success_rows == 3


def test_a_retry_is_a_new_import(take_in: TakeIn, adam: User) -> None:
    old = take_in(PARTIAL, account="Desk 7")
    new = retry(old, adam)
    assert (new.status, new.retry_of, new.created_by) == (Status.QUEUED, old, adam)
    assert new.import_batch_id != old.import_batch_id


def test_a_retry_keeps_what_the_user_said(take_in: TakeIn) -> None:
    old = take_in(PARTIAL, account="Desk 7", timezone="Europe/Berlin")
    new = retry(old)
    for name in ("file_name", "file_hash", "default_account", "timezone", "format"):
        assert getattr(new, name) == getattr(old, name), name


def test_a_retry_skips_what_is_known(take_in: TakeIn) -> None:
    new = run_import(retry(take_in(PARTIAL)).pk)
    assert (new.success_rows, new.skipped_rows, new.failed_rows) == (0, 1, 1)
    assert Trade.objects.count() == 1


def test_a_retry_leaves_the_old_import_as_it_is(take_in: TakeIn) -> None:
    old = take_in(PARTIAL)
    run_import(retry(old).pk)
    old.refresh_from_db()
    assert (old.status, old.total_rows, old.row_logs.count()) == (Status.PARTIAL, 2, 2)


def test_a_retry_takes_in_what_was_in_the_way(take_in: TakeIn) -> None:
    take_in(file_of(fill(Price="1")))
    conflicting = take_in(file_of(fill()))
    roll_back(ImportExecutionLog.objects.exclude(pk=conflicting.pk).get())
    assert run_import(retry(conflicting).pk).status == Status.SUCCESS


def test_a_successful_import_cannot_be_retried(take_in: TakeIn) -> None:
    log = take_in(THREE)
    with pytest.raises(StateConflict, match=r"fills\.csv is success"):
        retry(log)


def test_a_retry_without_the_bytes_says_so(take_in: TakeIn) -> None:
    log = take_in(FAILED)
    log.stored_path.unlink()
    with pytest.raises(FileMissing, match="upload it again"):
        retry(log)
    assert ImportExecutionLog.objects.count() == 1


def test_a_retry_of_bytes_that_were_never_stored_says_so(take_in: TakeIn) -> None:
    log = take_in(FAILED)
    ImportExecutionLog.objects.filter(pk=log.pk).update(file_hash="")
    log.refresh_from_db()
    with pytest.raises(FileMissing):
        retry(log)


def test_a_preview_counts_the_positions_that_change(
    take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = take_in(file_of(fill(Time="1/5/2026 6:01:00 AM")))
    second = take_in(
        file_of(
            fill(Time="1/5/2026 6:02:00 AM", ID="b", Action="Sell", Quantity="3"),
            fill(Time="1/5/2026 6:03:00 AM", ID="c", Account="Live-7"),
        )
    )
    # The sale closes the position of the first import and opens the other way.
    assert [preview([log]).positions for log in (first, second)] == [1, 3]
    assert preview([first, second]).positions == 3
    monkeypatch.setattr("imports.rollback.MOST_TRACED", 1)
    assert preview([second]).positions is None
