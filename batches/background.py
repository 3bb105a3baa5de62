"""Batches in the background, in slices that end soon and ring for the next one.

A bell names a batch, but whoever answers works on the most urgent one. As many bells are rung as
there are batches that wait, so each has its turn, and one that is started late can come first.
"""

import logging
import time
from collections.abc import Iterable

from batches.claims import free_from_the_dead, patiently
from batches.control import RUN
from batches.models import Batch
from batches.running import run_batch
from joblogs.queueing import ring
from joblogs.states import Trigger
from trades.positions import recompute_for_a_while

logger = logging.getLogger(__name__)

SLICE = 60  # seconds
BETWEEN_WORDS = 5  # seconds


class Slice:
    """Says now and then how far a batch is, and whether the time is over."""

    def __init__(self) -> None:
        self.over_at = time.monotonic() + SLICE
        self.speaks_at = time.monotonic() + BETWEEN_WORDS

    def __call__(self, batch: Batch) -> bool:
        now = time.monotonic()
        if now > self.speaks_at:
            patiently(lambda: batch.refresh_from_db(fields=["executed_trades", "failed_trades"]))
            logger.info(trades_done(batch))
            self.speaks_at = now + BETWEEN_WORDS
        return now > self.over_at


def trades_done(batch: Batch) -> str:
    return f"{batch.name}: {batch.processed_trades:,} of {batch.total_trades:,} trades are done."


def batch_slice(rung_for: int) -> dict[str, object]:
    """Execute as much of the most urgent batch as a slice of time allows."""
    batch = run_batch(Slice())
    if batch is None:
        logger.info("No batch waits for a worker; nothing was done.")
        return {"batch": rung_for, "left": True}
    if batch.is_active and not batch.owner:
        logger.info("%s Enough for now; the next slice goes on.", trades_done(batch))
        ring(RUN, batch.pk, trigger=Trigger.SCHEDULE)
    else:
        logger.info("%s is %s. %s", batch.name, batch.status, batch.error_summary)
    recompute_for_a_while()
    return {
        "batch": batch.pk,
        "status": batch.status,
        "executed": batch.executed_trades,
        "failed": batch.failed_trades,
        "cancelled": batch.cancelled_trades,
    }


def waiting_batches() -> Iterable[int]:
    """Batches that nobody works on, as after the death of a worker.

    Also one that was started only now: its own bell may have been answered for a more urgent one.
    """
    free_from_the_dead()
    return Batch.objects.due().order_by("pk").values_list("pk", flat=True)


def waiting_undos() -> Iterable[int]:
    free_from_the_dead()
    return Batch.objects.being_undone().unowned().order_by("pk").values_list("pk", flat=True)
