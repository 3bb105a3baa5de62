"""Old batches: archived after a while, and deleted a while after that, if the settings say so.

Only batches that have ended, and their trades always stay. Each deletion is a transaction of its
own, so nobody waits for long and whatever is stopped in the middle goes on the next time.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from batches.control import delete
from batches.models import Batch
from batches.states import FINAL, StateConflict
from joblogs.queueing import ring
from joblogs.states import Trigger
from web.ages import days_ago

logger = logging.getLogger(__name__)

CLEAN = "clean_batches"
DAILY = 24 * 60  # minutes
SLICE = 60  # seconds
LOT = 500  # batches that are archived in one transaction


@dataclass(frozen=True)
class Ages:
    """Days since its end after which a batch is archived, and since then deleted; 0 is never."""

    archive_after: int | None
    delete_after: int | None

    @property
    def to_be_archived(self) -> QuerySet[Batch]:
        """Of one that was taken out of the archive, or rolled back, the days count from then."""
        ended = Batch.objects.filter(status__in=FINAL, archived_at=None)
        return older(ended, "updated_at", self.archive_after)

    @property
    def to_be_deleted(self) -> QuerySet[Batch]:
        archived = Batch.objects.filter(status__in=FINAL, archived_at__isnull=False)
        return older(archived, "archived_at", self.delete_after)


@dataclass(frozen=True)
class Cleaned:
    archived: int
    deleted: int
    is_done: bool = True


def older(batches: QuerySet[Batch], moment: str, days: int | None) -> QuerySet[Batch]:
    if not days:
        return batches.none()
    return batches.filter(**{f"{moment}__lt": days_ago(days)}).order_by("pk")


def ages_configured() -> Ages:
    return Ages(settings.TRADELOG_ARCHIVE_BATCHES_DAYS, settings.TRADELOG_DELETE_BATCHES_DAYS)


def what_is_old(ages: Ages) -> Cleaned:
    """How many would be archived, and deleted, now."""
    return Cleaned(ages.to_be_archived.count(), ages.to_be_deleted.count())


def clean(ages: Ages, goes_on: Callable[[], bool] = lambda: True) -> Cleaned:
    """Archive and delete what is old, until all is done or it is told to stop."""
    archived = archive_old(ages)
    deleted = 0
    for pk in list(ages.to_be_deleted.values_list("pk", flat=True)):
        if not goes_on():
            return Cleaned(archived, deleted, is_done=False)
        deleted += delete_if_possible(pk)
    return Cleaned(archived, deleted)


def archive_old(ages: Ages) -> int:
    """How many there were. What another has archived, or runs again, meanwhile is left alone."""
    old, count, now = list(ages.to_be_archived.values_list("pk", flat=True)), 0, timezone.now()
    for start in range(0, len(old), LOT):
        still = ages.to_be_archived.order_by().filter(pk__in=old[start : start + LOT])
        count += still.update(archived_at=now, updated_at=now)
    return count


def delete_if_possible(pk: int) -> bool:
    """Whether it is gone."""
    try:
        delete(Batch.objects.get(pk=pk))
    except (StateConflict, Batch.DoesNotExist) as problem:
        logger.info("Batch %s is left: %s", pk, problem)
        return False
    return True


# --- As a job


def is_needed() -> bool:
    ages = ages_configured()
    return ages.to_be_archived.exists() or ages.to_be_deleted.exists()


def clean_slice(_: int | None) -> dict[str, object]:
    """Do as much as a slice of time allows, and ring for the rest."""
    over_at = time.monotonic() + SLICE
    done = clean(ages_configured(), lambda: time.monotonic() < over_at)
    logger.info("%s", in_words(done))
    if not done.is_done:
        logger.info("Enough for now; the next slice goes on.")
        ring(CLEAN, trigger=Trigger.SCHEDULE)
    return {name: count for name, count in asdict(done).items() if name != "is_done"}


def in_words(cleaned: Cleaned, verb: str = "") -> str:
    """12 batches archived, 3 deleted."""
    batches = "batch" if cleaned.archived == 1 else "batches"
    return f"{cleaned.archived:,} {batches} {verb}archived, {cleaned.deleted:,} {verb}deleted."
