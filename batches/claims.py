"""Who works on a batch: one process at a time, for as long as its lease runs.

As with imports (imports/claims.py): a claim is a conditional update whose row count decides who
won, and whatever the owner writes is written together with a longer lease, so that one that has
lost its batch writes nothing.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.db import InterfaceError, InternalError, OperationalError, connection
from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from batches.models import Batch
from batches.states import Status
from joblogs.owners import is_dead, new_owner

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
HEARTBEAT = 10.0  # seconds; whoever waits for an executor renews the lease as often
PATIENCE = 60.0  # seconds in which a database may come back
PAUSE = 0.5  # seconds between two looks whether it has
CANDIDATES = 10  # batches that are looked at in one go
AWAY = (OperationalError, InterfaceError, InternalError)

Answer = TypeVar("Answer")


class LeaseLost(Exception):
    """Another process owns this batch now; leave quietly."""


def claim() -> Batch | None:
    """Become the owner of the most urgent batch that is due; None if there is none."""
    free_from_the_dead()
    while candidates := list(Batch.objects.due().most_urgent_first()[:CANDIDATES]):
        for batch in candidates:
            if won := claim_one(batch):
                return won
    return None


def claim_one(batch: Batch) -> Batch | None:
    """Become the owner of this batch, if it is still due."""
    owner = new_owner()
    return patiently(lambda: claim_as(batch, owner))


def claim_as(batch: Batch, owner: str) -> Batch | None:
    now = timezone.now()
    Batch.objects.due().filter(pk=batch.pk).move(
        Status(batch.status),
        Status.RUNNING,
        owner=owner,
        lease_until=now + LEASE,
        attempt=F("attempt") + 1,
        started_at=Coalesce(F("started_at"), Value(now)),
        updated_at=now,
    )
    # Asked in any case: the claim before a connection broke may have been ours.
    return Batch.objects.filter(pk=batch.pk, owner=owner).first()


def claim_undo(batch_id: int) -> Batch | None:
    """Become the owner of a batch whose trades are to be rolled back; None if somebody else is."""
    owner = new_owner()
    free = Batch.objects.being_undone().filter(pk=batch_id)
    patiently(lambda: free.unowned().update(owner=owner, lease_until=timezone.now() + LEASE))
    return patiently(free.filter(owner=owner).first)


def renew(batch: Batch, **values: object) -> None:
    """Save values and a longer lease, if the batch is still ours. Raises LeaseLost.

    Expressions are allowed: what they came to is not read back.
    """
    lease_until = timezone.now() + LEASE
    ours = Batch.objects.filter(pk=batch.pk, owner=batch.owner)
    if not ours.update(**values, lease_until=lease_until):
        raise LeaseLost(f"{batch.name} is no longer ours")
    batch.lease_until = lease_until


def finish(batch: Batch, new_status: Status, **values: object) -> None:
    """End our work on a batch with a final state. Raises LeaseLost."""
    now = timezone.now()
    ours = Batch.objects.filter(pk=batch.pk, owner=batch.owner)
    values |= {"owner": "", "lease_until": None, "completed_at": now, "updated_at": now}
    if not ours.move(Status.RUNNING, new_status, **values):
        raise LeaseLost(f"{batch.name} is no longer ours")


def release(batch: Batch, **values: object) -> None:
    """Let go of a batch in the middle, so that others need not wait for the lease to end."""
    ours = Batch.objects.filter(pk=batch.pk, owner=batch.owner)
    ours.update(owner="", lease_until=None, **values)


def release_when_possible(batch: Batch, **values: object) -> None:
    """The same, although the database may be away; if it stays so, the lease has to run out."""
    try:
        patiently(lambda: release(batch, **values))
    except AWAY as problem:
        logger.warning("%s could not be let go: %s", batch.name, problem)


def free_from_the_dead() -> int:
    """End the leases of processes of this machine that are gone; how many there were."""
    leased = Batch.objects.exclude(owner="")
    dead = [owner for owner in leased.values_list("owner", flat=True) if is_dead(owner)]
    return leased.filter(owner__in=dead).update(owner="", lease_until=None) if dead else 0


def patiently(write: Callable[[], Answer]) -> Answer:
    """Do one transaction; again, if the database went away in the middle and comes back.

    What an executor has answered is known here alone: it must not be lost with a connection. So
    `write` must find out whether it was committed before the connection broke.
    """
    give_up_at = time.monotonic() + PATIENCE
    while True:
        try:
            return write()
        except AWAY as problem:
            if time.monotonic() >= give_up_at:
                raise
            logger.info("Once more: %s", str(problem).strip().partition("\n")[0])
        connection.close()
        time.sleep(PAUSE)
