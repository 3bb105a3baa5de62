"""Running something as a job, and remembering line by line what happened. Read this first.

A door makes the log with `start` and hands its id to the queue. Whoever takes it up calls
`run_job` with the work, which knows nothing of job logs: it logs as everything else does.
"""

import logging
import traceback
from collections.abc import Callable

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection
from django.utils import timezone

from audit.writing import Job, asked_by
from joblogs.models import JobLog
from joblogs.owners import new_owner
from joblogs.scribe import End, listening
from joblogs.states import Status, Trigger
from joblogs.wording import as_json, worded

logger = logging.getLogger(__name__)


def start(
    job: str,
    *,
    trigger: Trigger,
    subject_id: int | None = None,
    asked_by: AbstractBaseUser | None = None,
) -> JobLog:
    """The log of a job that is to run: `new`, until somebody takes it up."""
    return JobLog.objects.start(job, trigger=trigger, subject_id=subject_id, asked_by=asked_by)


def run_job(log: JobLog, work: Callable[[], object]) -> bool:
    """Do the work of a new job; whether it was ours to do.

    The log ends as success with the dict that the work returns, or as error with whatever was
    raised, which is raised again. Raises RuntimeError inside a transaction: what is written there
    is seen by nobody until it is over, and on SQLite locks the scribe out.
    """
    if connection.in_atomic_block:
        raise RuntimeError("A job cannot run inside a transaction.")
    now = timezone.now()
    begun = {"owner": new_owner(), "started_at": now, "heartbeat_at": now}
    if not JobLog.objects.filter(pk=log.pk).move(Status.NEW, Status.PROCESSING, **begun):
        return False
    with listening(log) as scribe:
        try:
            result = done_for(log, work)
        except BaseException as problem:
            scribe.finish(failure(problem, scribe.last_line))
            raise
        scribe.finish(success(result))
    return True


def done_for(log: JobLog, work: Callable[[], object]) -> object:
    """Do it as whoever has asked for it; who runs a command is known without that."""
    if log.trigger == Trigger.COMMAND:
        return work()
    with asked_by(Job(log.asked_by)):
        return work()


def success(result: object) -> End:
    try:
        return End(Status.SUCCESS, result=as_json(result) if isinstance(result, dict) else {})
    except Exception as problem:  # the work is done; its counters are not worth failing it
        logger.warning("Its result cannot be written down: %s", type(problem).__name__)
        return End(Status.SUCCESS)


def failure(problem: BaseException, last_line: str) -> End:
    cause = "".join(traceback.format_exception_only(problem)).strip()
    in_the_work = problem.__traceback__.tb_next if problem.__traceback__ else None
    logger.error("Broke off.", exc_info=(type(problem), problem, in_the_work))
    return End(Status.ERROR, error=worded(f"{cause}\nLast step: {last_line or 'none'}"))
