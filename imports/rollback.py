"""Undo an import: its trades and its ledger rows go, the import and its row logs stay.

The work is done in slices, each a transaction, so nobody waits long for it. A rollback that was
interrupted stays `rolling_back` and goes on where it stopped.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from imports.claims import claim, finish, renew
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.states import StateConflict, Status
from trades.models import Account, Trade

SLICE = 5_000  # trades in one transaction


@dataclass(frozen=True)
class Preview:
    """What a rollback would do. `later_imports` skipped lines that these imports had taken in."""

    trades: int
    accounts: list[str]
    with_notes: int
    reviewed: int
    later_imports: list[ImportExecutionLog]


def preview(logs: Iterable[ImportExecutionLog]) -> Preview:
    """What rolling back these imports would do, all together."""
    ids = [log.pk for log in logs]
    trades = trades_of(ids)
    names = Account.objects.filter(pk__in=trades.values("account").distinct())
    repeating = ImportRowLog.objects.filter(duplicate_of__in=trades.values("pk"))
    later = repeating.exclude(import_log__in=ids).values("import_log")
    return Preview(
        trades=trades.count(),
        accounts=list(names.values_list("name", flat=True)),
        with_notes=trades.exclude(notes="").count(),
        reviewed=trades.filter(reviewed=True).count(),
        later_imports=list(ImportExecutionLog.objects.filter(pk__in=later)),
    )


def roll_back(
    log: ImportExecutionLog,
    user: AbstractBaseUser | None = None,
    *,
    on_progress: Callable[[int], None] = lambda deleted: None,
) -> int:
    """Undo an import; how many trades were deleted.

    Raises StateConflict unless it is finished with something taken in, or an interrupted rollback.
    """
    begin(log, user)
    owned = claim(log.pk, Status.ROLLING_BACK)
    if owned is None:
        raise StateConflict(f"{log.file_name} is being rolled back by another process.")
    total, rows = 0, SLICE
    while rows == SLICE:
        rows, deleted = delete_slice(owned)
        total += deleted
        on_progress(total)
    finish(owned, Status.ROLLED_BACK, rolled_back_at=timezone.now())
    log.refresh_from_db()
    return total


def begin(log: ImportExecutionLog, user: AbstractBaseUser | None) -> None:
    """Move the import to `rolling_back`, unless an interrupted rollback is there already."""
    log.refresh_from_db()
    if log.status == Status.ROLLING_BACK:
        return
    log.require(log.can_be_rolled_back, "only what has taken in trades can be rolled back, once")
    mine = ImportExecutionLog.objects.filter(pk=log.pk)
    if not mine.move(
        Status(log.status),
        Status.ROLLING_BACK,
        owner="",
        lease_until=None,
        rolled_back_by=user,
    ):
        raise StateConflict(f"{log.file_name} was changed by somebody else; look again.")


def trades_of(import_ids: Iterable[int]) -> QuerySet[Trade]:
    """The trades that these imports made and that still exist; the ledger knows them."""
    ledger = ImportedExecution.objects.filter(import_log__in=import_ids)
    return Trade.objects.filter(pk__in=ledger.values("trade_id")).order_by()


def delete_slice(log: ImportExecutionLog) -> tuple[int, int]:
    """Delete some of the import's ledger rows with their trades; how many of each."""
    with transaction.atomic():
        ledger = ImportedExecution.objects.filter(import_log=log).order_by()
        rows = list(ledger.values_list("pk", "trade_id")[:SLICE])
        trade_ids = [trade_id for _, trade_id in rows if trade_id]
        ImportRowLog.objects.filter(duplicate_of__in=trade_ids).update(duplicate_of=None)
        # Raw: what refers to a trade has just been taken care of, for all of them at once.
        trades = Trade.objects.filter(pk__in=trade_ids)
        deleted = trades._raw_delete(trades.db)
        ImportedExecution.objects.filter(pk__in=[pk for pk, _ in rows]).delete()
        renew(log)
    return len(rows), deleted
