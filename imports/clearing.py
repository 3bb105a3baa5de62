"""Clear the logs of imports that have ended. Their trades stay, and the ledger stays.

What is cleared cannot be rolled back or retried any more; its executions remain known. The work is
done in slices, each a transaction: the row logs go first, and the import itself goes last together
with all that leads to it, so that whatever a process leaves behind when it dies is still an import.
"""

import logging
import time
from collections.abc import Callable

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from audit.models import Deed
from audit.writing import write_down
from imports.background import Slice
from imports.claims import Pause
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.states import ACTIVE
from joblogs.queueing import ring
from joblogs.states import Trigger
from web.manyids import change

logger = logging.getLogger(__name__)

CLEAR = "clear_imports"
SLICE = 5_000  # row logs in one transaction
AT_ONCE = 10  # seconds that a request may take


def finished(newest: int) -> list[int]:
    """The numbers of the imports that have ended, up to this one."""
    logs = ImportExecutionLog.objects.filter(pk__lte=newest).exclude(status__in=ACTIVE)
    return list(logs.order_by("pk").values_list("pk", flat=True))


def clear_now(user: AbstractBaseUser) -> tuple[int, int]:
    """Clear all that has ended: how many are gone, and how many are left to a worker."""
    newest = ImportExecutionLog.objects.aggregate(newest=Max("pk"))["newest"] or 0
    over_at = time.monotonic() + AT_ONCE
    # Before the first is gone: each is cleared in a transaction of its own.
    write_down(Deed.CLEAR, "import logs", user=user, count=len(finished(newest)))
    cleared = sum(clear(pk, lambda: time.monotonic() < over_at) for pk in finished(newest))
    left = len(finished(newest))
    if left:
        ring(CLEAR, newest, trigger=Trigger.API, asked_by=user)
    return cleared, left


def clear_slice(newest: int) -> dict[str, object]:
    """As a job: clear as much as a slice of time allows."""
    progress, cleared = Slice("{:,} import logs are cleared.".format), 0

    def goes_on() -> bool:
        progress(cleared)
        return True

    try:
        for pk in finished(newest):
            cleared += clear(pk, goes_on)
    except Pause:
        logger.info("Enough for now; the next slice goes on.")
        ring(CLEAR, newest, trigger=Trigger.SCHEDULE)
    logger.info("%s import logs are cleared.", f"{cleared:,}")
    return {"cleared": cleared}


def clear(pk: int, goes_on: Callable[[], bool]) -> bool:
    """Clear one import; whether it is gone. One that is at work again is left alone."""
    last = -1
    while goes_on():
        with transaction.atomic():
            ended = ImportExecutionLog.objects.exclude(status__in=ACTIVE)
            log = ended.select_for_update().filter(pk=pk).first()
            if log is None:
                return False
            number, last = clear_rows(log, last)
            if not number:
                ImportedExecution.objects.filter(import_log=log).update(import_log=None)
                log.delete()
                return True
    return False


def clear_rows(log: ImportExecutionLog, behind: int = -1) -> tuple[int, int]:
    """Delete the next row logs of an import, which remembers that; as `delete_rows`."""
    first = ImportExecutionLog.objects.filter(pk=log.pk, rows_deleted_at=None)
    first.update(rows_deleted_at=timezone.now())
    return delete_rows(log.pk, behind)


def delete_rows(import_id: int, behind: int = -1) -> tuple[int, int]:
    """Delete the next row logs behind a line of an import, which may be gone.

    How many there were, and the last line: by key, as PostgreSQL would pass over all that the
    lots before have deleted.
    """
    rows = ImportRowLog.objects.filter(import_log=import_id, row_number__gt=behind)
    found = list(rows.order_by("row_number").values_list("pk", "row_number")[:SLICE])
    ids = [pk for pk, _ in found]
    change("UPDATE trades SET import_row_log_id = NULL WHERE import_row_log_id", ids)
    change("DELETE FROM import_execution_row_logs WHERE id", ids)
    return len(ids), found[-1][1] if found else behind
