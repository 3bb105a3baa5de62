"""Jobs whose process died: nobody else will ever end their logs."""

from datetime import timedelta

from django.utils import timezone

from joblogs.models import JobLog
from joblogs.notices import tell
from joblogs.owners import is_dead
from joblogs.states import Level, Status

SILENCE = timedelta(minutes=5)


def bury_the_silent() -> int:
    """End as error every job that has given no sign of life for too long; how many there were.

    One whose process ran on this machine and is gone has been silent long enough.
    """
    running = JobLog.objects.filter(status=Status.PROCESSING).order_by("pk")
    return sum(bury(log) for log in running if seems_dead(log))


def seems_dead(log: JobLog) -> bool:
    """A sign of life from the future is none: the clock was set back, and none has come since."""
    return abs(timezone.now() - log.heartbeat_at) > SILENCE or is_dead(log.owner)


def bury(log: JobLog) -> bool:
    """Whether it was still silent, and we were the one to end it."""
    gone = "its process is gone, " if is_dead(log.owner) else ""
    since = f"{timezone.localtime(log.heartbeat_at):%Y-%m-%d %H:%M:%S %Z}"
    same = JobLog.objects.filter(pk=log.pk, heartbeat_at=log.heartbeat_at)
    error = f"abandoned: {gone}no sign of life since {since}"
    ended = {"finished_at": timezone.now(), "error": error}
    if not same.move(Status.PROCESSING, Status.ERROR, **ended):
        return False
    if not gone and log.subject_id is not None:  # a recurring job is told by its own notice
        tell_of_silence(log, error)
    return True


def tell_of_silence(log: JobLog, error: str) -> None:
    """Of a process that hangs, or of a machine that is away; one that ended is replaced at once."""
    words = "Whatever it worked on is taken over by another worker; if none runs, start one."
    title = f"A worker on {log.owner.partition(':')[0]} is silent"
    tell(
        f"silent:{log.pk}",
        title,
        f"{log.job}: {error}. {words}",
        Level.WARNING,
        log.get_absolute_url(),
    )
