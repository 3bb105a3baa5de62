"""The counters of imports beside their row logs and their ledger rows.

A chunk writes all of them in one transaction, and one statement sees one state of the database: so
also an import that is at work must agree with itself.
"""

from django.db import transaction

from imports.models import ImportExecutionLog
from imports.states import ACTIVE, Status
from joblogs.findings import Check, Finding, Step, counted
from joblogs.ranges import end_of_range, rows_of

AT_ONCE = 200  # imports in one statement
COUNTERS = ("success_rows", "failed_rows", "skipped_rows")
COUNTED = """
SELECT log.id, COALESCE(found.success, 0), COALESCE(found.failed, 0), COALESCE(found.skipped, 0)
FROM import_execution_logs log LEFT JOIN (
    SELECT import_id,
        COUNT(*) FILTER (WHERE status = 'success') AS success,
        COUNT(*) FILTER (WHERE status = 'failed') AS failed,
        COUNT(*) FILTER (WHERE status = 'skipped') AS skipped
    FROM import_execution_row_logs WHERE import_id > %s AND import_id <= %s GROUP BY import_id
) found ON found.import_id = log.id
WHERE log.id > %s AND log.id <= %s AND log.rows_deleted_at IS NULL AND (
    log.success_rows <> COALESCE(found.success, 0)
    OR log.failed_rows <> COALESCE(found.failed, 0)
    OR log.skipped_rows <> COALESCE(found.skipped, 0)
    OR (log.failed_rows > 0 AND log.status = 'success')
)
ORDER BY log.id
"""
# What a rollback is about to delete is no matter; behind it nothing may be left. A backup has rows
# without a trade besides: of executions that a user had deleted.
TAKEN = """
SELECT log.id, log.status, CASE
    WHEN found.named > log.trades_created AND log.status <> 'rolled_back' THEN found.named
    ELSE COALESCE(found.number, 0)
END
FROM import_execution_logs log LEFT JOIN (
    SELECT import_id, COUNT(*) AS number, COUNT(trade_id) AS named FROM imported_executions
    WHERE import_id > %s AND import_id <= %s GROUP BY import_id
) found ON found.import_id = log.id
WHERE log.id > %s AND log.id <= %s AND log.status <> 'rolling_back' AND
    CASE WHEN log.status = 'rolled_back' THEN 0 ELSE log.trades_created END
    NOT BETWEEN CASE WHEN log.status = 'rolled_back' THEN COALESCE(found.number, 0)
        ELSE COALESCE(found.named, 0) END AND COALESCE(found.number, 0)
ORDER BY log.id
"""


def look(behind: int | None, mend: bool) -> Step:
    first = behind or 0
    last = end_of_range(ImportExecutionLog, first, AT_ONCE)
    if last is None:
        return Step()
    of_lines = [about_lines(*row, mend) for row in rows_of(COUNTED, [first, last] * 2)]
    of_ledger = [about_ledger(*row, mend) for row in rows_of(TAKEN, [first, last] * 2)]
    return Step(of_lines + of_ledger, last)


def about_lines(pk: int, success: int, failed: int, skipped: int, mend: bool) -> Finding:
    log = ImportExecutionLog.objects.get(pk=pk)
    words = (
        f"import {pk} ({log.file_name}) is {log.get_status_display().lower()} and counts "
        f"{log.success_rows:,} taken in, {log.failed_rows:,} failed and {log.skipped_rows:,} known "
        f"lines, but its row logs are {success:,}, {failed:,} and {skipped:,}"
    )
    if mend and count_anew(pk):
        return Finding(words, "counted anew", is_mended=True)
    return Finding(words, "--fix counts its row logs, once it has ended")


def count_anew(pk: int) -> bool:
    """Have an import say what its row logs say; False for one that is at work."""
    with transaction.atomic():
        log = ImportExecutionLog.objects.select_for_update().get(pk=pk)
        found = rows_of(COUNTED, [pk - 1, pk] * 2)
        if log.status in ACTIVE:
            return False
        if found:
            numbers = dict(zip(COUNTERS, found[0][1:], strict=True))
            status = Status(log.status)
            if status == Status.SUCCESS and numbers["failed_rows"]:
                status = Status.PARTIAL
            total = sum(numbers.values())
            mine = ImportExecutionLog.objects.filter(pk=pk)
            mine.update(**numbers, total_rows=total, status=status)
    return True


def about_ledger(pk: int, status: str, number: int, mend: bool) -> Finding:
    log = ImportExecutionLog.objects.get(pk=pk)
    rows = counted(number, "ledger row")
    name = f"import {pk} ({log.file_name})"
    if status == Status.ROLLED_BACK:
        words = f"{name} is rolled back, but has {rows}"
        if mend:
            return Finding(words, forget(log), is_mended=True)
        return Finding(words, "--fix deletes those without a trade")
    words = f"{name} has taken in {log.trades_created:,} trades, but has {rows}"
    if number > log.trades_created:
        if mend and take_number(log, number):
            return Finding(words, "its counter says so now", is_mended=True)
        return Finding(words, "--fix has its counter say so, once it has ended")
    first = "" if mend else "--fix enters trades that still stand; "
    return Finding(words, f"{first}what is missing comes back if you roll it back and import again")


def forget(log: ImportExecutionLog) -> str:
    """Delete what a rollback has left in the ledger; a trade that still stands keeps its row."""
    with transaction.atomic():
        locked = ImportExecutionLog.objects.select_for_update().get(pk=log.pk)
        rows = locked.ledger_rows.filter(import_log__status=Status.ROLLED_BACK)
        standing = rows_of(
            "SELECT entry.id FROM imported_executions entry JOIN trades ON trades.id = "
            "entry.trade_id WHERE entry.import_id = %s",
            [log.pk],
        )
        kept = rows.filter(pk__in=[pk for (pk,) in standing])
        deleted = rows.exclude(pk__in=kept.values("pk")).delete()[0]
        freed = kept.update(import_log=None)
    more = f", {counted(freed, 'row')} of standing trades kept without an import" if freed else ""
    return f"{counted(deleted, 'row')} deleted{more}"


def take_number(log: ImportExecutionLog, number: int) -> bool:
    ended = ImportExecutionLog.objects.filter(pk=log.pk).exclude(status__in=ACTIVE)
    return ended.filter(trades_created=log.trades_created).update(trades_created=number) == 1


CHECK = Check("import counters", look)
