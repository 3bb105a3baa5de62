"""A batch is rolled back: its trades go, in slices, and nothing else does."""

import pytest

from batches import undoing
from batches.background import waiting_undos
from batches.claims import claim_undo
from batches.control import retry, undo
from batches.executors import EXECUTORS
from batches.models import Batch, BatchTrade
from batches.states import StateConflict, Status
from batches.undoing import undo_slice
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.states import RowStatus
from joblogs.models import JobLog
from tests.batching import stage, started, states_of, work_off
from tests.brokers import Strict
from tests.conftest import person
from tests.test_background import name_of_the_dead
from trades.models import Trade

pytestmark = pytest.mark.django_db


def ended(count: int = 5) -> Batch:
    batch = started(count, bad=1)
    work_off()
    batch.refresh_from_db()
    return batch


@pytest.fixture
def small_lots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once, and a slice is over after the first."""
    monkeypatch.setattr(undoing, "LOT", 2)
    monkeypatch.setattr(undoing, "SLICE", -1)


def test_the_trades_of_a_batch_go_and_no_others() -> None:
    other, batch = ended(2), ended(3)
    user = person("uwe")
    undo(batch, user)
    assert undo_slice(batch.pk) == {"batch": batch.pk, "ended": True, "deleted": 3}
    batch.refresh_from_db()
    assert (batch.status, batch.undone_by, batch.owner) == (Status.PARTIAL_SUCCESS, user, "")
    assert batch.undone_at
    assert states_of(batch) == ["executed"] * 3 + ["failed"]
    assert not BatchTrade.objects.filter(batch=batch).exclude(trade=None).exists()
    assert {*Trade.objects.values_list("batch", flat=True)} == {other.pk}
    assert Trade.objects.count() == ImportedExecution.objects.count() == 2


def test_it_is_done_in_slices(small_lots: None) -> None:
    batch = undo(ended(5))
    Trade.objects.filter(batch_trade__sequence=1).delete()  # by a user
    slices = [undo_slice(batch.pk) for _ in range(4)]
    assert [one["deleted"] for one in slices] == [1, 2, 1, 0]
    assert [one["ended"] for one in slices] == [False] * 3 + [True]
    assert not ImportedExecution.objects.exists()
    assert JobLog.objects.filter(job="undo_batch").count() == 4
    assert not Trade.objects.exists()


def test_a_doubled_bell_is_left() -> None:
    batch = undo(ended())
    undo_slice(batch.pk)
    assert undo_slice(batch.pk) == {"batch": batch.pk, "left": True}


def test_one_in_other_hands_is_left() -> None:
    batch = undo(ended())
    claim_undo(batch.pk)
    assert undo_slice(batch.pk) == {"batch": batch.pk, "left": True}
    assert Trade.objects.count() == 5


def test_one_of_a_dead_process_waits() -> None:
    batch = undo(ended())
    claim_undo(batch.pk)
    assert [*waiting_undos()] == []
    Batch.objects.filter(pk=batch.pk).update(owner=name_of_the_dead())
    assert [*waiting_undos()] == [batch.pk]
    undo_slice(batch.pk)
    assert [*waiting_undos()] == []


def test_who_has_lost_it_deletes_nothing_more(
    small_lots: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = undo(ended(5))
    executed_behind = undoing.executed_behind

    def lose_it(batch: Batch, last: int) -> list[BatchTrade]:
        Batch.objects.update(owner="rival")
        return executed_behind(batch, last)

    monkeypatch.setattr(undoing, "executed_behind", lose_it)
    assert undo_slice(batch.pk) == {"batch": batch.pk, "left": True}
    assert Trade.objects.count() == 5


def test_lines_that_were_skipped_because_of_its_trades_are_unlinked() -> None:
    batch = ended(1)
    log = ImportExecutionLog.objects.create(file_name="a.csv")
    trade = Trade.objects.get()
    row = ImportRowLog.objects.create(
        import_log=log, row_number=2, status=RowStatus.SKIPPED, duplicate_of=trade
    )
    undo(batch)
    undo_slice(batch.pk)
    row.refresh_from_db()
    assert row.duplicate_of_id is None


def test_what_was_executed_elsewhere_cannot_be_rolled_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(EXECUTORS, "strict", Strict)
    batch = started(1, executor="strict")
    work_off()
    with pytest.raises(StateConflict, match="Strict broker has executed it outside"):
        undo(batch)


def test_without_its_executor_nobody_can_say_whether_it_can_be() -> None:
    batch = ended()
    Batch.objects.filter(pk=batch.pk).update(executor="gone")
    with pytest.raises(StateConflict, match="the executor gone is not there"):
        undo(batch)


def test_what_is_rolled_back_is_neither_retried_nor_rolled_back_again() -> None:
    batch = undo(ended())
    undo_slice(batch.pk)
    for deed in (retry, undo):
        with pytest.raises(StateConflict):
            deed(batch)


def test_a_batch_that_is_only_staged_cannot_be_rolled_back() -> None:
    with pytest.raises(StateConflict):
        undo(stage(1))
