"""A line that was bad is read again as it was given: what it lacked may be here by now."""

from collections.abc import Callable

from batches.lines import LineReader, StagedLine
from batches.mapping import Columns
from batches.models import Batch, BatchTrade
from batches.wishes import make_executor
from imports.dialect import Dialect
from imports.places import zones_for

# Nothing but another file could make such a line better.
SHAPES = {
    "row_too_short",
    "row_too_long",
    "unclosed_quote",
    "other_header",
    "not_an_object",
    "invalid_character",
}


def reader_for(batch: Batch, columns: Columns, timezone: str, dialect: Dialect) -> LineReader:
    """What reads the lines of a new batch, which remembers how they were read."""
    batch.read_as = {
        "columns": dict(columns.chosen),
        "defaults": dict(columns.defaults),
        "own_names": columns.own_names,
        "timezone": timezone,
        "decimal": dialect.decimal,
        "day_first": dialect.day_first,
    }
    return reader_of(batch)


def reader_of(batch: Batch) -> LineReader:
    """What reads the lines of a batch. Raises StagingError if its executor is no more."""
    said = batch.read_as
    return LineReader(
        Columns(said.get("columns", {}), said.get("defaults", {}), said.get("own_names", False)),
        make_executor(batch.executor, batch.executor_settings),
        zone_of=zone_finder(said.get("timezone", "")),
        dialect=Dialect(said.get("decimal", "."), said.get("day_first", False)),
    )


def zone_finder(whole_file: str) -> Callable[[str], str]:
    """The zone of an account's naive times."""
    zones = zones_for(whole_file)
    return lambda account: zones.get(account, zones[""])


def restage(batch_trade: BatchTrade, reader: LineReader | None = None) -> list[dict[str, str]]:
    """Read a bad line once more, as it was given; what is still wrong with it, if anything.

    Its fields are filled, and nothing is saved. Of many trades of a batch, give each the same
    `reader_of(batch)`. Raises StagingError if the executor is no more.
    """
    if any(error["code"] in SHAPES for error in batch_trade.errors):
        return batch_trade.errors
    reader = reader or reader_of(batch_trade.batch)
    line = reader.read(batch_trade.sequence, batch_trade.raw, batch_trade.row_number)
    if line.symbol and not line.problems:
        batch_trade.instrument = reader.instruments[line.symbol]
    fill(batch_trade, line)
    return batch_trade.errors


def fill(batch_trade: BatchTrade, line: StagedLine) -> None:
    values = line.values
    batch_trade.account_id = line.account_id
    for name in ("side", "order_id", "trade_name", "notes"):
        setattr(batch_trade, name, values.get(name, ""))
    for name in ("quantity", "price", "executed_at"):
        setattr(batch_trade, name, values.get(name))
    batch_trade.commission = values.get("commission", 0)
    batch_trade.errors = line.errors
    batch_trade.error_message = line.message
