"""The row logs of imports that ended long ago are deleted; imports, trades and the ledger stay.

An import and the retries that came of it lose theirs together: by them a retry tells which lines
were mended. Not as long as one of them is at work, has ended lately, or has failed lines of which
nobody has acknowledged the notice. Afterwards none of them can be retried any more, as their file
can be imported anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils import timezone

from imports.kin import Kin, locked
from imports.models import ImportExecutionLog, ImportRowLog
from imports.querysets import ImportQuerySet
from imports.removing import clear_rows
from imports.states import ACTIVE
from imports.telling import key_of
from joblogs.models import Notice
from web.ages import days_ago

AT_ONCE = 200  # imports


@dataclass(frozen=True)
class Old:
    """How many row logs would be deleted, and how many imports keep theirs for their failures."""

    rows: int
    kept: int


def remember_the_known() -> int:
    """Note by imports that somebody has acknowledged their end, while there is a notice."""
    key = Concat(Value(key_of("")), Cast(OuterRef("pk"), CharField()))
    known = Notice.objects.filter(key=key, acknowledged_at__isnull=False)
    failed = ImportExecutionLog.objects.filter(failed_rows__gt=0, failures_known_at=None)
    moment = Subquery(known.values("acknowledged_at")[:1])
    return failed.filter(Exists(known)).update(failures_known_at=moment)


def ended_before(moment: datetime) -> ImportQuerySet:
    ended = ImportExecutionLog.objects.exclude(status__in=ACTIVE)
    return ended.annotate(ended_at=Coalesce("completed_at", "queued_at")).filter(
        ended_at__lt=moment
    )


def candidates(moment: datetime) -> ImportQuerySet:
    """Ended before then and with row logs left; one of which some are deleted comes again."""
    has_rows = Exists(ImportRowLog.objects.filter(import_log=OuterRef("pk")))
    left = Q(rows_deleted_at__isnull=False) | Q(total_rows__gt=0, rows_deleted_at=None)
    return ended_before(moment).filter(left).filter(has_rows).order_by("pk")


def in_lots(moment: datetime) -> Iterator[ImportExecutionLog]:
    last = 0
    while some := list(candidates(moment).filter(pk__gt=last)[:AT_ONCE]):
        yield from some
        last = some[-1].pk


def is_kept(log: ImportExecutionLog, moment: datetime) -> bool:
    """Whether it, or what came of it, is still needed."""
    members = ImportExecutionLog.objects.filter(pk__in=Kin(log).members)
    unknown = Q(failed_rows__gt=0, failures_known_at=None, rows_deleted_at=None)
    gone = ended_before(moment).values("pk")
    return members.filter(unknown | ~Q(pk__in=gone)).exists()


def old_rows(days: int | None) -> Old:
    """What would be deleted now; nothing for 0 days."""
    if not days:
        return Old(0, 0)
    remember_the_known()
    moment, going, kept = days_ago(days), [], 0
    for log in in_lots(moment):
        if log.rows_deleted_at is None and is_kept(log, moment):
            kept += 1
        else:
            going.append(log.pk)
    count = ImportRowLog.objects.filter(import_log__in=going).count()
    return Old(count, kept)


def forget_rows(days: int | None) -> Iterator[int]:
    """Delete them, lot by lot, each a transaction; gives the number of each."""
    if not days:
        return
    remember_the_known()
    moment = days_ago(days)
    for log in in_lots(moment):
        number, last = forget_lot(log.pk, moment)
        while number:
            yield number
            number, last = forget_lot(log.pk, moment, last)


def forget_lot(pk: int, moment: datetime, behind: int = -1) -> tuple[int, int]:
    """Delete the next row logs of an import behind a line; none if they are needed.

    How many there were, and the last line.
    """
    with transaction.atomic():
        log = ImportExecutionLog.objects.filter(pk=pk).first()
        if log is None:
            return 0, behind
        log = locked(log)  # as whoever retries it does
        if log.rows_deleted_at is None:
            if is_kept(log, moment):
                return 0, behind
            family = ImportExecutionLog.objects.filter(pk__in=Kin(log).members)
            family.filter(rows_deleted_at=None).update(rows_deleted_at=timezone.now())
        return clear_rows(log, behind)
