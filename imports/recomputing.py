"""Positions in the background: those that an import, a rollback or a user has left to a worker."""

import logging
from collections.abc import Iterable

from django.utils import timezone

from imports.models import SOON
from joblogs.models import JobLog
from joblogs.queueing import ring
from joblogs.states import Status, Trigger
from trades.daytotals import are_kept, count_all
from trades.models import Position
from trades.positions import recompute_touched
from trades.touched import TouchedPair

logger = logging.getLogger(__name__)

RECOMPUTE = "recompute_positions"
SLICE = 60  # seconds


def recompute_positions(account_id: int) -> dict[str, object]:
    """Compute anew as much of an account's positions as a slice of time allows."""
    fills: list[int] = []
    is_done = recompute_touched(account_id=account_id, within=SLICE, on_progress=fills.append)
    if not is_done:
        logger.info("Enough for now; the next slice goes on.")
        ring(RECOMPUTE, account_id, trigger=Trigger.SCHEDULE)
    elif not are_kept():
        count_all()
    logger.info("%s fills were looked at.", f"{sum(fills):,}")
    return {"account": account_id, "fills": sum(fills), "done": is_done}


def waiting_accounts() -> Iterable[int]:
    """Accounts whose marks nobody has taken up, as after the death of an import's process.

    Any one if the totals of days must be counted, as after a change of the zone of the pages.
    """
    processing = JobLog.objects.filter(job=RECOMPUTE, status=Status.PROCESSING)
    busy = processing.exclude(subject_id=None).values("subject_id")
    old = TouchedPair.objects.filter(created_at__lt=timezone.now() - SOON).exclude(account__in=busy)
    waiting = list(old.order_by("account_id").values_list("account_id", flat=True).distinct())
    if waiting or processing.exists() or are_kept():
        return waiting
    return Position.objects.closed().order_by().values_list("account_id", flat=True)[:1]
