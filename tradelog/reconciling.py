"""Check that all that is kept agrees with itself, and mend what can be mended safely.

Each check belongs to the room whose data it knows; here they are done one after the other, in steps
that end soon: at once by `manage.py reconcile`, or in slices of time by a worker, every day.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.utils import timezone

import batches.checking
import orders.checking
from imports import countercheck, filecheck, ledgercheck, linkcheck, statecheck
from joblogs import statecheck as jobcheck
from joblogs.findings import Check, Finding, Step, counted
from joblogs.notices import is_over, tell
from joblogs.queueing import ring
from joblogs.reconciliations import MOST_KEPT, Reconciliation
from joblogs.scribe import CURRENT
from joblogs.states import Level, Trigger
from tradelog import positioncheck

logger = logging.getLogger(__name__)

RECONCILE = "reconcile"
SLICE = 60  # seconds
LEFT_AFTER = timedelta(minutes=10)
MOST_TOLD = 20
KEPT = 100  # finished ones

# Links before the ledger, which finds the import of a trade by them; counters when both are right.
CHECKS: list[Check] = [
    *linkcheck.CHECKS,
    ledgercheck.CHECK,
    countercheck.CHECK,
    *filecheck.CHECKS,
    *batches.checking.CHECKS,
    orders.checking.CHECK,
    positioncheck.CHECK,
    jobcheck.CHECK,
    statecheck.CHECK,
]


def steps(mend: bool, place: Iterable[Any] = ()) -> Iterator[tuple[list[Any], Step]]:
    """All steps from a place on, each with the place of the next one."""
    number, behind = [*place] or [0, None]
    while number < len(CHECKS):
        step = CHECKS[number].look(behind, mend)
        behind = step.behind
        number += behind is None
        yield [number, behind], step


def differences(findings: Iterable[Finding]) -> list[Finding]:
    """Those that are wrong and not mended."""
    return [one for one in findings if not one.is_remark and not one.is_mended]


# --- At once


def reconcile(mend: bool, on_step: Callable[[str, Step], None]) -> Reconciliation:
    """Do all checks; `on_step` gets the name of the next check and what was found."""
    mine = Reconciliation(place=[len(CHECKS), None])
    for place, step in steps(mend):
        add(mine, step.findings)
        on_step(CHECKS[min(place[0], len(CHECKS) - 1)].name, step)
    mine.changed_at = mine.finished_at = timezone.now()
    mine.save()
    tell_of(mine)
    return mine


def add(mine: Reconciliation, findings: list[Finding]) -> None:
    left = differences(findings)
    mine.differences += len(left)
    mine.findings = [*mine.findings, *map(str, left)][:MOST_KEPT]


def tell_of(mine: Reconciliation) -> None:
    """Told once, until a check finds nothing any more."""
    if not mine.differences:
        is_over(RECONCILE)
        return
    scribe = CURRENT.get()
    shown = mine.findings[:MOST_TOLD]
    more = mine.differences - len(shown)
    tell(
        f"{RECONCILE}:{mine.pk}",
        f"The daily check found {counted(mine.differences, 'difference')}",
        "\n".join([*shown, *([f"… and {more:,} more"] if more else [])]),
        Level.ERROR,
        scribe.log.get_absolute_url() if scribe else "",
        trouble=RECONCILE,
    )


# --- As a job


def reconcile_slice(number: int | None) -> dict[str, object]:
    """Begin a check, or go on with one, for as long as a slice of time allows."""
    mine = open_one(number)
    if mine is None:
        return {"left": True}
    over_at = time.monotonic() + SLICE
    for place, step in steps(False, mine.place):
        for one in step.findings:
            logger.log(logging.INFO if one.is_remark else logging.WARNING, "%s", one)
        add(mine, step.findings)
        if not move_on(mine, place):
            logger.info("Somebody else goes on with it.")
            return {"left": True}
        if time.monotonic() > over_at and place[0] < len(CHECKS):
            logger.info("Enough for now; the next slice goes on.")
            ring(RECONCILE, mine.pk, trigger=Trigger.SCHEDULE)
            return {"steps": mine.steps, "differences": mine.differences}
    finish(mine)
    return {"steps": mine.steps, "differences": mine.differences}


def open_one(number: int | None) -> Reconciliation | None:
    """The one that is meant; else one that was not finished, or a new one."""
    unfinished = Reconciliation.objects.filter(finished_at=None)
    if number is not None:
        return unfinished.filter(pk=number).first()
    return unfinished.first() or Reconciliation.objects.create()


def move_on(mine: Reconciliation, place: list[Any]) -> bool:
    mine.place, mine.changed_at = place, timezone.now()
    same = Reconciliation.objects.filter(pk=mine.pk, steps=mine.steps, finished_at=None)
    mine.steps += 1
    names = ("place", "changed_at", "steps", "differences", "findings")
    return same.update(**{name: getattr(mine, name) for name in names}) == 1


def finish(mine: Reconciliation) -> None:
    Reconciliation.objects.filter(pk=mine.pk).update(finished_at=timezone.now())
    for words in mine.findings[:MOST_TOLD]:
        logger.warning("%s", words)
    logger.info("%s", in_words(mine))
    tell_of(mine)
    kept = Reconciliation.objects.order_by("-pk").values("pk")[:KEPT]
    oldest = min((row["pk"] for row in kept), default=0)
    Reconciliation.objects.filter(pk__lt=oldest).delete()


def in_words(mine: Reconciliation) -> str:
    if mine.differences:
        return f"{counted(mine.differences, 'difference')}; manage.py reconcile --fix mends most."
    return "Everything agrees."


def waiting() -> list[int]:
    """Those that nobody goes on with."""
    left = Reconciliation.objects.filter(
        finished_at=None, changed_at__lt=timezone.now() - LEFT_AFTER
    )
    return list(left.order_by("pk").values_list("pk", flat=True))
