"""Whether what is in the database, and on the disk, is what must be there.

Asked with words of SQL and counts of our own: what the product counts is what is examined.
"""

from collections import Counter
from collections.abc import Iterator

from django.db import connection

from bench.soak.model import LETTERS, Model
from imports.models import ImportExecutionLog

SHOWN = 5  # of what differs alike

# What must find nothing. The first column tells which row it is.
NOTHING = {
    "imports have not ended": """
        SELECT id, status, owner FROM import_execution_logs
        WHERE status IN ('queued', 'running', 'rolling_back') OR owner <> ''""",
    "imports count otherwise than their row logs": """
        SELECT i.id, i.status, i.total_rows, i.success_rows, i.failed_rows, i.skipped_rows,
            count(r.id) FROM import_execution_logs i
        LEFT JOIN import_execution_row_logs r ON r.import_id = i.id GROUP BY i.id
        HAVING i.total_rows <> count(r.id)
            OR i.total_rows <> i.success_rows + i.failed_rows + i.skipped_rows
            OR i.success_rows <> sum(CASE r.status WHEN 'success' THEN 1 ELSE 0 END)
            OR i.failed_rows <> sum(CASE r.status WHEN 'failed' THEN 1 ELSE 0 END)
            OR i.skipped_rows <> sum(CASE r.status WHEN 'skipped' THEN 1 ELSE 0 END)""",
    "trades have not just one row in the ledger": """
        SELECT t.id, t.order_id, count(e.id) FROM trades t
        LEFT JOIN imported_executions e ON e.trade_id = t.id
        GROUP BY t.id, t.order_id HAVING count(e.id) <> 1""",
    "rows of the ledger have no trade": """
        SELECT e.id, e.execution_id, e.import_id FROM imported_executions e
        LEFT JOIN trades t ON t.id = e.trade_id WHERE t.id IS NULL""",
    "lines were taken in and their trade is not there, or not alone": """
        SELECT r.id, r.import_id, r.row_number, count(t.id) FROM import_execution_row_logs r
        JOIN import_execution_logs i ON i.id = r.import_id AND i.status <> 'rolled_back'
        LEFT JOIN trades t ON t.import_row_log_id = r.id
        WHERE r.status = 'success' GROUP BY r.id HAVING count(t.id) <> 1""",
    "trades stand for a line that was rolled back": """
        SELECT t.id, t.order_id, r.import_id FROM trades t
        JOIN import_execution_row_logs r ON r.id = t.import_row_log_id
        JOIN import_execution_logs i ON i.id = r.import_id WHERE i.status = 'rolled_back'""",
    "known lines point to a trade that is gone": """
        SELECT r.id, r.import_id, r.row_number FROM import_execution_row_logs r
        LEFT JOIN trades t ON t.id = r.duplicate_of_id
        WHERE r.duplicate_of_id IS NOT NULL AND t.id IS NULL""",
    "batches have not ended": """
        SELECT id, name, status, owner FROM batches WHERE owner <> '' OR status = 'running'
            OR (status = 'pending' AND queued_at IS NOT NULL)
            OR (undo_requested AND undone_at IS NULL)""",
    "batches count otherwise than their trades": """
        SELECT b.id, b.status, b.total_trades, b.executed_trades, b.failed_trades,
            b.cancelled_trades, count(t.id) FROM batches b
        LEFT JOIN batch_trades t ON t.batch_id = b.id GROUP BY b.id
        HAVING b.total_trades <> count(t.id)
            OR b.executed_trades <> sum(CASE t.status WHEN 'executed' THEN 1 ELSE 0 END)
            OR b.failed_trades <> sum(CASE t.status WHEN 'failed' THEN 1 ELSE 0 END)
            OR b.cancelled_trades <> sum(CASE t.status WHEN 'cancelled' THEN 1 ELSE 0 END)""",
    "executed batch trades have no trade, or others have one": """
        SELECT bt.id, bt.batch_id, bt.sequence, bt.status, bt.trade_id FROM batch_trades bt
        JOIN batches b ON b.id = bt.batch_id LEFT JOIN trades t ON t.id = bt.trade_id
        WHERE (t.id IS NOT NULL) <> (bt.status = 'executed' AND b.undone_at IS NULL)""",
    "trades of a batch are not the one of their line": """
        SELECT t.id, t.batch_id, t.order_id FROM trades t
        LEFT JOIN batch_trades bt ON bt.trade_id = t.id
        WHERE t.batch_id IS NOT NULL AND bt.id IS NULL""",
    "job logs are left open": """
        SELECT name, job, status, subject_id, owner FROM job_logs
        WHERE status IN ('new', 'processing')""",
    "positions wait to be computed": "SELECT * FROM touched_pairs",
    "snapshots of open orders still load": """
        SELECT id, step, owner FROM open_order_snapshots WHERE status = 'loading'""",
}
WAITS = ("imports have not ended", "batches have not ended", "job logs are left open")
WAITS += ("positions wait to be computed", "snapshots of open orders still load")


