"""What nobody looks at any more is deleted: row logs of imports, lines of jobs, the old audit.

In small transactions, so that nobody waits for long and whatever is stopped in the middle goes on
the next time. Batches and notices are cleaned by their own rooms.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from django.conf import settings

from audit.oldentries import forget_entries, old_entries
from imports.oldrows import forget_rows, old_rows
from joblogs.oldlines import forget_lines, old_lines
from joblogs.queueing import ring
from joblogs.states import Trigger

logger = logging.getLogger(__name__)

CLEAN = "clean_logs"
SLICE = 60  # seconds


@dataclass(frozen=True)
class Ages:
    """Days since the end of an import, of a job, and since a deed; 0 is never."""

    row_logs: int | None
    job_lines: int | None
    audit_entries: int | None


@dataclass
class Cleaned:
    row_logs: int = 0
    job_lines: int = 0
    audit_entries: int = 0
    is_done: bool = True


def ages_configured() -> Ages:
    return Ages(
        settings.TRADELOG_DELETE_ROW_LOGS_DAYS,
        settings.TRADELOG_DELETE_JOB_LINES_DAYS,
        settings.TRADELOG_AUDIT_DAYS,
    )


def what_is_old(ages: Ages) -> tuple[Cleaned, int]:
    """What would be deleted now, and how many imports keep their row logs for their failures."""
    old = old_rows(ages.row_logs)
    entries = old_entries(ages.audit_entries).count()
    return Cleaned(old.rows, old_lines(ages.job_lines), entries), old.kept


def clean(ages: Ages, goes_on: Callable[[Cleaned], bool] = lambda cleaned: True) -> Cleaned:
    """Delete what is old, until all is done or it is told to stop."""
    cleaned = Cleaned()
    for name, number in lots(ages):
        setattr(cleaned, name, getattr(cleaned, name) + number)
        if not goes_on(cleaned):
            cleaned.is_done = False
            break
    return cleaned


def lots(ages: Ages) -> Iterator[tuple[str, int]]:
    yield from (("row_logs", number) for number in forget_rows(ages.row_logs))
    yield from (("job_lines", number) for number in forget_lines(ages.job_lines))
    yield from (("audit_entries", number) for number in forget_entries(ages.audit_entries))


def in_words(cleaned: Cleaned, verb: str = "") -> str:
    """12 row logs deleted, 3 lines of jobs deleted."""
    rows = f"{cleaned.row_logs:,} row log{'' if cleaned.row_logs == 1 else 's'}"
    lines = f"{cleaned.job_lines:,} line{'' if cleaned.job_lines == 1 else 's'} of jobs"
    told = f"{rows} {verb}deleted, {lines} {verb}deleted"
    if cleaned.audit_entries:
        noun = "entry" if cleaned.audit_entries == 1 else "entries"
        told += f", {cleaned.audit_entries:,} {noun} of the audit {verb}deleted"
    return f"{told}."


# --- As a job


def clean_slice(_: int | None) -> dict[str, object]:
    """Delete as much as a slice of time allows, and ring for the rest."""
    over_at = time.monotonic() + SLICE
    done = clean(ages_configured(), lambda cleaned: time.monotonic() < over_at)
    logger.info("%s", in_words(done))
    if not done.is_done:
        logger.info("Enough for now; the next slice goes on.")
        ring(CLEAN, trigger=Trigger.SCHEDULE)
    return {name: count for name, count in asdict(done).items() if name != "is_done"}


def was_idle(result: dict[str, object]) -> bool:
    return not any(result.values())
