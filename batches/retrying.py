"""What failed or was cancelled becomes pending again; bad lines are read once more."""

from django.db.models import F
from django.utils import timezone

from batches.models import Batch, BatchTrade
from batches.restaging import NO_ERRORS
from batches.states import Status, TradeStatus
from batches.writing import Staged


def wait_again(batch: Batch, lines: Staged) -> None:
    """Move what failed or was cancelled, and the batch, back to pending.

    What they were told, and how often they were handed over, is kept; `lines` are bad ones that
    were read again. The caller holds the batch, in a transaction.
    """
    again = {"status": TradeStatus.PENDING, "finished_at": None}
    trades = BatchTrade.objects.filter(batch=batch)
    mended = lines.replace()
    failed = trades.filter(status=TradeStatus.FAILED, errors=NO_ERRORS).update(**again)
    cancelled = trades.filter(status=TradeStatus.CANCELLED).update(**again)
    moment = timezone.now()
    Batch.objects.filter(pk=batch.pk).move(
        Status(batch.status),
        Status.PENDING,
        failed_trades=F("failed_trades") - failed - mended,
        cancelled_trades=F("cancelled_trades") - cancelled,
        queued_at=moment,
        updated_at=moment,
        started_at=None,
        completed_at=None,
        error_summary="",
        attempt=0,
        rounds=F("rounds") + 1,
        cancel_requested=False,
    )
