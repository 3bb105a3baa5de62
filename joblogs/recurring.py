"""How the recurring jobs go, and what a user may do with them: run one now, pause it, resume it."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Count, Max, Min, QuerySet, Subquery
from django.utils import timezone
from django_q.models import Schedule, Task
from django_q.signals import post_spawn
from django_q.tasks import async_task

from audit.models import Deed
from audit.writing import write_down
from joblogs.models import JobLog
from joblogs.queueing import note, send_bell
from joblogs.registry import JOBS
from joblogs.schedules import (
    ATTEND,
    FOREVER,
    GREET,
    PAUSED,
    RECUR,
    begin,
    next_after,
    place_schedules,
    recurring_jobs,
)
from joblogs.states import ACTIVE, Status, Trigger

logger = logging.getLogger(__name__)

LATE = timedelta(minutes=2)  # the queue looks at its schedules every 30 seconds
ATTENDED = timedelta(minutes=1)  # so often does a worker
SILENT = timedelta(minutes=3)


class NoSuchJob(Exception):
    """There is no recurring job of this name."""


class StillRuns(Exception):
    """A job does not overlap with itself."""


@dataclass(frozen=True)
class Recurring:
    """A recurring job. `look` is the last time that the queue called it, which may leave no log."""

    name: str
    schedule: Schedule | None
    log: JobLog | None
    look: Task | None

    @property
    def every(self) -> int:
        """Minutes."""
        return JOBS[self.name].every

    @property
    def is_paused(self) -> bool:
        return self.schedule is not None and self.schedule.repeats == PAUSED

    @property
    def next_run_at(self) -> datetime | None:
        return self.schedule.next_run if self.schedule and not self.is_paused else None

    @property
    def is_late(self) -> bool:
        return self.next_run_at is not None and self.next_run_at < timezone.now() - LATE

    @property
    def is_running(self) -> bool:
        return self.log is not None and self.log.status in ACTIVE

    @property
    def was_idle(self) -> bool:
        """Whether the last look found nothing to do, since the last run that left a log.

        A look while that one runs finds nothing to do, too, and says nothing of how it goes.
        """
        if self.look is None or self.is_running:
            return False
        return self.log is None or self.look.started > (self.log.finished_at or self.log.created_at)

    @property
    def last_run_at(self) -> datetime | None:
        if self.was_idle:
            return self.look.started
        return (self.log.started_at or self.log.created_at) if self.log else None

    @property
    def outcome(self) -> str:
        """new, processing, success, error, idle; '' if it has never run."""
        if self.was_idle:
            return "idle" if self.look.success else Status.ERROR
        return self.log.status if self.log else ""


def recurring() -> list[Recurring]:
    """All recurring jobs, in the order of their names."""
    return those_of(sorted(recurring_jobs()))


def one_of(name: str) -> Recurring:
    return those_of([name])[0]


def those_of(names: list[str]) -> list[Recurring]:
    """In three queries, however many. One that no worker has put in place has no schedule."""
    placed = Schedule.objects.filter(name__in=names, func=RECUR).order_by("-pk")
    schedules = {schedule.name: schedule for schedule in placed}
    last = [key_of_first(JobLog.objects.filter(job=name)) for name in names]
    logs = {log.job: log for log in JobLog.objects.filter(pk__in=last)}
    last = [key_of_first(tasks_of(name)) for name in names]
    looks = {look.group: look for look in Task.objects.filter(pk__in=last)}
    return [Recurring(name, schedules.get(name), logs.get(name), looks.get(name)) for name in names]


def key_of_first(rows: QuerySet) -> Subquery:
    """Found by an index for each, however many rows there are."""
    return Subquery(rows.values("pk")[:1])


def tasks_of(name: str) -> QuerySet[Task]:
    return Task.objects.filter(group=name, func=RECUR).order_by("-started")


# --- Whether anything works


@dataclass(frozen=True)
class Beat:
    """The last sign of life of any worker, and what waits for one."""

    at: datetime | None
    waiting: int
    oldest: datetime | None

    @property
    def is_silent(self) -> bool:
        return self.at is None or self.at < timezone.now() - SILENT


def beat() -> Beat:
    """A worker greets when it starts, and attends every minute; one that is busy gives signs of
    life in its job's log.

    Signs from the future are of before a clock was set back: they would hide those of now.
    """
    soon = timezone.now() + SILENT
    attended = Task.objects.filter(func__in=[ATTEND, GREET], stopped__lte=soon)
    attended = attended.aggregate(at=Max("stopped"))["at"]
    at_work = JobLog.objects.filter(status=Status.PROCESSING).exclude(trigger=Trigger.COMMAND)
    lived = at_work.filter(heartbeat_at__lte=soon).aggregate(at=Max("heartbeat_at"))["at"]
    new = JobLog.objects.filter(status=Status.NEW)
    waits = new.aggregate(number=Count("pk"), oldest=Min("created_at"))
    return Beat(
        max(filter(None, [attended, lived]), default=None), waits["number"], waits["oldest"]
    )


def greet_at_the_start() -> None:
    """The queue looks at its schedules only 30 seconds after the start of a worker, which until
    then would seem not to run.
    """
    post_spawn.connect(ring_to_greet)


def ring_to_greet(**_: object) -> None:
    """What the processes of a worker begin with; none of it may keep them from working."""
    try:
        last = beat().at
        if last is None or last < timezone.now() - ATTENDED:
            async_task(GREET)
    except Exception as problem:
        logger.warning("The queue cannot be reached: %s", problem)


# --- What a user may do


def run_now(name: str, user: AbstractBaseUser, trigger: Trigger) -> JobLog:
    """Have it done now. Raises NoSuchJob, and StillRuns if it waits or runs already."""
    require(name)
    with transaction.atomic():
        log = begin(name, trigger, user)
        if log is None:
            raise StillRuns(f"{name} waits or runs already; it does not overlap with itself.")
        note(log, f"{user.get_username()} has asked for it.")
        write_down(Deed.START, log, user=user, words=name)
        transaction.on_commit(partial(send_bell, log))
    return log


def pause(name: str, user: AbstractBaseUser) -> None:
    """Let it not run again by itself, until it is resumed."""
    with transaction.atomic():
        set_repeats(name, PAUSED)
        write_down(Deed.PAUSE, name, user=user, words="recurring job")


def resume(name: str, user: AbstractBaseUser) -> None:
    """Let it run again, at its regular times; what fell into the pause is not made up for."""
    with transaction.atomic():
        set_repeats(name, FOREVER)
        write_down(Deed.RESUME, name, user=user, words="recurring job")


def require(name: str) -> None:
    if name not in recurring_jobs():
        raise NoSuchJob(f"There is no recurring job '{name[:40]}'.")


def set_repeats(name: str, repeats: int) -> None:
    require(name)
    place_schedules()  # so that there is one
    with transaction.atomic():
        schedule = Schedule.objects.select_for_update().get(name=name, func=RECUR)
        if schedule.repeats == PAUSED:
            schedule.next_run = next_after(schedule, timezone.now())
        schedule.repeats = repeats
        schedule.save(update_fields=["repeats", "next_run"])
