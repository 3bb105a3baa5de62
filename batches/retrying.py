"""What failed or was cancelled becomes pending again; bad lines are read once more."""

from collections.abc import Iterator

from django.db.models import F
from django.utils import timezone

from batches.models import Batch, BatchTrade
from batches.restaging import reader_of, restage
from batches.states import Status, TradeStatus

LOT = 500  # bad lines that are read again at once
NO_ERRORS: list[dict[str, str]] = []
FILLED = [
    "account",
    "instrument",
    "side",
    "quantity",
    "price",
    "commission",
    "executed_at",
    "order_id",
    "trade_name",
    "notes",
    "errors",
    "error_message",
    "status",
    "finished_at",
]


def wait_again(batch: Batch) -> None:
    """Move what failed or was cancelled, and the batch, back to pending.

    What they were told, and how often they were handed over, is kept. The caller holds the batch,
    in a transaction. Raises StagingError if bad lines cannot be read without its executor.
    """
    again = {"status": TradeStatus.PENDING, "finished_at": None}
    trades = BatchTrade.objects.filter(batch=batch)
    mended = mend(batch)
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


def mend(batch: Batch) -> int:
    """Read the bad lines of a batch again; how many of them are pending now.

    Those that are still bad are told anew why.
    """
    mended = 0
    for rows in bad_lines(batch):
        reader = reader_of(batch)
        still_bad = [row for row in rows if restage(row, reader)]
        good = [row for row in rows if not row.errors]
        for row in good:
            row.status, row.finished_at = TradeStatus.PENDING, None
        BatchTrade.objects.bulk_update(good, FILLED)
        BatchTrade.objects.bulk_update(still_bad, ["errors", "error_message"])
        mended += len(good)
    return mended


def bad_lines(batch: Batch) -> Iterator[list[BatchTrade]]:
    failed = BatchTrade.objects.filter(batch=batch, status=TradeStatus.FAILED)
    bad = failed.exclude(errors=NO_ERRORS).order_by("sequence")
    last = 0
    while rows := list(bad.filter(sequence__gt=last)[:LOT]):
        yield rows
        last = rows[-1].sequence
