"""Undo an import: its trades and its ledger rows go, the import and its row logs stay.

The work is done in slices, each a transaction, so nobody waits long for it. A rollback that was
interrupted stays `rolling_back` and goes on where it stopped.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from audit.models import Deed
from audit.writing import write_down
from imports.claims import (
    LeaseLost,
    Pause,
    claim,
    finish,
    release,
    release_when_possible,
    renew,
)
from imports.inserting import hold
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.remarks import take_remarks_back
from imports.removing import clear
from imports.states import Category, RowStatus, StateConflict, Status
from trades.models import Position, Trade
from trades.positions import recompute_for_a_while
from trades.touched import mark_trades_where
from web.manyids import among, change

SLICE = 5_000  # trades in one transaction
MOST_TRACED = 50_000  # trades whose positions a preview counts


@dataclass(frozen=True)
class Preview:
    """What a rollback would do. `later_imports` skipped lines that these imports had taken in.

    `positions` have a fill of these imports: they will be others, or be gone. None: so many trades
    that nobody waits until their positions are counted. `restored` imports were brought back by
    these, and go with them.
    """

    trades: int
    positions: int | None
    accounts: list[str]
    with_notes: int
    reviewed: int
    later_imports: list[ImportExecutionLog]
    restored: int = 0


def preview(logs: Sequence[ImportExecutionLog]) -> Preview:
    """What rolling back these imports would do, all together."""
    brought = [pk for log in logs for pk in restored_by(log)]
    ids = [log.pk for log in logs] + brought
    trades = trades_of(ids)
    counts = trades.aggregate(
        trades=Count("pk"),
        with_notes=Count("pk", filter=~Q(notes="")),
        reviewed=Count("pk", filter=Q(reviewed=True)),
    )
    changing = Position.objects.of_trades(trades).order_by()
    return Preview(
        **counts,
        positions=changing.count() if counts["trades"] <= MOST_TRACED else None,
        accounts=sorted({name for log in logs for name in log.affected_accounts}),
        later_imports=later_imports(ids),
        restored=len(brought),
    )


def restored_by(log: ImportExecutionLog) -> list[int]:
    """The imports that it has brought back, if it is of a backup."""
    if log.import_type != ImportExecutionLog.Type.BACKUP:
        return []
    return list(log.restored.order_by("pk").values_list("pk", flat=True))


def later_imports(ids: Sequence[int]) -> list[ImportExecutionLog]:
    """Other imports that skipped or refused lines because of trades that these had taken in."""
    others = ImportExecutionLog.objects.exclude(pk__in=ids).filter(pk__gt=min(ids, default=0))
    candidates = others.filter(Q(skipped_rows__gt=0) | Q(failed_rows__gt=0))
    # The first line of each is enough. A join would look at all lines of all of them.
    repeating = ImportRowLog.objects.filter(
        import_log=OuterRef("pk"), duplicate_of__import_row_log__import_log__in=ids
    )
    conflicts = {"status": RowStatus.FAILED, "error_category": Category.BUSINESS_LOGIC}
    first = Coalesce(
        *(
            Subquery(repeating.filter(**kind).order_by().values("pk")[:1])
            for kind in ({"status": RowStatus.SKIPPED}, conflicts)
        )
    )
    return list(candidates.annotate(first=first).filter(first__isnull=False))


def roll_back(
    log: ImportExecutionLog,
    user: AbstractBaseUser | None = None,
    *,
    on_progress: Callable[[int], None] = lambda deleted: None,
    with_positions: bool = True,
) -> int:
    """Undo an import; how many trades were deleted. Without positions, these wait for somebody.

    Raises StateConflict unless it is finished with something taken in, or an interrupted rollback.
    """
    begin(log, user)
    deleted = go_on(log, on_progress)
    if with_positions:
        recompute_for_a_while()
    log.refresh_from_db()
    return deleted


def go_on(log: ImportExecutionLog, on_progress: Callable[[int], None]) -> int:
    """Undo what is left of an import that is `rolling_back`; how many trades were deleted.

    Raises StateConflict if another process does it, and whatever a progress raises.
    """
    owned = claim(log.pk, Status.ROLLING_BACK)
    if owned is None:
        raise StateConflict(f"{log.file_name} is being rolled back by another process.")
    try:
        take_remarks_back(owned)
        total = delete_all(owned, on_progress)
        take_logs_back(owned, lambda: on_progress(total))
        finish(owned, Status.ROLLED_BACK, rolled_back_at=timezone.now())
    except LeaseLost:
        raise StateConflict(f"Another process rolls {log.file_name} back now.") from None
    except Pause:
        release(owned, attempt=0)
        raise
    except BaseException:
        release_when_possible(owned)
        raise
    return total


def begin(log: ImportExecutionLog, user: AbstractBaseUser | None) -> None:
    """Move the import to `rolling_back`, unless an interrupted rollback is there already."""
    log.refresh_from_db()
    mine = ImportExecutionLog.objects.filter(pk=log.pk)
    if log.status == Status.ROLLING_BACK:
        if not mine.due().update(attempt=0):
            raise StateConflict(f"{log.file_name} is being rolled back by another process.")
        return
    log.require(log.can_be_rolled_back, "only what has taken in trades can be rolled back, once")
    with transaction.atomic():
        if not mine.move(
            Status(log.status),
            Status.ROLLING_BACK,
            owner="",
            lease_until=None,
            attempt=0,
            rolled_back_by=user,
        ):
            raise StateConflict(f"{log.file_name} was changed by somebody else; look again.")
        count = trades_of([log.pk, *restored_by(log)]).count()
        write_down(Deed.ROLLBACK, log, user=user, count=count, words="trades")


def delete_all(log: ImportExecutionLog, on_progress: Callable[[int], None]) -> int:
    """The trades of the import, and of those that it has brought back."""
    total = 0
    for import_id in [log.pk, *restored_by(log)]:
        last = 0
        while ledger_rows := slice_behind(import_id, last):
            with transaction.atomic():
                total += delete_slice(ledger_rows)
                if import_id != log.pk:
                    has_fewer(import_id, len(ledger_rows))
                renew(log, attempt=1)
            last = ledger_rows[-1][0]
            on_progress(total)
    return total


def slice_behind(import_id: int, last: int) -> list[tuple[int, int | None]]:
    """The next ledger rows of an import: their numbers and those of their trades.

    By key, so that no slice looks again at what the ones before it have deleted.
    """
    ledger = ImportedExecution.objects.filter(import_log=import_id, pk__gt=last).order_by("pk")
    return list(ledger.values_list("pk", "trade_id")[:SLICE])


def has_fewer(import_id: int, number: int) -> None:
    """So many ledger rows of an import are gone, or another's now."""
    log = ImportExecutionLog.objects.filter(pk=import_id, trades_created__gte=number)
    log.update(trades_created=F("trades_created") - number)


