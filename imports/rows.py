"""What a settled chunk becomes in the three tables: row logs, trades and the ledger."""

from collections.abc import Callable, Sequence
from itertools import compress

from imports.chunks import Chunk
from imports.inserting import NOW, Columns, insert, inserting, is_column, joined, reserve_ids
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
OF_USERS = ("notes", "reviewed")  # left to the defaults of the database unless the file has them
encoded = ImportRowLog._meta.get_field("validation_errors").encoded


def prepared(chunk: Chunk) -> Chunk:
    """The chunk with those columns made ready that do not depend on the ledger."""
    given = [name for name in OF_USERS if name in chunk.reader.given]
    read = {name: chunk.columns[name] for name in (*AS_READ, *given)}
    chunk.for_trades = joined(Trade, read, chunk.is_clean)
    raw = {"row_number": chunk.rows.numbers, "raw_row_data": chunk.raw}
    chunk.for_row_logs = joined(ImportRowLog, raw, chunk.is_clean)
    ids = chunk.columns["execution_id"]
    chunk.arrange([place for place, one in enumerate(ids) if one is not None])
    return chunk


def write_rows(
    log: ImportExecutionLog, settled: Settled, meanwhile: Callable[[], None] = lambda: None
) -> None:
    """The rows of all three tables. `meanwhile` is called when only the database is busy."""
    ids = reserve_ids(ImportRowLog, len(settled.chunk.rows))
    trade_ids = reserve_ids(Trade, settled.most)
    columns = {"id": ids, "import_log_id": log.pk} | settled.chunk.for_row_logs
    with inserting(ImportRowLog, *simple_row_logs(settled, columns)):
        settled.decide(trade_ids)
        told = told_row_logs(settled, columns)
        trades = trades_of(settled, ids)
    insert(ImportRowLog, *told)
    count = sum(settled.taken)
    with inserting(Trade, trades, count):
        ledger = ledger_of(log, settled)
        executions = joined(ImportedExecution, ledger, settled.chunk.is_clean)
        meanwhile()
    with inserting(ImportedExecution, executions, count):
        meanwhile()


def told_row_logs(settled: Settled, columns: Columns) -> tuple[Columns, int]:
    """The row logs of those lines of which there is something to say, and how many they are."""
    places = sorted(settled.outcomes)
    outcomes = [settled.outcomes[place] for place in places]
    said = {
        "status": [one.status.value for one in outcomes],
        "error_category": [str(one.category) for one in outcomes],
        "error_message": [one.message for one in outcomes],
        "validation_errors": [encoded([it.as_json() for it in one.problems]) for one in outcomes],
        "duplicate_of_id": [
            None if one.status == RowStatus.SUCCESS else repeated(one) for one in outcomes
        ],
    }
    return at(places, columns) | said, len(places)


def simple_row_logs(settled: Settled, columns: Columns) -> tuple[Columns, int]:
    """Those of all other lines, and how many they are."""
    simple = [True] * len(settled.chunk.rows)
    for place in settled.odd:
        simple[place] = False
    return chosen(columns, simple) | {"status": RowStatus.SUCCESS.value}, sum(simple)


def chosen(columns: Columns, wanted: Sequence[bool]) -> Columns:
    return {
        name: list(compress(column, wanted)) if is_column(column) else column
        for name, column in columns.items()
    }


def at(places: Sequence[int], columns: Columns) -> Columns:
    return {
        name: list(map(column.__getitem__, places)) if is_column(column) else column
        for name, column in columns.items()
    }


def repeated(outcome: Outcome) -> int | None:
    return outcome.known.trade_id if outcome.known else None


def trades_of(settled: Settled, row_log_ids: Sequence[int]) -> Columns:
    columns = {
        "id": settled.trade_ids,
        "account_id": settled.account_ids,
        "instrument_id": settled.instrument_ids,
        "import_row_log_id": row_log_ids,
        "created_at": NOW,
    }
    return chosen(columns | settled.chunk.for_trades, settled.taken)


def ledger_of(log: ImportExecutionLog, settled: Settled) -> Columns:
    """In the order of identities, so that two imports of the same lines cannot lock each other."""
    order = settled.chunk.order
    columns = {
        "account_id": settled.account_ids,
        "execution_id": settled.chunk.columns["execution_id"],
        "trade_id": settled.trade_ids,
        "instrument_id": settled.instrument_ids,
        "csv_filename": log.file_name,
        "import_timestamp": NOW,
        "import_log_id": log.pk,
    }
    return at(list(compress(order, map(settled.taken.__getitem__, order))), columns)
