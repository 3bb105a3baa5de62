"""The one way into the queue: ring for a job. The bell carries the number of a job log, no more.

The job log is the truth and the bell may be lost, doubled or late: whoever answers it claims the
job log first, and `attend` rings again for those that nobody has answered.
"""

import logging
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.tasks import async_task

from joblogs.models import JobLog, JobLogDetail
from joblogs.registry import JOBS
from joblogs.running import start
from joblogs.states import Level, Status, Trigger

logger = logging.getLogger(__name__)

ANSWER = "joblogs.tasks.answer"
LOST_AFTER = timedelta(minutes=1)
MOST_AT_ONCE = 50  # bells that are rung again in one go


def ring(
    job: str,
    subject_id: int | None = None,
    *,
    trigger: Trigger,
    asked_by: AbstractBaseUser | None = None,
) -> JobLog:
    """Have a job done in the background, once the surrounding transaction is committed."""
    log = start(job, trigger=trigger, subject_id=subject_id, asked_by=asked_by)
    transaction.on_commit(partial(send_bell, log))
    return log


def send_bell(log: JobLog) -> None:
    """Put a bell into the queue. A queue that is away is no error: it is rung for again."""
    JobLog.objects.filter(pk=log.pk).update(rung_at=timezone.now())
    try:
        task_id = async_task(ANSWER, log.pk, task_name=f"{log.job} {log.name}")
    except Exception as problem:
        logger.warning("The queue cannot be reached; %s waits: %s", log.name, problem)
        return
    JobLog.objects.filter(pk=log.pk).update(task_id=task_id)


def ring_again() -> int:
    """Ring for job logs whose bell seems to be lost; how many there were.

    Only into an empty queue, so that no backlog is made longer by doubles of itself.
    """
    before = timezone.now() - LOST_AFTER
    unanswered = Q(rung_at=None, created_at__lt=before) | Q(rung_at__lt=before)
    unanswered |= Q(rung_at__gt=timezone.now() + LOST_AFTER)  # the clock was set back since
    lost = list(JobLog.objects.filter(unanswered, status=Status.NEW).order_by("pk")[:MOST_AT_ONCE])
    if not lost or not queue_is_empty():
        return 0
    for log in lost:
        note(log, "Nobody has answered the bell; it is rung again.", Level.WARNING)
        send_bell(log)
    return len(lost)


def queue_is_empty() -> bool:
    """False also for a queue that is away."""
    try:
        return not get_broker().queue_size()
    except Exception as problem:
        logger.warning("The queue cannot be reached: %s", problem)
        return False


def ring_for_the_waiting() -> int:
    """Ring for work that waits without a bell, as after the death of a worker; how many times."""
    found = list(waiting())
    for job, subject_id in found:
        ring(job, subject_id, trigger=Trigger.SCHEDULE)
    return len(found)


def waiting() -> Iterator[tuple[str, int]]:
    """Jobs and subjects that nobody works on and that no bell is rung for."""
    for job in JOBS.values():
        subjects = list(job.waiting())
        rung = JobLog.objects.filter(job=job.name, status=Status.NEW, subject_id__in=subjects)
        expected = set(rung.values_list("subject_id", flat=True))
        yield from ((job.name, subject) for subject in subjects if subject not in expected)


def note(log: JobLog, message: str, level: Level = Level.INFO) -> None:
    """Write a line into a job log from outside of its job."""
    JobLogDetail.objects.create(job_log=log, message=message, level=level)
