"""What users do with batches: start, cancel, retry, change the priority, archive, delete, undo.

Each is one conditional change whose row count decides who was first; whoever comes too late gets a
StateConflict with a sentence. All return the batch as it is then.
"""

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from audit.models import Deed
from audit.writing import write_down
from batches.ending import end_all, summary, tell_of_end
from batches.executors import executor_named
from batches.models import FIRST, LAST, Batch, BatchTemplate, BatchTrade
from batches.restaging import read_bad_lines
from batches.retrying import wait_again
from batches.staging import StagingError
from batches.states import FINAL, StateConflict, Status, TradeStatus
from joblogs.queueing import ring
from joblogs.states import Trigger
from trades.models import Trade

RUN, UNDO = "batch", "undo_batch"  # the jobs


def conflict(batch: Batch, what: str) -> StateConflict:
    """The words for who comes too late, or asks for what cannot be."""
    try:
        batch.refresh_from_db()
    except Batch.DoesNotExist:
        return StateConflict(f"{batch.name} is deleted.")
    state = batch.get_status_display().lower()
    if batch.waits_for_worker:
        state = "started already"
    elif batch.cancel_requested and not batch.is_completed:
        state = "being cancelled already"
    elif batch.undo_requested:
        state = "rolled back" if batch.undone_at else "being rolled back"
    if batch.archived_at:
        state += " and archived"
    return StateConflict(f"{batch.name} is {state}; {what}.")


def held(batch: Batch) -> Batch:
    """The batch as it is, and as it stays until the surrounding transaction ends."""
    now = Batch.objects.select_for_update().filter(pk=batch.pk).first()
    if now is None:
        raise conflict(batch, "")
    return now


def start(
    batch: Batch, user: AbstractBaseUser | None = None, trigger: Trigger = Trigger.MANUAL
) -> Batch:
    """Have a staged batch worked on as soon as a worker is free. Raises StateConflict."""
    now = timezone.now()
    with transaction.atomic():
        staged = Batch.objects.filter(pk=batch.pk, status=Status.PENDING, queued_at=None)
        if not staged.update(queued_at=now, rounds=F("rounds") + 1, updated_at=now):
            raise conflict(batch, "only one that was never started can be started")
        write_down(Deed.START, batch, user=user, count=batch.total_trades, words="trades")
        ring(RUN, batch.pk, trigger=trigger, asked_by=user)
    batch.refresh_from_db()
    return batch


def cancel(
    batch: Batch, user: AbstractBaseUser | None = None, trigger: Trigger = Trigger.MANUAL
) -> Batch:
    """Begin none of its trades any more; what runs is finished. Raises StateConflict.

    One that no worker has claimed yet is cancelled at once.
    """
    with transaction.atomic():
        now = held(batch)
        if not now.can_be_cancelled:
            raise conflict(batch, "only one that waits or runs can be cancelled, once")
        if now.status == Status.PENDING:
            cancel_waiting(now)
        else:
            Batch.objects.filter(pk=batch.pk).update(
                cancel_requested=True, updated_at=timezone.now()
            )
            # Its owner may be dead.
            ring(RUN, batch.pk, trigger=trigger, asked_by=user)
        write_down(Deed.CANCEL, batch, user=user)
    batch.refresh_from_db()
    return batch


def cancel_waiting(batch: Batch) -> None:
    """End a batch that nobody works on."""
    end_all(batch, TradeStatus.PENDING, TradeStatus.CANCELLED, "")
    batch.refresh_from_db()
    moment = timezone.now()
    Batch.objects.filter(pk=batch.pk).move(
        Status.PENDING,
        Status.CANCELLED,
        completed_at=moment,
        updated_at=moment,
        error_summary=summary(batch),
    )
    tell_of_end(batch, Status.CANCELLED, summary(batch))


def retry(
    batch: Batch, user: AbstractBaseUser | None = None, trigger: Trigger = Trigger.MANUAL
) -> Batch:
    """Have what failed or was cancelled tried again; it runs as soon as a worker is free.

    Bad lines are read before the batch is held: nobody waits for that. Raises StateConflict.
    """
    before = Batch.objects.filter(pk=batch.pk).first() or batch  # deleted: told by `held`
    require_retryable(before)
    try:
        with read_bad_lines(before) as lines, transaction.atomic():
            now = held(batch)
            require_retryable(now)
            if now.rounds != before.rounds:
                raise conflict(batch, "it was retried meanwhile")
            wait_again(now, lines)
            again = before.failed_trades + before.cancelled_trades
            write_down(Deed.RETRY, batch, user=user, count=again, words="trades")
            ring(RUN, batch.pk, trigger=trigger, asked_by=user)
    except StagingError as problem:
        raise conflict(batch, f"its bad lines cannot be read again: {problem}") from None
    batch.refresh_from_db()
    return batch


