"""Clear the logs of imports that have ended. Their trades stay, and the ledger stays.

What is cleared cannot be rolled back or retried any more; its executions remain known. The work is
done in slices, each a transaction: the row logs go first, and the import itself goes last together
with all that leads to it, so that whatever a process leaves behind when it dies is still an import.
"""

import logging
import time

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Max

from audit.models import Deed
from audit.writing import write_down
from imports.background import Slice
from imports.claims import Pause
from imports.models import ImportExecutionLog
from imports.removing import clear
from imports.states import ACTIVE
from joblogs.queueing import ring
from joblogs.states import Trigger

logger = logging.getLogger(__name__)

CLEAR = "clear_imports"
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
