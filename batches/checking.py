"""Batches beside their trades: counters, trades that are gone, and those that stand still."""

from collections.abc import Iterable, Iterator

from django.db import transaction

from batches.claims import free_from_the_dead
from batches.control import RUN, UNDO
from batches.models import Batch
from joblogs.findings import Check, Finding, Step, counted
from joblogs.ranges import changed_by, end_of_range, rows_of
from joblogs.statecheck import long_ago, standing_still

AT_ONCE = 50  # batches in one statement
COUNTERS = ("total_trades", "executed_trades", "failed_trades", "cancelled_trades")
COUNTED = """
SELECT batch.id, COALESCE(found.total, 0), COALESCE(found.executed, 0), COALESCE(found.failed, 0),
    COALESCE(found.cancelled, 0)
FROM batches batch LEFT JOIN (
    SELECT batch_id, COUNT(*) AS total,
        COUNT(*) FILTER (WHERE status = 'executed') AS executed,
        COUNT(*) FILTER (WHERE status = 'failed') AS failed,
        COUNT(*) FILTER (WHERE status = 'cancelled') AS cancelled
    FROM batch_trades WHERE batch_id > %s AND batch_id <= %s GROUP BY batch_id
) found ON found.batch_id = batch.id
WHERE batch.id > %s AND batch.id <= %s AND (
    batch.total_trades <> COALESCE(found.total, 0)
    OR batch.executed_trades <> COALESCE(found.executed, 0)
    OR batch.failed_trades <> COALESCE(found.failed, 0)
    OR batch.cancelled_trades <> COALESCE(found.cancelled, 0)
)
ORDER BY batch.id
"""
GONE = """
batch_id > %s AND batch_id <= %s AND trade_id IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM trades WHERE trades.id = batch_trades.trade_id)
"""


def look(behind: int | None, mend: bool) -> Step:
    first = behind or 0
    last = end_of_range(Batch, first, AT_ONCE)
    if last is None:
        return Step()
    findings = [about(row[0], row[1:], mend) for row in rows_of(COUNTED, [first, last] * 2)]
    gone = rows_of(f"SELECT COUNT(*) FROM batch_trades WHERE {GONE}", [first, last])[0][0]
    if gone:
        findings.append(about_gone(gone, first, last, mend))
    return Step(findings, last)


def about(pk: int, found: tuple[int, ...], mend: bool) -> Finding:
    batch = Batch.objects.get(pk=pk)
    told = ", ".join(f"{getattr(batch, name):,}" for name in COUNTERS)
    must = ", ".join(f"{number:,}" for number in found)
    names = "trades, executed, failed, cancelled"
    words = f"batch {pk} ({batch.name}) counts {told} ({names}), but has {must}"
    if mend and count_anew(pk):
        return Finding(words, "counted anew", is_mended=True)
    return Finding(words, "--fix counts its trades, once nobody works on it")


def count_anew(pk: int) -> bool:
    """False for a batch that somebody works on, or whose state its trades contradict."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=pk)
        rows = rows_of(COUNTED, [pk - 1, pk] * 2)
        if not rows:
            return True
        numbers = dict(zip(COUNTERS, rows[0][1:], strict=True))
        is_whole = numbers["total_trades"] == sum(list(numbers.values())[1:])
        if batch.owner or (batch.is_completed and not is_whole):
            return False
        Batch.objects.filter(pk=pk).update(**numbers)
    return True


def about_gone(number: int, first: int, last: int, mend: bool) -> Finding:
    words = f"{counted(number, 'batch trade')} name a trade that is gone"
    if not mend:
        return Finding(words, "--fix unlinks them")
    changed = changed_by(f"UPDATE batch_trades SET trade_id = NULL WHERE {GONE}", [first, last])
    return Finding(words, f"{counted(changed, 'batch trade')} unlinked", is_mended=True)


def look_at_states(behind: None, mend: bool) -> Step:
    if mend:
        free_from_the_dead()
    due = Batch.objects.due().filter(updated_at__lt=long_ago())
    undone = Batch.objects.being_undone().unowned().filter(updated_at__lt=long_ago())
    return Step(
        [
            *standing_still(RUN, named(due), mend),
            *standing_still(UNDO, named(undone, "to be rolled back"), mend),
        ]
    )


def named(batches: Iterable[Batch], state: str = "") -> Iterator[tuple[int, str, str]]:
    for batch in batches.order_by("pk"):
        shown = state or batch.get_status_display().lower()
        yield batch.pk, f"batch {batch.pk} ({batch.name})", shown


CHECKS = [Check("batches", look), Check("batches that stand still", look_at_states)]
