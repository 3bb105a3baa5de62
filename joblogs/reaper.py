"""Jobs whose process died: nobody else will ever end their logs."""

from datetime import timedelta

from django.utils import timezone

from joblogs.models import JobLog
from joblogs.states import Status

SILENCE = timedelta(minutes=5)


def bury_the_silent() -> int:
    """End as error every job that has given no sign of life for too long; how many there were."""
    now = timezone.now()
    silent = JobLog.objects.filter(status=Status.PROCESSING, heartbeat_at__lt=now - SILENCE)
    return sum(bury(log) for log in silent.order_by("pk"))


def bury(log: JobLog) -> bool:
    """Whether it was still silent, and we were the one to end it."""
    since = f"{timezone.localtime(log.heartbeat_at):%Y-%m-%d %H:%M:%S %Z}"
    same = JobLog.objects.filter(pk=log.pk, heartbeat_at=log.heartbeat_at)
    return same.move(
        Status.PROCESSING,
        Status.ERROR,
        finished_at=timezone.now(),
        error=f"abandoned: no sign of life since {since}",
    )