def require_retryable(batch: Batch) -> None:
    if not batch.can_be_retried:
        words = "only one that ended without success, and is not archived or rolled back"
        raise conflict(batch, f"{words}, can be retried")


def set_priority(batch: Batch, priority: int, user: AbstractBaseUser | None = None) -> Batch:
    """1 comes first, 10 last; a worker that is at it finishes its slice. Raises StateConflict.

    Raises ValueError for another number.
    """
    if not FIRST <= priority <= LAST:
        raise ValueError(f"The priority is a number from {FIRST} to {LAST}, not {priority}.")
    waiting = Batch.objects.filter(pk=batch.pk, status__in=[Status.PENDING, Status.RUNNING])
    with transaction.atomic():
        if not waiting.update(priority=priority, updated_at=timezone.now()):
            raise conflict(batch, "only one that waits or runs has a priority to change")
        write_down(Deed.CHANGE, batch, user=user, words=f"given priority {priority}")
    batch.refresh_from_db()
    return batch


def archive(batch: Batch, user: AbstractBaseUser | None = None) -> Batch:
    """Put a final batch away. Raises StateConflict."""
    final = Batch.objects.filter(pk=batch.pk, status__in=FINAL, archived_at=None)
    with transaction.atomic():
        if not final.update(archived_at=timezone.now(), updated_at=timezone.now()):
            raise conflict(batch, "only one that has ended can be archived, once")
        write_down(Deed.CHANGE, batch, user=user, words="archived")
    batch.refresh_from_db()
    return batch


def unarchive(batch: Batch, user: AbstractBaseUser | None = None) -> Batch:
    """Take it out again. Raises StateConflict."""
    archived = Batch.objects.filter(pk=batch.pk, archived_at__isnull=False)
    with transaction.atomic():
        if not archived.update(archived_at=None, updated_at=timezone.now()):
            raise conflict(batch, "it is not archived")
        write_down(Deed.CHANGE, batch, user=user, words="taken out of the archive")
    batch.refresh_from_db()
    return batch


def delete(batch: Batch, user: AbstractBaseUser | None = None) -> Batch:
    """Delete a batch that has ended, or was never started; its trades and their ledger stay.

    Raises StateConflict.
    """
    with transaction.atomic():
        now = held(batch)
        if not now.can_be_deleted:
            raise conflict(batch, "only one that has ended, or was never started, can be deleted")
        write_down(Deed.DELETE, batch, user=user, count=now.total_trades, words="batch trades")
        Trade.objects.filter(batch=batch).update(batch=None)
        # Raw: nothing refers to them, and they may be many.
        rows = BatchTrade.objects.filter(batch=batch)
        rows._raw_delete(rows.db)
        now.delete()
    return batch


def undo(
    batch: Batch, user: AbstractBaseUser | None = None, trigger: Trigger = Trigger.MANUAL
) -> Batch:
    """Have the trades of a batch rolled back in the background. Raises StateConflict.

    Only where the executor says that nothing has left the house.
    """
    with transaction.atomic():
        now = held(batch)
        if problem := why_it_cannot_be_undone(now):
            raise conflict(batch, problem)
        Batch.objects.filter(pk=batch.pk).update(
            undo_requested=True, undone_by=user, updated_at=timezone.now()
        )
        write_down(Deed.ROLLBACK, batch, user=user, count=now.executed_trades, words="trades")
        ring(UNDO, batch.pk, trigger=trigger, asked_by=user)
    batch.refresh_from_db()
    return batch


def why_it_cannot_be_undone(batch: Batch) -> str:
    """A clause that says why, '' if it can be."""
    if batch.undo_requested:
        return "its trades are rolled back already"
    if not batch.is_completed or not batch.executed_trades:
        return "only one that has ended with trades executed can be rolled back"
    try:
        executor = executor_named(batch.executor)
    except ValueError:
        return f"the executor {batch.executor} is not there to say whether it can be rolled back"
    return "" if executor.can_undo else f"{executor.title} has executed it outside of this house"


def save_template(template: BatchTemplate) -> BatchTemplate:
    with transaction.atomic():
        deed = Deed.CHANGE if template.pk else Deed.ADD
        template.save()
        write_down(deed, template)
    return template


def delete_template(template: BatchTemplate) -> None:
    """Batches that were made from it stay."""
    with transaction.atomic():
        write_down(Deed.DELETE, template)
        template.delete()
