"""Stop an import that waits or runs. What it has taken in stays, to be retried or rolled back."""

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from audit.models import Deed
from audit.writing import write_down
from imports.models import ImportExecutionLog
from imports.states import Status
from imports.summary import cancelled


def cancel(log: ImportExecutionLog, user: AbstractBaseUser) -> None:
    """End it as cancelled; its owner finds out with the next chunk, and leaves.

    Raises StateConflict unless it is queued or running.
    """
    with transaction.atomic():
        log = ImportExecutionLog.objects.select_for_update().get(pk=log.pk)
        log.require(log.can_be_cancelled, "only one that waits or runs can be cancelled")
        now = timezone.now()
        ImportExecutionLog.objects.filter(pk=log.pk).move(
            Status(log.status),
            Status.CANCELLED,
            owner="",
            lease_until=None,
            error_summary=cancelled(log, user.get_username()),
            completed_at=now,
            processing_time_ms=round((now - (log.started_at or now)).total_seconds() * 1000),
        )
        write_down(Deed.CANCEL, log, user=user)