def take_logs_back(log: ImportExecutionLog, on_progress: Callable[[], None]) -> None:
    """The imports that it has brought back go with it. One that is at work now stays."""

    def goes_on() -> bool:
        renew(log)
        on_progress()
        return True

    for import_id in restored_by(log):
        clear(import_id, goes_on)


def trades_of(import_ids: Iterable[int]) -> QuerySet[Trade]:
    """The trades that these imports made and that still exist; the ledger knows them."""
    ledger = ImportedExecution.objects.filter(import_log__in=import_ids)
    return Trade.objects.filter(pk__in=ledger.values("trade_id")).order_by()


def trades_with(ids: list[int]) -> tuple[str, list[object]]:
    condition, parameter = among(ids)
    return f"id {condition}", [parameter]


def delete_slice(ledger_rows: list[tuple[int, int | None]]) -> int:
    """Delete these ledger rows with their trades; how many trades there were."""
    trade_ids = [trade_id for _, trade_id in ledger_rows if trade_id]
    # An import that skips lines because of these trades is waited for, and then unlinked.
    hold(Trade, trade_ids, "UPDATE")
    change(
        "UPDATE import_execution_row_logs SET duplicate_of_id = NULL WHERE duplicate_of_id",
        trade_ids,
    )
    mark_trades_where(*trades_with(trade_ids))
    # Raw: what refers to a trade has just been taken care of, for all of them at once.
    deleted = change("DELETE FROM trades WHERE id", trade_ids)
    change("DELETE FROM imported_executions WHERE id", [pk for pk, _ in ledger_rows])
    return deleted
