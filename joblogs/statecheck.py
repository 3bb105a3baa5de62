"""Work that stands still: nobody has it, and no bell is rung for it. The minute tick of a worker
sees to all of that; what it has not seen to for longer is a finding."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from joblogs.findings import Check, Finding, Step
from joblogs.models import JobLog
from joblogs.queueing import ring
from joblogs.reaper import bury, seems_dead
from joblogs.states import ACTIVE, Status, Trigger

LONG = timedelta(minutes=15)  # for what should be taken up within one


def look(behind: None, mend: bool) -> Step:
    """Jobs that say they are at work although their process is gone, or silent for long."""
    began = Q(started_at__lt=timezone.now() - LONG) | Q(started_at__gt=timezone.now() + LONG)
    processing = JobLog.objects.filter(began, status=Status.PROCESSING).order_by("pk")
    return Step([about(log, mend) for log in processing if seems_dead(log)])


def about(log: JobLog, mend: bool) -> Finding:
    words = f"job {log.name} ({log.job}) says it is at work, but gives no sign of life"
    if mend and bury(log):
        return Finding(words, "ended as abandoned", is_mended=True)
    return Finding(words, "a worker ends it within a minute (bin/serve), and so does --fix")


def long_ago() -> datetime:
    return timezone.now() - LONG


def standing_still(
    job: str, subjects: Iterable[tuple[int, str, str]], mend: bool
) -> Iterable[Finding]:
    """A finding for each of these (number, name, state) for which no bell is rung."""
    subjects = list(subjects)
    numbers = [number for number, _, _ in subjects]
    active = JobLog.objects.filter(job=job, status__in=ACTIVE, subject_id__in=numbers)
    rung = set(active.values_list("subject_id", flat=True))
    for number, name, state in subjects:
        if number in rung:
            continue
        words = f"{name} is {state}, and nobody works on it"
        if mend:
            ring(job, number, trigger=Trigger.COMMAND)
            yield Finding(words, "rung for; a worker takes it up", is_mended=True)
        else:
            yield Finding(words, "start a worker (bin/serve), or have --fix ring for it")


CHECK = Check("jobs of the dead", look)
