"""What users may do with a batch, when, and what a user is told who comes too late."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from audit.models import AuditEntry
from batches import restaging
from batches.claims import claim
from batches.control import (
    archive,
    cancel,
    delete,
    retry,
    set_priority,
    start,
    unarchive,
    undo,
)
from batches.executors import EXECUTORS
from batches.lines import LineReader, StagedLine
from batches.models import Batch, BatchTrade
from batches.staging import stage_json
from batches.states import StateConflict, Status, TradeStatus
from imports.models import ImportedExecution
from joblogs.models import JobLog, Notice
from tests.batching import assert_true_to_its_trades, stage, started, states_of, work_off
from tests.brokers import Lenient, Strict
from trades.models import Account, Trade

pytestmark = pytest.mark.django_db

Deed = Callable[..., Batch]


@pytest.fixture(autouse=True)
def brokers(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (Strict, Lenient):
        monkeypatch.setitem(EXECUTORS, kind.name, kind)


def bells() -> list[tuple[str, int]]:
    return [*JobLog.objects.order_by("pk").values_list("job", "subject_id")]


def in_state(state: str) -> Batch:
    """A batch in one of the states that a batch can be in."""
    batch = stage(2)
    values: dict[str, object] = {}
    if state != "staged":
        values |= {"queued_at": timezone.now(), "rounds": 1}
    if state in ("running", "cancelling"):
        values |= {"status": Status.RUNNING, "owner": "somebody"}
        values |= {"lease_until": timezone.now() + timedelta(minutes=1)}
    if state == "cancelling":
        values["cancel_requested"] = True
    if state in ("success", "failed", "cancelled", "partial_success"):
        values["status"] = state
        if state == "partial_success":
            values |= {"executed_trades": 1, "failed_trades": 1}
        else:
            counter = {"success": "executed"}.get(state, state)
            values[f"{counter}_trades"] = 2
    Batch.objects.filter(pk=batch.pk).update(**values)
    batch.refresh_from_db()
    return batch


STATES = [
    "staged",
    "queued",
    "running",
    "cancelling",
    "success",
    "partial_success",
    "failed",
    "cancelled",
]
FINAL = {"success", "partial_success", "failed", "cancelled"}


def prioritise(batch: Batch, user: User | None = None) -> Batch:
    return set_priority(batch, 2, user)


# What may be done in which states; in all others it is a conflict.
ALLOWED: list[tuple[Deed, set[str]]] = [
    (start, {"staged"}),
    (cancel, {"staged", "queued", "running"}),
    (retry, {"partial_success", "failed", "cancelled"}),
    (prioritise, {"staged", "queued", "running", "cancelling"}),
    (archive, FINAL),
    (unarchive, set()),
    (delete, FINAL | {"staged"}),
    (undo, {"success", "partial_success"}),
]
EACH = [(deed, state, state in states) for deed, states in ALLOWED for state in STATES]


@pytest.mark.parametrize(("deed", "state", "allowed"), EACH)
def test_each_deed_has_its_states(deed: Deed, state: str, allowed: bool, adam: User) -> None:
    batch = in_state(state)
    if allowed:
        deed(batch, adam)
        assert AuditEntry.objects.get().subject == "Monday"
        return
    before = Batch.objects.values().get(pk=batch.pk)
    with pytest.raises(StateConflict, match=r"^Monday is .*\.$"):
        deed(batch, adam)
    assert Batch.objects.values().get(pk=batch.pk) == before
    assert (bells(), AuditEntry.objects.count()) == ([], 0)


# --- Start


def test_a_started_batch_waits_for_a_worker(adam: User) -> None:
    batch = start(stage(2), adam)
    assert (batch.status, batch.waits_for_worker, batch.rounds) == (Status.PENDING, True, 1)
    assert bells() == [("batch", batch.pk)]
    entry = AuditEntry.objects.get()
    assert (entry.user, entry.subject_id, entry.deed) == (adam, str(batch.pk), "start")


def test_a_second_start_says_why_not() -> None:
    batch = started(1)
    with pytest.raises(StateConflict, match="Monday is started already; only one that was never"):
        start(batch)
    assert len(bells()) == 1


# --- Cancel


def test_a_batch_that_waits_is_cancelled_at_once() -> None:
    batch = cancel(started(2, bad=1))
    assert_true_to_its_trades(batch)
    assert (batch.status, batch.is_completed) == (Status.CANCELLED, True)
    assert states_of(batch) == ["cancelled", "cancelled", "failed"]
    assert batch.error_summary == "Of 3 trades: 1 failed, 2 cancelled."
    work_off()
    assert not Trade.objects.exists()


def test_a_running_batch_is_left_to_its_owner_to_end() -> None:
    batch = started(2)
    claim()
    batch = cancel(batch)
    assert (batch.status, batch.cancel_requested) == (Status.RUNNING, True)
    assert bells() == [("batch", batch.pk)] * 2
    with pytest.raises(StateConflict, match="Monday is being cancelled already"):
        cancel(batch)


# --- Retry


def test_what_failed_is_tried_again_without_another_start() -> None:
    names = ["fine", "reject", "fine"]
    values = {"values": lambda sequence: {"trade_name": names[sequence - 1]}}
    batch = started(3, executor="strict", **values)
    work_off()
    first = Trade.objects.values_list("pk", flat=True)
    before = list(first)
    BatchTrade.objects.filter(sequence=2).update(trade_name="fine")
    batch = retry(batch)
    assert (batch.status, batch.rounds, batch.failed_trades) == (Status.PENDING, 2, 0)
    waiting = BatchTrade.objects.get(sequence=2)
    assert (waiting.status, waiting.attempts) == (TradeStatus.PENDING, 1)
    assert waiting.error_message == "No margin."
    work_off()
    assert_true_to_its_trades(batch)
    assert batch.status == Status.SUCCESS
    assert {*before} < {*first.all()}
    assert BatchTrade.objects.get(sequence=2).attempts == 2


def test_what_was_cancelled_is_tried_again() -> None:
    batch = retry(cancel(started(2)))
    work_off()
    assert_true_to_its_trades(batch)
    assert (batch.status, batch.cancel_requested) == (Status.SUCCESS, False)


def test_bad_lines_are_read_again() -> None:
    item = {"account": "Sim900", "instrument": "AAPL", "side": "buy", "quantity": "1", "price": "2"}
    batch = stage_json([item, item | {"quantity": "none"}], executor="journal")
    assert batch.failed_trades == 2
    start(batch)
    work_off()
    Account.objects.create(name="Sim900")
    batch = retry(batch)
    assert (batch.failed_trades, states_of(batch)) == (1, ["pending", "failed"])
    work_off()
    assert_true_to_its_trades(batch)
    assert batch.status == Status.PARTIAL_SUCCESS
    assert Trade.objects.get().price == Decimal(2)


def test_nobody_waits_while_bad_lines_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = stage_json([{"account": "Sim900"}], executor="journal")
    start(batch)
    work_off()
    read = restaging.read_again

    def meanwhile(row: BatchTrade, reader: LineReader) -> StagedLine | None:
        monkeypatch.undo()
        retry(batch)
        work_off()
        return read(row, reader)

    monkeypatch.setattr(restaging, "read_again", meanwhile)
    with pytest.raises(StateConflict, match="it was retried meanwhile"):
        retry(batch)
    batch.refresh_from_db()
    assert (batch.rounds, batch.failed_trades) == (2, 1)


def test_of_bad_lines_only_what_changes_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    item = {"account": "Sim900", "instrument": "AAPL", "side": "buy", "quantity": "1", "price": "2"}
    batch = stage_json([item, item | {"quantity": "none"}, {"account": "Sim101"}])
    start(batch)
    work_off()
    before = {row.sequence: row for row in BatchTrade.objects.all()}
    Account.objects.create(name="Sim900")
    retry(batch)
    after = {row.sequence: row for row in BatchTrade.objects.all()}
    changed = [key for key, row in after.items() if row.error_message != before[key].error_message]
    assert changed == [1, 2]
    assert after[2].error_message == "quantity: 'none' is not a number"
    assert (after[1].raw, after[1].errors, after[3].pk) == (item, [], before[3].pk)


def test_bad_lines_cannot_be_read_again_without_their_executor() -> None:
    batch = stage_json([{"account": "Sim900"}], executor="journal")
    start(batch)
    work_off()
    Batch.objects.update(executor="gone")
    with pytest.raises(StateConflict, match="its bad lines cannot be read again: There is no"):
        retry(batch)


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("Monday is failed and archived; ", {"archived_at": timezone.now()}),
        ("Monday is being rolled back; ", {"undo_requested": True}),
        ("Monday is rolled back; ", {"undo_requested": True, "undone_at": timezone.now()}),
    ],
)
def test_what_is_archived_or_rolled_back_is_not_retried(words: str, values: dict) -> None:
    batch = in_state("failed")
    Batch.objects.filter(pk=batch.pk).update(**values)
    with pytest.raises(StateConflict, match=words):
        retry(batch)


# --- Priority, archive, delete


@pytest.mark.parametrize("priority", [0, 11, -1])
def test_a_priority_is_from_1_to_10(priority: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 10"):
        set_priority(stage(1), priority)


def test_an_archived_batch_can_be_taken_out_again() -> None:
    batch = archive(in_state("success"))
    assert batch.archived_at
    with pytest.raises(StateConflict):
        archive(batch)
    assert unarchive(batch).archived_at is None


def test_the_trades_of_a_deleted_batch_stay() -> None:
    batch = started(3)
    work_off()
    delete(batch)
    assert not Batch.objects.exists()
    assert not BatchTrade.objects.exists()
    assert {*Trade.objects.values_list("batch", flat=True)} == {None}
    assert Trade.objects.count() == ImportedExecution.objects.count() == 3


def test_what_is_being_rolled_back_is_not_deleted() -> None:
    batch = in_state("success")
    undo(batch)
    with pytest.raises(StateConflict):
        delete(batch)


# --- Notices


def test_of_each_round_it_is_told_once() -> None:
    batch = started(1, executor="strict", values=lambda sequence: {"trade_name": "reject"})
    work_off()
    retry(batch)
    work_off()
    told = Notice.objects.order_by("pk").values_list("key", "title", "text", "level")
    words = ("Batch failed: Monday", "Of 1 trade: 1 failed.", "error")
    assert [*told] == [(f"batch:{batch.pk}:{round}", *words) for round in (1, 2)]


@pytest.mark.parametrize(
    ("count", "words"), [(1, "Its trade is executed."), (2, "All 2 trades are executed.")]
)
def test_of_success_it_is_told_in_words(count: int, words: str) -> None:
    started(count)
    work_off()
    notice = Notice.objects.get()
    assert (notice.title, notice.text) == ("Batch success: Monday", words)
