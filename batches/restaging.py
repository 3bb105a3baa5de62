"""A line that was bad is read again as it was given: what it lacked may be here by now."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from batches.lines import LineReader, StagedLine
from batches.mapping import Columns
from batches.models import Batch, BatchTrade
from batches.states import TradeStatus
from batches.wishes import make_executor
from batches.writing import Staged
from imports.dialect import Dialect
from imports.places import zones_for
from orders.spool import opened_spool

LOT = 500  # bad lines that are read again at once
NO_ERRORS: list[dict[str, str]] = []

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


def read_again(row: BatchTrade, reader: LineReader) -> StagedLine | None:
    """A bad line, read once more as it was given; None where that can change nothing."""
    if any(error["code"] in SHAPES for error in row.errors):
        return None
    return reader.read(row.sequence, row.raw, row.row_number)


@contextmanager
def read_bad_lines(batch: Batch) -> Iterator[Staged]:
    """On disk, those bad lines of a batch of which there is something new to say.

    Raises StagingError if its executor is no more.
    """
    with opened_spool() as spool:
        staged, reader = Staged(batch, spool), None
        for rows in bad_lines(batch):
            reader = reader or reader_of(batch)
            lines = [(row, read_again(row, reader)) for row in rows]
            staged.add([line for row, line in lines if line and line.errors != row.errors])
        yield staged


def bad_lines(batch: Batch) -> Iterator[list[BatchTrade]]:
    failed = BatchTrade.objects.filter(batch=batch, status=TradeStatus.FAILED)
    bad = failed.exclude(errors=NO_ERRORS).order_by("sequence")
    last = 0
    while rows := list(bad.filter(sequence__gt=last)[:LOT]):
        yield rows
        last = rows[-1].sequence
