"""The recurring jobs, from where they are declared (the registry) into django-q2's schedules."""

from django.db import transaction
from django_q.models import Schedule

from joblogs.registry import JOBS

ATTEND, RECUR = "joblogs.tasks.attend", "joblogs.tasks.recur"
# "attend" is no job: it looks after the others and leaves no log.
ATTENDING = ("attend", {"func": ATTEND, "args": None, "minutes": 1})


def place_schedules() -> None:
    """Make the schedules what the code says; run again, it changes nothing.

    When a schedule runs next, and whether a user has paused it, stays as it is. Doubles, which two
    starts at once may make, go.
    """
    declared = dict([ATTENDING, *map(schedule_of, recurring_jobs())])
    with transaction.atomic():
        placed = Schedule.objects.select_for_update().filter(func__in=[ATTEND, RECUR])
        for schedule in placed.order_by("pk"):
            wanted = declared.pop(schedule.name, None)
            if wanted is None:
                schedule.delete()
            elif any(getattr(schedule, name) != value for name, value in wanted.items()):
                Schedule.objects.filter(pk=schedule.pk).update(**wanted)
        for name, wanted in declared.items():
            Schedule.objects.create(name=name, schedule_type=Schedule.MINUTES, repeats=-1, **wanted)


def recurring_jobs() -> list[str]:
    return [name for name, job in JOBS.items() if job.every]


def schedule_of(name: str) -> tuple[str, dict[str, object]]:
    return name, {"func": RECUR, "args": repr(name), "minutes": JOBS[name].every}
