"""Backups and restores while others write, race and are killed, with real processes."""

import io
from pathlib import Path

import pytest

from imports import backup
from imports.backup import save_backup
from imports.models import ImportExecutionLog
from imports.running import run_import
from imports.states import Status
from imports.storing import Wishes, receive
from tests.processes import drive, expire_lease, go
from tests.test_backup import NOTES, counts, forget_all, made_by_hand, saved, state
from tests.test_crashes import queue, some_lines
from trades.models import Trade

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_process_left")]


def received(content: bytes) -> ImportExecutionLog:
    return receive(io.BytesIO(content), "all.jsonl", Wishes())


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    """A backup of some hundred trades; the database is empty again."""
    run_import(queue(some_lines(1, 400)).pk)
    Trade.objects.filter(execution_id="exec-7").update(notes=NOTES, reviewed=True)
    made_by_hand()
    return saved(tmp_path)


def test_a_backup_is_of_one_moment_and_stops_nobody(tmp_path: Path) -> None:
    run_import(queue(some_lines(1, 300)).pk)
    before = Trade.objects.count()
    later = queue(some_lines(2, 300), "later.csv")
    importer = drive("import", later)

    def write_meanwhile(done: int, of: int) -> None:
        if done == 1:
            assert go(importer)[0].out == "True\n"

    written = save_backup(tmp_path / "all.jsonl", on_progress=write_meanwhile)
    later.refresh_from_db()
    assert later.success_rows > 100
    assert written.counts["trade"] == before
    forget_all()
    assert counts(run_import(received((tmp_path / "all.jsonl").read_bytes()).pk)) == (
        before + 1,
        0,
        0,
    )


def test_a_trade_that_is_made_by_hand_meanwhile_has_an_identity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is made each time that all others have just been entered, as if by another process."""
    left, enter_by_hand = [2], backup.enter_by_hand

    def enter_and_be_late() -> None:
        enter_by_hand()
        if left[0]:
            left[0] -= 1
            made_by_hand()

    monkeypatch.setattr(backup, "enter_by_hand", enter_and_be_late)
    made_by_hand()
    content, before = saved(tmp_path), state()
    forget_all()
    assert counts(run_import(received(content).pk)) == (3, 0, 0)
    assert state() == before


@pytest.mark.parametrize("die_at", [4, 25])
def test_a_killed_restore_goes_on(content: bytes, die_at: int) -> None:
    before = state()
    forget_all()
    log = received(content)
    go(drive("import", log, die_at=die_at))
    log.refresh_from_db()
    assert log.status in (Status.RUNNING, Status.QUEUED)
    expire_lease(log)
    assert run_import(log.pk).status == Status.SUCCESS
    assert state() == before


def test_two_restores_at_once_take_in_each_trade_once(content: bytes) -> None:
    before = state()
    forget_all()
    logs = [received(content), received(content)]
    go(*[drive("import", log) for log in logs])
    for log in logs:
        log.refresh_from_db()
        assert (log.status, log.failed_rows) == (Status.SUCCESS, 0), log.error_summary
    assert sum(log.success_rows for log in logs) == len(before["trades"]) + 1
    assert {kind: sorted(rows, key=str) for kind, rows in state().items()} == {
        kind: sorted(rows, key=str) for kind, rows in before.items()
    }
