"""How a batch ends: its rest cancelled or failed where there is one, its final state, a word."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from batches.answers import INTERRUPTED
from batches.claims import finish, patiently, renew
from batches.models import Batch, BatchTrade
from batches.states import Status, TradeStatus
from joblogs.notices import tell
from joblogs.states import Level

LEVELS = {Status.FAILED: Level.ERROR, Status.PARTIAL_SUCCESS: Level.WARNING}
COUNTER = {
    TradeStatus.FAILED: "failed_trades",
    TradeStatus.CANCELLED: "cancelled_trades",
}


def end(batch: Batch, reason: str = "") -> None:
    """Give a batch of ours its final state. Raises LeaseLost.

    With a reason it is given up: what is left of it fails with that reason. Of one that a user
    has cancelled, what is left is cancelled, and so is the batch.
    """
    with transaction.atomic():
        renew(batch)  # locks it: a cancel comes before this, or finds the batch final
        batch.refresh_from_db(fields=["cancel_requested"])
        end_all(batch, TradeStatus.EXECUTING, TradeStatus.FAILED, INTERRUPTED)
        if batch.cancel_requested:
            end_all(batch, TradeStatus.PENDING, TradeStatus.CANCELLED, "")
        elif reason:
            end_all(batch, TradeStatus.PENDING, TradeStatus.FAILED, reason)
        batch.refresh_from_db()
        status = final_status(batch)
        finish(batch, status, error_summary=summary(batch, reason))
        tell_of_end(batch, status, summary(batch, reason))


def tell_of_end(batch: Batch, status: Status, words: str) -> None:
    """Each round of a batch ends once, and once it is told of it: with the end, or not at all."""
    tell(
        f"batch:{batch.pk}:{batch.rounds}",
        f"Batch {status.label.lower()}: {batch.name}",
        words or all_executed(batch),
        LEVELS.get(status, Level.INFO),
        batch.get_absolute_url(),
    )


def all_executed(batch: Batch) -> str:
    alone = batch.total_trades == 1
    return "Its trade is executed." if alone else f"All {batch.trades_in_words} are executed."


def give_up(batch: Batch, reason: str) -> None:
    """End a batch that nobody can work on. Raises LeaseLost."""
    patiently(lambda: end(batch, reason))


def end_all(batch: Batch, old: TradeStatus, new: TradeStatus, message: str) -> int:
    """Move all trades of a batch from one state to a final one, and count them; how many.

    The caller holds the batch, in a transaction.
    """
    now = timezone.now()
    left = BatchTrade.objects.filter(batch=batch, status=old)
    count = left.update(status=new, error_message=message, finished_at=now)
    if count:
        counted = {COUNTER[new]: F(COUNTER[new]) + count}
        Batch.objects.filter(pk=batch.pk).update(**counted, updated_at=now)
    return count


def final_status(batch: Batch) -> Status:
    if batch.cancel_requested:
        return Status.CANCELLED
    if batch.executed_trades == batch.total_trades:
        return Status.SUCCESS
    return Status.PARTIAL_SUCCESS if batch.executed_trades else Status.FAILED


def summary(batch: Batch, reason: str = "") -> str:
    """What deserves a word about a batch at its end; '' if it is plain success."""
    counts = {
        "executed": batch.executed_trades,
        "failed": batch.failed_trades,
        "cancelled": batch.cancelled_trades,
    }
    if not batch.failed_trades and not batch.cancelled_trades:
        return ""
    parts = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    return " ".join(filter(None, [reason, f"Of {batch.trades_in_words}: {parts}."]))
