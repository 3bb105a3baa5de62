"""Roll back a batch: its trades and their ledger rows go, the batch and its batch trades stay.

In lots, each a transaction, and in slices of time. A slice looks at every batch trade from the
first on: of those that are done nothing is left to delete, which is quick.
"""

import logging
import time

from django.db import transaction
from django.utils import timezone

from batches.booking import key_of
from batches.claims import LeaseLost, claim_undo, patiently, release_when_possible, renew
from batches.control import UNDO
from batches.models import Batch, BatchTrade
from batches.states import TradeStatus
from imports.inserting import hold
from imports.models import ImportedExecution
from joblogs.queueing import ring
from joblogs.states import Trigger
from trades.models import Trade
from trades.positions import recompute_for_a_while
from trades.touched import mark_trades
from web.manyids import change

logger = logging.getLogger(__name__)

SLICE = 60  # seconds
LOT = 1_000  # batch trades in one transaction


def undo_slice(batch_id: int) -> dict[str, object]:
    """Roll back as much of a batch as a slice of time allows."""
    batch = claim_undo(batch_id)
    if batch is None:
        logger.info("Batch %s does not wait for a rollback; nothing was done.", batch_id)
        return {"batch": batch_id, "left": True}
    try:
        ended, deleted = go_on(batch)
    except LeaseLost:
        logger.info("%s is in other hands now.", batch.name)
        return {"batch": batch_id, "left": True}
    except BaseException:
        release_when_possible(batch)
        raise
    if not ended:
        release_when_possible(batch)
        ring(UNDO, batch.pk, trigger=Trigger.SCHEDULE)
    recompute_for_a_while()
    words = "is rolled back" if ended else "goes on in the next slice"
    logger.info("%s %s; this slice deleted %s trades.", batch.name, words, f"{deleted:,}")
    return {"batch": batch_id, "ended": ended, "deleted": deleted}


def go_on(batch: Batch) -> tuple[bool, int]:
    """Whether all is done, and how many trades were deleted. Raises LeaseLost."""
    over_at = time.monotonic() + SLICE
    deleted = last = 0
    while rows := executed_behind(batch, last):
        gone = patiently(lambda rows=rows: undo_lot(batch, rows))
        deleted += gone
        last = rows[-1].sequence
        if gone and time.monotonic() > over_at:
            return False, deleted
    now = timezone.now()
    patiently(lambda: renew(batch, undone_at=now, updated_at=now))
    release_when_possible(batch)
    return True, deleted


def executed_behind(batch: Batch, last: int) -> list[BatchTrade]:
    rows = BatchTrade.objects.filter(
        batch=batch, status=TradeStatus.EXECUTED, sequence__gt=last
    ).order_by("sequence")
    return list(rows.only("sequence", "account_id", "trade_id")[:LOT])


def undo_lot(batch: Batch, rows: list[BatchTrade]) -> int:
    """Delete the trades of these and their ledger rows; how many trades there were."""
    trade_ids = [row.trade_id for row in rows if row.trade_id]
    with transaction.atomic():
        renew(batch)
        # An import that skips lines because of these trades is waited for, and then unlinked.
        hold(Trade, trade_ids, "UPDATE")
        mark_trades(Trade.objects.filter(pk__in=trade_ids))
        change(
            "UPDATE import_execution_row_logs SET duplicate_of_id = NULL WHERE duplicate_of_id",
            trade_ids,
        )
        change("UPDATE batch_trades SET trade_id = NULL WHERE trade_id", trade_ids)
        deleted = change("DELETE FROM trades WHERE id", trade_ids)
        for account_id in {row.account_id for row in rows}:
            keys = [key_of(batch, row.sequence) for row in rows if row.account_id == account_id]
            ImportedExecution.objects.filter(account_id=account_id, execution_id__in=keys).delete()
    return deleted
