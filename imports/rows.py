"""What a settled chunk becomes in the three tables: row logs, trades and the ledger."""

from itertools import compress

from django.utils import timezone

from imports.inserting import insert, reserve_ids
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.settling import Outcome, Settled
from imports.states import RowStatus
from imports.wallclock import as_text
from trades.models import Trade

# Fields of a trade that stand in the columns of a chunk as they are.
AS_READ = (
    "execution_id",
    "side",
    "quantity",
    "price",
    "commission",
    "executed_at",
    "order_id",
    "name",
    "entry_exit",
    "broker_position",
    "connection",
)
encoded = ImportRowLog._meta.get_field("validation_errors").encoded


def write_row_logs(log: ImportExecutionLog, settled: Settled) -> list[int]:
    """One row log a line; their ids."""
    chunk = settled.chunk
    count = len(chunk.rows)
    columns = {
        "id": reserve_ids(ImportRowLog, count),
        "import_log_id": log.pk,
        "row_number": chunk.rows.numbers,
        "raw_row_data": chunk.raw,
        "status": [RowStatus.SUCCESS.value] * count,
        "error_category": [""] * count,
        "error_message": [""] * count,
        "validation_errors": ["[]"] * count,
        "duplicate_of_id": [None] * count,
    }
    for place, outcome in settled.outcomes.items():
        columns["status"][place] = outcome.status.value
        columns["error_category"][place] = str(outcome.category)
        columns["error_message"][place] = outcome.message
        columns["validation_errors"][place] = encoded([one.as_json() for one in outcome.problems])
        if not settled.taken[place]:
            columns["duplicate_of_id"][place] = repeated(outcome)
    insert(ImportRowLog, columns, count)
    return columns["id"]


def repeated(outcome: Outcome) -> int | None:
    return outcome.known.trade_id if outcome.known else None


def write_trades(settled: Settled, row_log_ids: list[int]) -> None:
    columns = {name: settled.chunk.columns[name] for name in AS_READ} | {
        "id": settled.trade_ids,
        "account_id": settled.account_ids,
        "instrument_id": settled.instrument_ids,
        "import_row_log_id": row_log_ids,
    }
    columns = {name: list(compress(column, settled.taken)) for name, column in columns.items()}
    rest = {"notes": "", "reviewed": False, "created_at": as_text(timezone.now())}
    insert(Trade, columns | rest, sum(settled.taken))


def write_ledger(log: ImportExecutionLog, settled: Settled) -> None:
    """In the order of identities, so that two imports of the same lines cannot lock each other."""
    identities = zip(
        settled.account_ids,
        settled.chunk.columns["execution_id"],
        settled.trade_ids,
        settled.instrument_ids,
        strict=True,
    )
    rows = sorted(compress(identities, settled.taken))
    if not rows:
        return
    account_ids, execution_ids, trade_ids, instrument_ids = zip(*rows, strict=True)
    columns = {
        "id": reserve_ids(ImportedExecution, len(rows)),
        "account_id": account_ids,
        "execution_id": execution_ids,
        "instrument_id": instrument_ids,
        "trade_id": trade_ids,
        "csv_filename": log.file_name,
        "import_timestamp": as_text(timezone.now()),
        "import_log_id": log.pk,
    }
    insert(ImportedExecution, columns, len(rows))
