"""Trades beside the ledger: each has its row there, or a re-import would bring it a second time.

The other way round nothing is wrong: the row of a trade that a user has deleted stays.
"""

from collections import defaultdict

from django.db import transaction

from imports.inserting import hold
from joblogs.findings import Check, Finding, Step, counted, some_of
from joblogs.ranges import changed_by, end_of_range, rows_of
from trades.models import Trade

AT_ONCE = 50_000  # trades in one statement
LEDGER_FILE = "RECONCILED"
# By trade: the one that the ledger names in its place, if that exists. A trade and its row are
# written, and rolled back, in one transaction.
AMISS = """
SELECT trade.id, entry.id, other.id
FROM trades trade
LEFT JOIN imported_executions entry
    ON entry.account_id = trade.account_id AND entry.execution_id = trade.execution_id
LEFT JOIN trades other ON other.id = entry.trade_id
WHERE trade.id > %s AND trade.id <= %s AND (other.id IS NULL OR other.id <> trade.id)
ORDER BY trade.id
"""
ENTER = """
INSERT INTO imported_executions
    (account_id, execution_id, instrument_id, trade_id, csv_filename, import_timestamp, import_id)
SELECT trade.account_id, trade.execution_id, trade.instrument_id, trade.id, %s, trade.created_at,
    log.id
FROM trades trade
LEFT JOIN import_execution_row_logs line ON line.id = trade.import_row_log_id
LEFT JOIN import_execution_logs log ON log.id = line.import_id
WHERE trade.id > %s AND trade.id <= %s
    AND (log.id IS NULL OR log.status NOT IN ('rolling_back', 'rolled_back'))
    AND NOT EXISTS (
        SELECT 1 FROM imported_executions entry
        WHERE entry.account_id = trade.account_id AND entry.execution_id = trade.execution_id
    )
ON CONFLICT DO NOTHING
"""
POINT = """
UPDATE imported_executions SET trade_id = (
    SELECT MIN(trade.id) FROM trades trade WHERE trade.id > %s AND trade.id <= %s
    AND trade.account_id = imported_executions.account_id
    AND trade.execution_id = imported_executions.execution_id
)
WHERE NOT EXISTS (SELECT 1 FROM trades other WHERE other.id = imported_executions.trade_id)
    AND id IN (
        SELECT entry.id FROM trades trade JOIN imported_executions entry
        ON entry.account_id = trade.account_id AND entry.execution_id = trade.execution_id
        WHERE trade.id > %s AND trade.id <= %s
    )
"""


def look(behind: int | None, mend: bool) -> Step:
    first = behind or 0
    last = end_of_range(Trade, first, AT_ONCE)
    if last is None:
        return Step()
    unknown, astray, doubles = sorted_out(rows_of(AMISS, [first, last]))
    findings = [
        Finding(
            f"trade {one} is the same execution as trade {other}, which the ledger names",
            "delete the one that is too many",
        )
        for one, other in doubles
    ]
    if unknown:
        findings.append(not_in_the_ledger(unknown, first, last, mend))
    if astray:
        findings.append(not_named(astray, first, last, mend))
    return Step(findings, last)


def sorted_out(
    rows: list[tuple[int, int | None, int | None]],
) -> tuple[list[int], list[int], list[tuple[int, int]]]:
    """Trades that the ledger does not know, that its row does not name, and that are doubles."""
    kinds: dict[str, list] = defaultdict(list)
    for trade, entry, other in rows:
        if entry is None:
            kinds["unknown"].append(trade)
        elif other is None:
            kinds["astray"].append(trade)
        else:
            kinds["doubles"].append((trade, other))
    return kinds["unknown"], kinds["astray"], kinds["doubles"]


def not_in_the_ledger(trades: list[int], first: int, last: int, mend: bool) -> Finding:
    words = f"{counted(len(trades), 'trade')} ({some_of(trades)}) not in the ledger"
    if not mend:
        return Finding(words, "--fix enters them, so that no re-import doubles them")
    with transaction.atomic():
        hold(Trade, trades)  # who is about to delete them waits, and then finds the rows
        entered = changed_by(ENTER, [LEDGER_FILE, first, last])
    return Finding(words, f"{counted(entered, 'ledger row')} written", is_mended=True)


def not_named(trades: list[int], first: int, last: int, mend: bool) -> Finding:
    words = f"the ledger knows {counted(len(trades), 'trade')} ({some_of(trades)}) by no number"
    if not mend:
        return Finding(words, "--fix has its rows name them")
    with transaction.atomic():
        hold(Trade, trades)
        pointed = changed_by(POINT, [first, last, first, last])
    return Finding(words, f"{counted(pointed, 'ledger row')} name them now", is_mended=True)


CHECK = Check("trades and ledger", look)
