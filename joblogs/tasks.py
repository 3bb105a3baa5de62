"""What the queue calls. Everything here bears being called twice, late, or for nothing."""

import logging
from functools import partial

from joblogs.failing import has_succeeded, tell_if_failed, tell_of_failures
from joblogs.forgetting import CLEAN, DAILY, clean_notices, is_needed
from joblogs.models import JobLog
from joblogs.notices import SEND
from joblogs.poolqueue import use_between_processes
from joblogs.queueing import note, ring_again, ring_for_the_waiting
from joblogs.reaper import bury_the_silent
from joblogs.recurring import greet_at_the_start
from joblogs.registry import JOBS, Job, register
from joblogs.running import run_job
from joblogs.schedules import begin, mend_every_round, place_schedules
from joblogs.sending import send_notice, waiting_notices
from joblogs.states import Status, Trigger

logger = logging.getLogger(__name__)

mend_every_round()
greet_at_the_start()
use_between_processes()
register(
    Job(SEND, send_notice, waiting=waiting_notices),
    Job(CLEAN, clean_notices, every=DAILY, is_needed=is_needed),
)


def answer(job_log_id: int) -> str:
    """Do the job that was rung for; leave quietly if somebody else has, or it is gone."""
    log = JobLog.objects.filter(pk=job_log_id).first()
    if log is None:
        return "The job log is gone; nothing was done."
    if log.status != Status.NEW or not run_job(log, partial(do, log)):
        note(log, "The bell was rung once more; nothing was done.")
        return "Answered before; nothing was done."
    return "Done."


def do(log: JobLog) -> dict[str, object]:
    return JOBS[log.job].work(log.subject_id)


def recur(name: str) -> str:
    """A recurring job is due. It does not overlap with itself."""
    job = JOBS.get(name)
    if job is None or not job.is_needed():
        return "Nothing to do."
    log = begin(name, Trigger.SCHEDULE)
    if log is None:
        return "The one before still runs."
    try:
        run_job(log, partial(do, log))
    except BaseException:
        tell_if_failed(name)
        raise
    log.refresh_from_db()
    if log.status == Status.SUCCESS:
        has_succeeded(name)
    if log.status == Status.SUCCESS and job.was_idle(log.result):
        log.delete()
        return "There was nothing to do."
    return "Done."


def greet() -> str:
    """That this was called is the first sign of life of a worker."""
    return "Nothing else was to be done."


def attend() -> str:
    """Every minute: end the jobs of the dead, ring again for what waits, mend the schedules.

    And tell of the recurring jobs that failed, should those who ran them not have come to it.
    """
    buried = bury_the_silent()
    tell_of_failures()
    again = ring_again() + ring_for_the_waiting()
    place_schedules()
    return f"{buried} buried, {again} rung."
