"""What outcomes become in the three tables: row logs, trades and the ledger."""

from datetime import datetime

from django.utils import timezone

from imports.inserting import Row, insert, reserve_ids
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.settling import Outcome
from imports.states import RowStatus
from trades.models import Trade


def write_row_logs(log: ImportExecutionLog, outcomes: list[Outcome]) -> dict[int, int]:
    """One row log a line; their ids by line number."""
    ids = reserve_ids(ImportRowLog, len(outcomes))
    pairs = list(zip(ids, outcomes, strict=True))
    insert(ImportRowLog, (row_log(pk, log, outcome) for pk, outcome in pairs))
    return {outcome.line.number: pk for pk, outcome in pairs}


def row_log(pk: int, log: ImportExecutionLog, outcome: Outcome) -> Row:
    return {
        "id": pk,
        "import_log_id": log.pk,
        "row_number": outcome.line.number,
        "status": outcome.status,
        "error_category": outcome.category,
        "error_message": outcome.message,
        "validation_errors": [problem.as_json() for problem in outcome.problems],
        "raw_row_data": outcome.line.cells,
        "duplicate_of_id": None if outcome.status == RowStatus.SUCCESS else repeated(outcome),
    }


def repeated(outcome: Outcome) -> int | None:
    return outcome.known.trade_id if outcome.known else None


def write_trades(taken: list[Outcome], row_log_ids: dict[int, int]) -> None:
    now = timezone.now()
    insert(Trade, (trade(outcome, row_log_ids[outcome.line.number], now) for outcome in taken))


def trade(outcome: Outcome, row_log_id: int, now: datetime) -> Row:
    execution = outcome.line.execution
    return {
        "id": outcome.known.trade_id,
        "account_id": outcome.account_id,
        "instrument_id": outcome.instrument_id,
        "execution_id": outcome.line.execution_id,
        "side": execution.side,
        "quantity": execution.quantity,
        "price": execution.price,
        "commission": execution.commission,
        "executed_at": execution.executed_at,
        "order_id": execution.order_id,
        "name": execution.name,
        "entry_exit": execution.entry_exit,
        "broker_position": execution.broker_position,
        "connection": execution.connection,
        "notes": "",
        "reviewed": False,
        "import_row_log_id": row_log_id,
        "created_at": now,
    }


def write_ledger(log: ImportExecutionLog, taken: list[Outcome]) -> None:
    """In the order of identities, so that two imports of the same lines cannot lock each other."""
    taken = sorted(taken, key=lambda outcome: (outcome.account_id, outcome.line.execution_id))
    ids = reserve_ids(ImportedExecution, len(taken))
    now = timezone.now()
    pairs = zip(ids, taken, strict=True)
    insert(ImportedExecution, (ledger_entry(pk, log, outcome, now=now) for pk, outcome in pairs))


def ledger_entry(pk: int, log: ImportExecutionLog, outcome: Outcome, *, now: datetime) -> Row:
    return {
        "id": pk,
        "account_id": outcome.account_id,
        "execution_id": outcome.line.execution_id,
        "instrument_id": outcome.instrument_id,
        "trade_id": outcome.known.trade_id,
        "csv_filename": log.file_name,
        "import_timestamp": now,
        "import_log_id": log.pk,
    }
