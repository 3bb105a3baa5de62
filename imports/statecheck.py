"""Imports and rollbacks that stand still, and marks of positions that nobody has taken up."""

from collections.abc import Iterable, Iterator

from django.db.models import Q
from django.utils import timezone

from imports.background import IMPORT, ROLLBACK, ROLLBACK_ATTEMPTS
from imports.claims import free_from_the_dead
from imports.models import ImportExecutionLog
from imports.recomputing import RECOMPUTE
from imports.states import Status
from joblogs.findings import Check, Finding, Step
from joblogs.owners import run_out
from joblogs.statecheck import long_ago, standing_still
from trades.models import TouchedPair

MOST = 1_000  # of each kind; the rest is found when these are mended


def look(behind: None, mend: bool) -> Step:
    if mend:
        free_from_the_dead()
    due = ImportExecutionLog.objects.due()
    waiting = due.filter(Q(status=Status.QUEUED, queued_at__lt=long_ago()) | left_behind())
    undone = due.filter(status=Status.ROLLING_BACK, attempt__lt=ROLLBACK_ATTEMPTS)
    given_up = due.filter(status=Status.ROLLING_BACK, attempt__gte=ROLLBACK_ATTEMPTS)
    return Step(
        [
            *standing_still(IMPORT, named(waiting), mend),
            *standing_still(ROLLBACK, named(undone.filter(left_long_ago())), mend),
            *map(about_given_up, given_up.order_by("pk")[:MOST]),
            *standing_still(RECOMPUTE, accounts(), mend),
        ]
    )


def left_behind() -> Q:
    return Q(left_long_ago(), status=Status.RUNNING)


def left_long_ago() -> Q:
    """One between two slices is let go without a lease."""
    free = Q(lease_until=None, queued_at__lt=long_ago())
    return free | (run_out() & ~Q(lease_until__range=(long_ago(), timezone.now())))


def named(logs: Iterable[ImportExecutionLog]) -> Iterator[tuple[int, str, str]]:
    for log in logs.order_by("pk")[:MOST]:
        yield log.pk, f"import {log.pk} ({log.file_name})", log.get_status_display().lower()


def about_given_up(log: ImportExecutionLog) -> Finding:
    words = f"the rollback of import {log.pk} ({log.file_name}) broke off {log.attempt} times"
    return Finding(words, "ask for it again on its page; its job logs tell why it broke off")


def accounts() -> Iterator[tuple[int, str, str]]:
    marks = TouchedPair.objects.filter(created_at__lt=long_ago()).order_by("account_id")
    for pk, name in marks.values_list("account_id", "account__name").distinct():
        yield pk, f"the positions of {name or f'account {pk}'}", "to be computed anew"


CHECK = Check("imports that stand still", look)
