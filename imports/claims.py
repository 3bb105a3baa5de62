"""Who works on an import: one process at a time, for as long as its lease runs.

A claim is a conditional update whose row count decides who won. The owner renews its lease with
every chunk, in the chunk's own transaction; one that has lost its import therefore writes nothing.
"""

import time
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, connection
from django.db.models import F
from django.utils import timezone

from imports.models import ImportExecutionLog
from imports.states import ACTIVE, Status
from joblogs.owners import is_dead, new_owner

LEASE = timedelta(minutes=5)
PATIENCE = 60  # seconds in which a database may come back


class LeaseLost(Exception):
    """Another process owns this import now, or a user has stopped it; leave quietly."""


class Pause(Exception):
    """Raised by a progress: enough for now. The import is let go; the next owner goes on."""


def claim(import_id: int, new_status: Status) -> ImportExecutionLog | None:
    """Become the owner of an import that is due; None if somebody else is, or it is not due.

    `new_status` is RUNNING or ROLLING_BACK; an import that was left behind keeps its own.
    """
    owner = new_owner()
    waiting = {Status.RUNNING: [Status.QUEUED, Status.RUNNING]}.get(new_status, [new_status])
    won = (
        ImportExecutionLog.objects.due()
        .filter(pk=import_id, status__in=waiting)
        .update(
            status=new_status,
            owner=owner,
            lease_until=timezone.now() + LEASE,
            attempt=F("attempt") + 1,
        )
    )
    if not won:
        return None
    log = ImportExecutionLog.objects.get(pk=import_id)
    return log if log.owner == owner else None


def renew(log: ImportExecutionLog, **values: object) -> None:
    """Save values and a longer lease, if `log` is still ours. Raises LeaseLost."""
    values["lease_until"] = timezone.now() + LEASE
    ours = ImportExecutionLog.objects.filter(pk=log.pk, owner=log.owner, status=log.status)
    if not ours.update(**values):
        raise LeaseLost(f"{log.file_name} is no longer ours")
    for name, value in values.items():
        setattr(log, name, value)


def finish(log: ImportExecutionLog, new_status: Status, **values: object) -> None:
    """End our work on an import with a new state. Raises LeaseLost."""
    ours = ImportExecutionLog.objects.filter(pk=log.pk, owner=log.owner)
    values |= {"owner": "", "lease_until": None}
    if not ours.move(Status(log.status), new_status, **values):
        raise LeaseLost(f"{log.file_name} is no longer ours")
    for name, value in (values | {"status": new_status}).items():
        setattr(log, name, value)


def release(log: ImportExecutionLog, **values: object) -> None:
    """Let go of an import in the middle, so that others need not wait for the lease to end."""
    ours = ImportExecutionLog.objects.filter(pk=log.pk, owner=log.owner)
    values |= {"owner": "", "lease_until": None}
    if ours.update(**values):
        for name, value in values.items():
            setattr(log, name, value)


def release_when_possible(log: ImportExecutionLog) -> None:
    """Let go of an import although the database may be away; else its lease has to run out."""
    deadline = time.monotonic() + (0 if connection.in_atomic_block else PATIENCE)
    while True:
        try:
            return release(log)
        except (DatabaseError, InterfaceError):
            if time.monotonic() >= deadline:
                return None
        connection.close()
        time.sleep(1)


def free_from_the_dead() -> int:
    """End the leases of processes of this machine that are gone; how many there were."""
    leased = ImportExecutionLog.objects.filter(status__in=ACTIVE).exclude(owner="")
    dead = [owner for owner in leased.values_list("owner", flat=True) if is_dead(owner)]
    return leased.filter(owner__in=dead).update(owner="", lease_until=None) if dead else 0
