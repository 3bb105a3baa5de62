"""The recurring jobs, from where they are declared (the registry) into django-q2's schedules.

The queue handles all that is due in one transaction, so one schedule that it cannot read would stop
all others. Before each of its rounds, ours are therefore made what the code says, and what is not
ours and cannot be read is paused.
"""

import ast
import logging
from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone
from django_q import cluster
from django_q.brokers import Broker
from django_q.models import Schedule
from django_q.scheduler import scheduler
from django_q.utils import close_old_django_connections

from joblogs.models import JobLog
from joblogs.registry import JOBS
from joblogs.running import start
from joblogs.states import ACTIVE, Trigger

logger = logging.getLogger(__name__)

ATTEND, RECUR = "joblogs.tasks.attend", "joblogs.tasks.recur"
GREET = "joblogs.tasks.greet"
# "attend" is no job: it looks after the others and leaves no log.
ATTENDING = ("attend", {"func": ATTEND, "args": None, "minutes": 1})
FOREVER, PAUSED = -1, 0  # of `repeats`
MINUTES = {"schedule_type": Schedule.MINUTES}
NOTHING_ELSE = dict.fromkeys(["kwargs", "hook", "cron", "cluster", "intended_date_kwarg"])
TOO_LONG_AGO = timedelta(days=30)  # the queue counts the runs that were missed one by one


def place_schedules() -> None:
    """Make the schedules what the code says; run again, it changes nothing.

    When a schedule runs next, and whether a user has paused it, stays as it is. Doubles, which two
    starts at once may make, go.
    """
    declared = dict([ATTENDING, *map(schedule_of, recurring_jobs())])
    ours = Q(func__in=[ATTEND, RECUR]) | Q(name__in=declared)
    with transaction.atomic():
        for schedule in Schedule.objects.select_for_update().filter(ours).order_by("pk"):
            wanted = declared.pop(schedule.name, None)
            if wanted is None:
                schedule.delete()
            elif amiss := what_is_amiss(schedule, wanted | MINUTES | NOTHING_ELSE):
                Schedule.objects.filter(pk=schedule.pk).update(**amiss)
        for name, wanted in declared.items():
            Schedule.objects.create(name=name, repeats=FOREVER, **wanted, **MINUTES)


def recurring_jobs() -> list[str]:
    return [name for name, job in JOBS.items() if job.every]


def schedule_of(name: str) -> tuple[str, dict[str, object]]:
    return name, {"func": RECUR, "args": repr(name), "minutes": JOBS[name].every}


def what_is_amiss(schedule: Schedule, wanted: dict[str, object]) -> dict[str, object]:
    """What must be set for a schedule to be as it is wanted, and to run in its time."""
    amiss = {name: value for name, value in wanted.items() if getattr(schedule, name) != value}
    if schedule.repeats not in (FOREVER, PAUSED):
        amiss["repeats"] = FOREVER
    now = timezone.now()
    latest = now + timedelta(minutes=wanted["minutes"])
    if schedule.next_run is None or not now - TOO_LONG_AGO < schedule.next_run <= latest:
        amiss["next_run"] = now
    return amiss


# --- The rounds of the queue


def mend_every_round() -> None:
    """Stand in for the queue's own function, which its main process calls every 30 seconds."""
    cluster.scheduler = careful_round


def careful_round(broker: Broker | None = None) -> None:
    close_old_django_connections()
    try:
        place_schedules()
        pause_the_unreadable()
    except DatabaseError as problem:
        logger.warning("The schedules cannot be looked at: %s", problem)
    scheduler(broker)


def pause_the_unreadable() -> None:
    for schedule in Schedule.objects.exclude(repeats=PAUSED).exclude(func__in=[ATTEND, RECUR]):
        if problem := why_unreadable(schedule):
            logger.error("The schedule '%s' is paused: %s", schedule.name, problem)
            Schedule.objects.filter(pk=schedule.pk).update(repeats=PAUSED)


def why_unreadable(schedule: Schedule) -> str:
    """What the queue would break off with, as it reads a schedule; '' if nothing."""
    try:
        if schedule.args:
            ast.literal_eval(schedule.args)
        if schedule.kwargs and not isinstance(keywords(schedule.kwargs), dict):
            return f"its keywords {schedule.kwargs[:40]!r} are none"
        if schedule.schedule_type != Schedule.ONCE:
            schedule.calculate_next_run(schedule.next_run or timezone.now())
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"
    return ""


def keywords(text: str) -> object:
    """As the queue reads them: what is no Python at all counts as none."""
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return {}


# --- Turns


def begin(name: str, trigger: Trigger, user: AbstractBaseUser | None = None) -> JobLog | None:
    """A new log of a recurring job, for which no other is open; None if there is one.

    Of processes that want to begin it at once, the schedule lets through one after the other.
    """
    with transaction.atomic():
        Schedule.objects.select_for_update().filter(name=name, func=RECUR).order_by("pk").first()
        if JobLog.objects.filter(job=name, status__in=ACTIVE).exists():
            return None
        return start(name, trigger=trigger, asked_by=user)


def next_after(schedule: Schedule, now: datetime) -> datetime:
    """When a schedule would have run next, had it never been paused."""
    every = timedelta(minutes=schedule.minutes)
    missed = max(0, -(-(now - schedule.next_run) // every))
    return schedule.next_run + missed * every
