"""Imports and rollbacks in the background: slices, takeover from the dead, and who is dead."""

import io
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import Model
from django.utils import timezone

from imports import background, rollback, running
from imports.background import (
    ROLLBACK_ATTEMPTS,
    import_slice,
    rollback_slice,
    start_import,
    start_rollback,
    waiting_imports,
    waiting_rollbacks,
)
from imports.claims import claim, free_from_the_dead
from imports.models import SOON, ImportedExecution, ImportExecutionLog
from imports.rollback import begin
from imports.states import StateConflict, Status
from imports.storing import Wishes, receive
from joblogs.models import JobLog
from joblogs.owners import HOST, is_dead, new_owner
from joblogs.states import Trigger
from tests.conftest import ZONE, TakeIn, file_of, fill
from trades.models import Trade

FIVE = file_of(*[fill(ID=f"exec-{number}") for number in range(1, 6)])


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "CHUNK", 2)
    monkeypatch.setattr(rollback, "SLICE", 2)


@pytest.fixture
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice is over after its first chunk."""
    monkeypatch.setattr(background, "SLICE", -1)


@pytest.fixture
def log(db: None) -> ImportExecutionLog:
    return receive(io.BytesIO(FIVE.encode()), "fills.csv", Wishes(timezone=ZONE))


def bells() -> list[tuple[str, int]]:
    return [*JobLog.objects.order_by("pk").values_list("job", "subject_id")]


def set_values(row: Model, **values: object) -> None:
    type(row).objects.filter(pk=row.pk).update(**values)
    row.refresh_from_db()


# --- Starting


def test_a_started_import_waits_for_a_worker(log: ImportExecutionLog) -> None:
    start_import(log, Trigger.MANUAL)
    log.refresh_from_db()
    assert (bells(), log.status) == ([("import", log.pk)], Status.QUEUED)


def test_a_file_that_could_not_be_received_is_not_started(db: None, settings: object) -> None:
    settings.TRADELOG_MAX_FILE_MB = 0
    log = receive(io.BytesIO(b"x"), "fills.csv")
    start_import(log, Trigger.MANUAL)
    assert (log.status, bells()) == (Status.FAILED, [])


def test_a_started_rollback_is_seen_at_once(take_in: TakeIn, adam: User) -> None:
    log = take_in(FIVE)
    start_rollback(log, adam, Trigger.MANUAL)
    log.refresh_from_db()
    assert (log.status, log.rolled_back_by, bells()) == (
        Status.ROLLING_BACK,
        adam,
        [("rollback", log.pk)],
    )


def test_what_cannot_be_undone_is_not_started(log: ImportExecutionLog, adam: User) -> None:
    with pytest.raises(StateConflict):
        start_rollback(log, adam, Trigger.MANUAL)
    assert bells() == []


# --- Slices


def test_an_import_is_done_in_one_slice_if_it_can_be(log: ImportExecutionLog) -> None:
    assert import_slice(log.pk) == {
        "import": log.pk,
        "status": "success",
        "lines": 5,
        "taken_in": 5,
        "known": 0,
        "failed": 0,
    }
    assert bells() == []


def test_a_slice_that_is_over_rings_for_the_next(
    log: ImportExecutionLog, short_slices: None
) -> None:
    done = [import_slice(log.pk)["lines"] for _ in range(3)]
    assert (done, bells()) == ([2, 4, 5], [("import", log.pk)] * 3)
    assert import_slice(log.pk)["status"] == "success"
    log.refresh_from_db()
    assert (log.success_rows, log.attempt, len(bells())) == (5, 1, 3)


def test_a_bell_for_an_import_in_other_hands_is_left(log: ImportExecutionLog) -> None:
    claim(log.pk, Status.RUNNING)
    assert import_slice(log.pk) == {"import": log.pk, "left": True}
    log.refresh_from_db()
    assert (log.status, log.cursor, log.attempt) == (Status.RUNNING, 0, 1)


def test_a_rollback_is_done_in_slices(take_in: TakeIn, adam: User, short_slices: None) -> None:
    log = take_in(FIVE)
    begin(log, adam)
    statuses = [rollback_slice(log.pk)["status"] for _ in range(4)]
    assert statuses == ["rolling_back"] * 3 + ["rolled_back"]
    assert (Trade.objects.count(), ImportedExecution.objects.count()) == (0, 0)


def test_a_doubled_bell_for_a_rollback_is_left(take_in: TakeIn, adam: User) -> None:
    log = take_in(FIVE)
    begin(log, adam)
    rollback_slice(log.pk)
    assert rollback_slice(log.pk) == {"import": log.pk, "left": True}


def test_a_rollback_in_other_hands_is_left(take_in: TakeIn, adam: User) -> None:
    log = take_in(FIVE)
    begin(log, adam)
    claim(log.pk, Status.ROLLING_BACK)
    assert rollback_slice(log.pk) == {"import": log.pk, "left": True}
    assert Trade.objects.count() == 5


# --- What waits


def test_an_import_waits_when_nobody_takes_it_soon(log: ImportExecutionLog) -> None:
    assert [*waiting_imports()] == []
    set_values(log, queued_at=timezone.now() - SOON - timedelta(seconds=1))
    assert [*waiting_imports()] == [log.pk]


def test_an_import_between_two_slices_waits(log: ImportExecutionLog, short_slices: None) -> None:
    import_slice(log.pk)
    assert [*waiting_imports()] == [log.pk]


def test_an_import_at_work_does_not_wait(log: ImportExecutionLog) -> None:
    claim(log.pk, Status.RUNNING)
    assert [*waiting_imports()] == []


def test_an_import_of_a_dead_process_waits(log: ImportExecutionLog) -> None:
    claim(log.pk, Status.RUNNING)
    set_values(log, owner=name_of_the_dead())
    assert [*waiting_imports()] == [log.pk]
    log.refresh_from_db()
    assert log.owner == ""


def test_a_rollback_that_never_gets_on_stops_waiting(take_in: TakeIn, adam: User) -> None:
    log = take_in(FIVE)
    begin(log, adam)
    assert [*waiting_rollbacks()] == [log.pk]
    set_values(log, attempt=ROLLBACK_ATTEMPTS)
    assert [*waiting_rollbacks()] == []
    begin(log, adam)
    assert [*waiting_rollbacks()] == [log.pk]


# --- Who is dead


def name_of_the_dead() -> str:
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    )
    return f"{HOST}:{ended.stdout.strip()}:1:x"


def test_this_process_lives() -> None:
    assert not is_dead(new_owner())


def test_a_process_that_is_gone_is_dead() -> None:
    assert is_dead(name_of_the_dead())


def test_a_number_that_another_process_has_now_is_no_life() -> None:
    assert is_dead(f"{HOST}:{os.getpid()}:1:x")


@pytest.mark.parametrize("owner", ["", "x", "elsewhere:1:1:x", f"{HOST}:x:1:x", f"{HOST}:1"])
def test_of_others_nobody_can_tell(owner: str) -> None:
    assert not is_dead(owner)


def test_no_two_claims_have_one_name() -> None:
    assert len({new_owner() for _ in range(100)}) == 100
    assert max(map(len, [new_owner()])) <= 64


def test_the_living_keep_their_imports(log: ImportExecutionLog) -> None:
    owner = claim(log.pk, Status.RUNNING).owner
    assert free_from_the_dead() == 0
    log.refresh_from_db()
    assert log.owner == owner


# --- The commands


def said(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_import_csv_leaves_the_work_to_a_worker(db: None, tmp_path: object) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(FIVE)
    words = said("import_csv", str(path), "--background")
    log = ImportExecutionLog.objects.get()
    assert words == f"mine.csv: queued as import {log.pk}; a worker will take it.\n"
    assert (log.status, bells()) == (Status.QUEUED, [("import", log.pk)])


def test_retry_import_leaves_the_work_to_a_worker(take_in: TakeIn) -> None:
    old = take_in(file_of(fill(Quantity="abc")))
    said("retry_import", str(old.pk), "--background")
    new = ImportExecutionLog.objects.get(retry_of=old)
    assert (new.status, bells()) == (Status.QUEUED, [("import", new.pk)])


def test_rollback_import_leaves_the_work_to_a_worker(take_in: TakeIn) -> None:
    log = take_in(FIVE)
    assert "a worker will roll it back" in said(
        "rollback_import", str(log.pk), "--yes", "--background"
    )
    assert (bells(), Trade.objects.count()) == ([("rollback", log.pk)], 5)
