"""The job of this room, as the queue knows it."""

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from audit.models import Deed
from audit.writing import write_down
from joblogs.models import JobLog
from joblogs.queueing import ring
from joblogs.registry import Job, register
from joblogs.states import Status, Trigger
from orders.syncing import sync

SYNC = "sync_open_orders"


def sync_as_job(_: int | None) -> dict[str, object]:
    return sync()


def ask_for_sync(trigger: Trigger, user: AbstractBaseUser | None = None) -> JobLog:
    """Have the orders synced in the background; one that waits already is enough."""
    waiting = JobLog.objects.filter(job=SYNC, status=Status.NEW).first()
    if waiting:
        return waiting
    with transaction.atomic():
        log = ring(SYNC, trigger=trigger, asked_by=user)
        if user:
            write_down(Deed.START, log, user=user, words=SYNC)
    return log


register(Job(SYNC, sync_as_job, every=5))
