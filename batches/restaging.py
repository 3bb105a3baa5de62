"""Lines that were bad are read again as they were given: what they lacked may be here by now."""

from collections.abc import Callable, Iterator

from batches.lines import LineReader, StagedLine
from batches.mapping import Columns
from batches.models import Batch, BatchTrade
from batches.states import TradeStatus
from batches.wishes import make_executor
from batches.writing import make_instruments, write_lines
from imports.dialect import Dialect
from imports.places import zones_for

SLICE = 500  # lines
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


def restage_bad(batch: Batch) -> int:
    """Read the bad lines of a batch again; how many of them are pending now.

    The others stay failed, with what is wrong with them now. The counters of the batch are the
    caller's, who holds the batch in a transaction. Raises StagingError if its executor is no more.
    """
    reader, better = reader_of(batch), 0
    for trades in bad_lines(batch):
        lines = [reader.read(one.sequence, one.raw, one.row_number) for one in trades]
        changed = [
            (trade.pk, line)
            for trade, line in zip(trades, lines, strict=True)
            if line.errors != trade.errors
        ]
        replace_lines(batch, dict(changed))
        better += sum(not line.problems for _, line in changed)
    return better


def bad_lines(batch: Batch) -> Iterator[list[BatchTrade]]:
    """Those that another reading may make better, slice by slice."""
    bad = BatchTrade.objects.filter(batch=batch, status=TradeStatus.FAILED).exclude(errors=[])
    bad, last = bad.order_by("sequence"), 0
    while trades := list(bad.filter(sequence__gt=last)[:SLICE]):
        last = trades[-1].sequence
        yield [one for one in trades if not {error["code"] for error in one.errors} & SHAPES]


def replace_lines(batch: Batch, lines: dict[int, StagedLine]) -> None:
    """Nothing was ever done with a bad line, so another row in its place loses nothing.

    That is many times as fast as to change each of its columns.
    """
    BatchTrade.objects.filter(pk__in=lines).delete()
    good = [line.symbol for line in lines.values() if line.symbol and not line.problems]
    make_instruments({symbol.symbol: symbol for symbol in good})
    write_lines(batch, list(lines.values()))
