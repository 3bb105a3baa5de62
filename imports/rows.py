"""What a settled chunk becomes in the three tables: row logs, trades and the ledger."""

from collections.abc import Sequence
from itertools import compress
from operator import not_

from imports.chunks import Chunk
from imports.inserting import NOW, Columns, insert, joined, reserve_ids
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.settling import Outcome, Settled
from imports.states import RowStatus
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


def prepared(chunk: Chunk) -> Chunk:
    """The chunk with those columns made ready that do not depend on the ledger."""
    read = {name: chunk.columns[name] for name in AS_READ}
    chunk.for_trades = joined(Trade, read)
    chunk.for_row_logs = joined(
        ImportRowLog, {"row_number": chunk.rows.numbers, "raw_row_data": chunk.raw}
    )
    ids = chunk.columns["execution_id"]
    places = [place for place, one in enumerate(ids) if one is not None]
    chunk.order = sorted(places, key=ids.__getitem__)
    return chunk


def write_row_logs(log: ImportExecutionLog, settled: Settled) -> Sequence[int]:
    """One row log a line; their ids."""
    chunk = settled.chunk
    ids = chunk.row_log_ids or reserve_ids(ImportRowLog, len(chunk.rows))
    columns = {"id": ids} | chunk.for_row_logs
    simple = [place not in settled.outcomes for place in range(len(ids))]
    common = {"import_log_id": log.pk, "status": RowStatus.SUCCESS.value}
    insert(ImportRowLog, chosen(columns, simple) | common, sum(simple))
    outcomes = [settled.outcomes[place] for place in sorted(settled.outcomes)]
    columns = chosen(columns, list(map(not_, simple))) | {
        "import_log_id": log.pk,
        "status": [one.status.value for one in outcomes],
        "error_category": [str(one.category) for one in outcomes],
        "error_message": [one.message for one in outcomes],
        "validation_errors": [encoded([it.as_json() for it in one.problems]) for one in outcomes],
        "duplicate_of_id": [
            None if one.status == RowStatus.SUCCESS else repeated(one) for one in outcomes
        ],
    }
    insert(ImportRowLog, columns, len(outcomes))
    return ids


def chosen(columns: Columns, wanted: Sequence[bool]) -> Columns:
    return {name: list(compress(column, wanted)) for name, column in columns.items()}


def repeated(outcome: Outcome) -> int | None:
    return outcome.known.trade_id if outcome.known else None


def write_trades(settled: Settled, row_log_ids: Sequence[int]) -> None:
    columns = {
        "id": settled.trade_ids,
        "account_id": settled.account_ids,
        "instrument_id": settled.instrument_ids,
        "import_row_log_id": row_log_ids,
    } | settled.chunk.for_trades
    insert(Trade, chosen(columns, settled.taken) | {"created_at": NOW}, sum(settled.taken))


def write_ledger(log: ImportExecutionLog, settled: Settled) -> None:
    """In the order of identities, so that two imports of the same lines cannot lock each other."""
    order = settled.chunk.order
    places = list(compress(order, map(settled.taken.__getitem__, order)))
    columns = {
        "account_id": settled.account_ids,
        "execution_id": settled.chunk.columns["execution_id"],
        "trade_id": settled.trade_ids,
        "instrument_id": settled.instrument_ids,
    }
    columns = {name: list(map(column.__getitem__, places)) for name, column in columns.items()} | {
        "csv_filename": log.file_name,
        "import_timestamp": NOW,
        "import_log_id": log.pk,
    }
    insert(ImportedExecution, columns, len(places))
