"""Who syncs: one process at a time, for as long as its lease runs.

The database allows one loading snapshot, so whoever can make it is the one. The owner renews the
lease with every lot, in the lot's own transaction; one that has lost it therefore writes nothing.
"""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from joblogs.owners import new_owner
from joblogs.scribe import CURRENT
from orders.models import OpenOrderSnapshot
from orders.states import Status

LEASE = timedelta(minutes=3)


class LeaseLost(Exception):
    """Another process has ended this sync in the belief that ours is dead; leave quietly."""


def claim() -> OpenOrderSnapshot | None:
    """A new snapshot that is ours to load; None while another process loads one."""
    end_the_dead()
    scribe = CURRENT.get()
    try:
        with transaction.atomic():
            return OpenOrderSnapshot.objects.create(
                owner=new_owner(),
                lease_until=timezone.now() + LEASE,
                job_log=scribe.log if scribe else None,
            )
    except IntegrityError:
        return None


def end_the_dead() -> bool:
    """End a sync whose process is gone or silent for too long; whether there was one."""
    left = OpenOrderSnapshot.objects.loading()
    if left is None or not left.is_abandoned:
        return False
    same = OpenOrderSnapshot.objects.filter(pk=left.pk, lease_until=left.lease_until)
    return same.move(
        Status.LOADING,
        Status.FAILED,
        finished_at=timezone.now(),
        error="Interrupted: its process ended without a word.",
    )


def renew(snapshot: OpenOrderSnapshot, **values: object) -> None:
    """Save values and a longer lease, if the snapshot is still ours. Raises LeaseLost."""
    values["lease_until"] = timezone.now() + LEASE
    ours = OpenOrderSnapshot.objects.filter(pk=snapshot.pk, owner=snapshot.owner)
    if not ours.filter(status=Status.LOADING).update(**values):
        raise LeaseLost("Another process has ended this sync.")
    for name, value in values.items():
        setattr(snapshot, name, value)


def finish(snapshot: OpenOrderSnapshot, status: Status, **values: object) -> None:
    """End our snapshot: from this one update on, a complete one is what readers see.

    Raises LeaseLost.
    """
    ours = OpenOrderSnapshot.objects.filter(pk=snapshot.pk, owner=snapshot.owner)
    values |= {"finished_at": timezone.now(), "owner": "", "lease_until": None}
    if not ours.move(Status.LOADING, status, **values):
        raise LeaseLost("Another process has ended this sync.")
    for name, value in (values | {"status": status}).items():
        setattr(snapshot, name, value)
