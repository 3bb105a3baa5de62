"""What users do with batches: start, cancel, retry, change the priority, archive, delete.

Each is one conditional change whose row count decides who was first; whoever comes too late gets a
StateConflict with a sentence. All return the batch as it is then.
"""

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from batches.ending import end_all, summary
from batches.models import FIRST, LAST, Batch, BatchTrade
from batches.states import FINAL, StateConflict, Status, TradeStatus
from joblogs.queueing import ring
from joblogs.states import Trigger

RUN, UNDO = "batch", "undo_batch"  # the jobs


def conflict(batch: Batch, what: str) -> StateConflict:
    """The words for who comes too late, or asks for what cannot be."""
    batch.refresh_from_db()
    state = batch.get_status_display().lower()
    if batch.waits_for_worker:
        state = "started already"
    elif batch.cancel_requested and not batch.is_completed:
        state = "being cancelled already"
    return StateConflict(f"{batch.name} is {state}; {what}.")


def held(batch: Batch) -> Batch:
    """The batch as it is, and as it stays until the surrounding transaction ends."""
    return Batch.objects.select_for_update().get(pk=batch.pk)


def start(
    batch: Batch, user: AbstractBaseUser | None = None, trigger: Trigger = Trigger.MANUAL
) -> Batch:
    """Have a staged batch worked on as soon as a worker is free. Raises StateConflict."""
    now = timezone.now()
    with transaction.atomic():
        staged = Batch.objects.filter(pk=batch.pk, status=Status.PENDING, queued_at=None)
        if not staged.update(queued_at=now, rounds=F("rounds") + 1, updated_at=now):
            raise conflict(batch, "only one that was never started can be started")
        ring(RUN, batch.pk, trigger=trigger)
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
            ring(RUN, batch.pk, trigger=trigger)  # its owner may be dead
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


def retry(
    batch: Batch, user: AbstractBaseUser | None = None, trigger: Trigger = Trigger.MANUAL
) -> Batch:
    """Have what failed or was cancelled tried again; it runs as soon as a worker is free.

    Raises StateConflict.
    """
    with transaction.atomic():
        now = held(batch)
        if not now.can_be_retried:
            raise conflict(batch, "only one that ended without success can be retried")
        wait_again(now)
        ring(RUN, batch.pk, trigger=trigger)
    batch.refresh_from_db()
    return batch


def wait_again(batch: Batch) -> None:
    """Move what failed or was cancelled, and the batch, back to pending."""
    trades = BatchTrade.objects.filter(batch=batch)
    failed = trades.filter(status=TradeStatus.FAILED, errors=[])
    cancelled = trades.filter(status=TradeStatus.CANCELLED)
    again = {"status": TradeStatus.PENDING, "finished_at": None}
    moment = timezone.now()
    Batch.objects.filter(pk=batch.pk).move(
        Status(batch.status),
        Status.PENDING,
        failed_trades=F("failed_trades") - failed.update(**again),
        cancelled_trades=F("cancelled_trades") - cancelled.update(**again),
        queued_at=moment,
        updated_at=moment,
        started_at=None,
        completed_at=None,
        error_summary="",
        attempt=0,
        rounds=F("rounds") + 1,
        cancel_requested=False,
    )


def set_priority(batch: Batch, priority: int, user: AbstractBaseUser | None = None) -> Batch:
    """1 comes first, 10 last; a worker that is at it finishes its slice. Raises StateConflict.

    Raises ValueError for another number.
    """
    if not FIRST <= priority <= LAST:
        raise ValueError(f"The priority is a number from {FIRST} to {LAST}, not {priority}.")
    waiting = Batch.objects.filter(pk=batch.pk, status__in=[Status.PENDING, Status.RUNNING])
    if not waiting.update(priority=priority, updated_at=timezone.now()):
        raise conflict(batch, "only one that waits or runs has a priority to change")
    batch.refresh_from_db()
    return batch


def archive(batch: Batch, user: AbstractBaseUser | None = None) -> Batch:
    """Put a final batch away. Raises StateConflict."""
    final = Batch.objects.filter(pk=batch.pk, status__in=FINAL, archived_at=None)
    if not final.update(archived_at=timezone.now(), updated_at=timezone.now()):
        raise conflict(batch, "only one that has ended can be archived, once")
    batch.refresh_from_db()
    return batch


def unarchive(batch: Batch, user: AbstractBaseUser | None = None) -> Batch:
    """Take it out again. Raises StateConflict."""
    archived = Batch.objects.filter(pk=batch.pk, archived_at__isnull=False)
    if not archived.update(archived_at=None, updated_at=timezone.now()):
        raise conflict(batch, "it is not archived")
    batch.refresh_from_db()
    return batch
