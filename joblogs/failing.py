"""Recurring jobs that fail: told once, then not again until they succeed or it is acknowledged."""

from joblogs.models import JobLog
from joblogs.notices import is_over, tell
from joblogs.schedules import recurring_jobs
from joblogs.states import ACTIVE, Level, Status, Trigger

UNTIL_THEN = "It is not told again until the job succeeds or this notice is acknowledged."


def trouble_of(name: str) -> str:
    return f"job:{name}"


def tell_of_failures() -> int:
    """Tell of every recurring job whose newest run failed, if that is not known; how many."""
    return sum(tell_if_failed(name) for name in recurring_jobs())


def tell_if_failed(name: str) -> bool:
    """Only of runs at their own time: who asked for one looks at it himself."""
    log = JobLog.objects.filter(job=name).exclude(status__in=ACTIVE).first()
    if log is None or (log.status, log.trigger) != (Status.ERROR, Trigger.SCHEDULE):
        return False
    told = tell(
        f"{trouble_of(name)}:{log.pk}",
        f"The recurring job {name} failed",
        f"{log.error}\n{UNTIL_THEN}",
        Level.ERROR,
        log.get_absolute_url(),
        trouble=trouble_of(name),
    )
    return told is not None


def has_succeeded(name: str) -> None:
    """It goes well again: the next failure is told."""
    is_over(trouble_of(name))
