"""Imports and rollbacks in the background, in slices that end soon and ring for the next one.

So a worker can be stopped, nobody waits long behind a large file, and no slice comes near the time
after which the queue ends a task by force.
"""

import logging
import time
from collections.abc import Callable, Iterable

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Q
from django.utils import timezone

from imports.claims import Pause, free_from_the_dead
from imports.fetching import is_to_be_fetched
from imports.models import SOON, ImportExecutionLog
from imports.retry import days_missing
from imports.rollback import begin, go_on
from imports.running import run_import
from imports.states import StateConflict, Status
from imports.summary import outcome
from imports.telling import tell_of_end, tell_of_the_untold
from joblogs.queueing import ring
from joblogs.states import Trigger
from trades.positions import recompute_for_a_while

logger = logging.getLogger(__name__)

IMPORT, ROLLBACK = "import", "rollback"
SLICE = 60  # seconds
BETWEEN_WORDS = 5  # seconds
ROLLBACK_ATTEMPTS = 10  # in a row without progress; then a user has to ask again


def start_import(
    log: ImportExecutionLog, trigger: Trigger, user: AbstractBaseUser | None = None
) -> None:
    """Have an import run in the background, unless it has ended already."""
    if log.is_active:
        ring(IMPORT, log.pk, trigger=trigger, asked_by=user)


def start_rollback(
    log: ImportExecutionLog, user: AbstractBaseUser | None, trigger: Trigger
) -> None:
    """Have an import rolled back in the background. Raises StateConflict if that cannot be."""
    begin(log, user)
    ring(ROLLBACK, log.pk, trigger=trigger, asked_by=user)


class Slice:
    """A progress that says how far it is, now and then, and pauses when its time is over."""

    def __init__(self, words: Callable[..., str]) -> None:
        self.words = words
        self.over_at = time.monotonic() + SLICE
        self.speaks_at = time.monotonic() + BETWEEN_WORDS

    def __call__(self, done: object) -> None:
        now = time.monotonic()
        if now > self.speaks_at:
            logger.info(self.words(done))
            self.speaks_at = now + BETWEEN_WORDS
        if now > self.over_at:
            raise Pause


def import_slice(import_id: int) -> dict[str, object]:
    """Take in as much of an import as a slice of time allows."""
    log = run_import(import_id, on_progress=Slice(lines_done))
    tell_of_end(import_id)
    if log is None:
        return leave(import_id)
    if log.status == Status.RUNNING and not log.owner:
        logger.info("%s Enough for now; the next slice goes on.", lines_done(log))
        start_import(log, Trigger.SCHEDULE)
    else:
        logger.info(outcome(log))
    return {
        "import": log.pk,
        "status": log.status,
        "lines": log.total_rows,
        "taken_in": log.success_rows,
        "known": log.skipped_rows,
        "failed": log.failed_rows,
    }


def lines_done(log: ImportExecutionLog) -> str:
    if is_to_be_fetched(log):
        return f"{log.file_name}: {len(log.days) - days_missing(log)} days are fetched."
    return f"{log.file_name}: {log.cursor:,} lines are done."


def rollback_slice(import_id: int) -> dict[str, object]:
    """Undo as much of an import as a slice of time allows."""
    log = ImportExecutionLog.objects.filter(pk=import_id, status=Status.ROLLING_BACK).first()
    if log is None:
        return leave(import_id)
    try:
        deleted = go_on(log, Slice("{:,} trades are deleted.".format))
    except StateConflict:
        return leave(import_id)
    except Pause:
        logger.info("Enough for now; the next slice goes on.")
        ring(ROLLBACK, import_id, trigger=Trigger.SCHEDULE)
        return {"import": import_id, "status": Status.ROLLING_BACK}
    recompute_for_a_while()
    logger.info("%s is rolled back; this slice deleted %s trades.", log.file_name, f"{deleted:,}")
    return {"import": import_id, "status": Status.ROLLED_BACK, "deleted": deleted}


def leave(import_id: int) -> dict[str, object]:
    """Say why there was nothing to do; a bell may come twice, late, or for what is gone."""
    log = ImportExecutionLog.objects.filter(pk=import_id).first()
    if log is None:
        logger.warning("Import %s does not exist any more; nothing was done.", import_id)
    else:
        logger.info("%s is %s; nothing was done.", log.file_name, log.get_status_display().lower())
    return {"import": import_id, "left": True}


def waiting_imports() -> Iterable[int]:
    """Imports that nobody works on, as after the death of a worker."""
    free_from_the_dead()
    tell_of_the_untold(IMPORT)
    old = Q(status=Status.QUEUED, queued_at__lt=timezone.now() - SOON)
    found = ImportExecutionLog.objects.due().filter(old | Q(status=Status.RUNNING))
    return found.order_by("pk").values_list("pk", flat=True)


def waiting_rollbacks() -> Iterable[int]:
    free_from_the_dead()
    found = ImportExecutionLog.objects.due().filter(status=Status.ROLLING_BACK)
    return found.filter(attempt__lt=ROLLBACK_ATTEMPTS).values_list("pk", flat=True)