def found_by(query: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def what_waits() -> list[str]:
    """What is still to be done, or somebody works on."""
    return [sentence for what in WAITS for sentence in told(what, found_by(NOTHING[what]))]


def told(what: str, rows: list[tuple]) -> Iterator[str]:
    if rows:
        more = f" … and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
        yield f"{len(rows)} {what}: {', '.join(map(str, rows[:SHOWN]))}{more}"


def differences(model: Model) -> list[str]:
    """What is not as it must be; a sentence for each kind."""
    found = list(model.differs)
    for what, query in NOTHING.items():
        found += told(what, found_by(query))
    found += told("trades are not there as often as they must be", wrong_trades(model))
    found += told("imports nobody has asked for", unknown_imports(model))
    found += told("lines did not become what they must", wrong_lines(model))
    found += told("batches are not what was asked for", wrong_batches(model))
    found += told("imports whose bytes are not stored", without_bytes())
    return found


def wrong_trades(model: Model) -> list[tuple]:
    """By order ID: how many trades there are, and how many there must be."""
    there = Counter(dict(found_by("SELECT order_id, count(*) FROM trades GROUP BY order_id")))
    return sorted(
        (order, there[order], model.orders[order])
        for order in there.keys() | model.orders.keys()
        if there[order] != model.orders[order]
    )


def unknown_imports(model: Model) -> list[tuple]:
    logs = ImportExecutionLog.objects.exclude(pk__in=model.rows).order_by("pk")
    return list(logs.values_list("pk", "file_name", "status"))


def wrong_lines(model: Model) -> list[tuple]:
    """By import: the first line that is another than it must be, and how it is and must be."""
    found = []
    rows = "SELECT import_id, status FROM import_execution_row_logs ORDER BY import_id, row_number"
    there: dict[int, list[str]] = {}
    for log_id, status in found_by(rows):
        there.setdefault(log_id, []).append(LETTERS[status])
    for log_id, wanted in model.rows.items():
        are = "".join(there.get(log_id, []))
        if are != wanted:
            pairs = zip(are, wanted, strict=False)
            place = next((n for n, (a, b) in enumerate(pairs) if a != b), len(wanted))
            found.append((log_id, place, are[place : place + 1], wanted[place : place + 1]))
    return found


def wrong_batches(model: Model) -> list[tuple]:
    there = dict(found_by("SELECT id, total_trades FROM batches"))
    return [
        (batch, there.get(batch), model.batches.get(batch))
        for batch in there.keys() | model.batches.keys()
        if there.get(batch) != model.batches.get(batch)
    ]


def without_bytes() -> list[tuple]:
    logs = ImportExecutionLog.objects.exclude(file_hash="")
    return [(log.pk, log.file_name) for log in logs if not log.stored_path.exists()]
