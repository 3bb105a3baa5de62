"""Where the lines of a new batch come from: a CSV file, objects of JSON, or trades."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from batches.lines import LineReader, StagedLine
from batches.mapping import StagingError
from imports.body import data_records
from imports.dialect import Dialect
from imports.export import cells_as_object
from imports.identify import Layout
from imports.lines import LineReader as ShapeReader
from imports.lines import parsing_problem
from imports.problems import FileError, Problem
from imports.records import Record
from imports.storing import copy, refuse_too_large, safe_name
from imports.textfile import TextFile, look_at
from trades.models import Trade, plain

Source = Path | bytes | BinaryIO


@contextmanager
def opened_text(source: Source, name: str) -> Iterator[TextFile]:
    """A file, or bytes, as lines of text. Raises StagingError for what is no text or too large."""
    try:
        if isinstance(source, Path):
            refuse_too_large(source.stat().st_size, name)
            yield look_at(source, name)
            return
        stream = BytesIO(source) if isinstance(source, bytes) else source
        with tempfile.TemporaryDirectory(prefix="batch-") as folder:
            path = Path(folder) / "received"
            with path.open("wb") as target:
                copy(stream, target, name)
            yield look_at(path, name)
    except FileError as problem:
        raise StagingError(str(problem)) from None


def name_of(source: Source, name: str) -> str:
    """How messages call it."""
    own = source.name if isinstance(source, Path) else ""
    return safe_name(name or own or "the file")


class Shapes:
    """Tells the records of a file that cannot be read by its header."""

    def __init__(self, layout: Layout, dialect: Dialect) -> None:
        self.reader = ShapeReader(layout, dialect, default_account="", zone_of=lambda account: "")

    def problem_of(self, record: Record) -> Problem | None:
        return self.reader.problem_of_place() or self.reader.problem_of_shape(record)

    def problem_of_bad(self, record: Record) -> Problem | None:
        """Whether a record that cannot be read is another header: then none below it can be."""
        if not self.reader.is_other_header(record.cells):
            return None
        self.reader.other_header = record.number
        return parsing_problem("other_header", "is a header with other columns")


def lines_of_csv(
    file: TextFile, layout: Layout, dialect: Dialect, reader: LineReader
) -> Iterator[StagedLine]:
    """Every data line, numbered from 1; blank lines and headers that come again are none."""
    shapes = Shapes(layout, dialect)
    with closing(data_records(file, layout)) as found:
        for sequence, record in enumerate(found, start=1):
            raw = cells_as_object(layout.header, record.cells)
            problem = shapes.problem_of(record)
            if problem is None:
                line = reader.read(sequence, raw, record.number)
            else:
                line = StagedLine(sequence, record.number, raw, problems=[problem])
            if line.problems and (other := shapes.problem_of_bad(record)):
                line.problems = [other]
            yield line


def lines_of_objects(items: Iterable[Any], reader: LineReader) -> Iterator[StagedLine]:
    """Every object, numbered from 1; what is no object is a line that cannot be read."""
    for sequence, item in enumerate(items, start=1):
        if not isinstance(item, Mapping):
            problem = parsing_problem("not_an_object", "is no object with the fields of a trade")
            yield StagedLine(sequence, None, {"value": storable(item)}, problems=[problem])
            continue
        raw = storable(item)
        line = reader.read(sequence, raw)
        if raw != item:
            line.refuse("", "invalid_character", "has a character or number that is none")
        yield line


def storable(given: Any) -> Any:
    """The same as far as any database, and JSON again, can have it."""
    text = json.dumps(given, ensure_ascii=False)
    return json.loads(text.encode(errors="replace"), parse_constant=str)


def as_given(trades: Iterable[Trade], instead: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Trades as a user would write them down, by field, but for the values `instead`."""
    for trade in trades:
        yield {
            "trade_id": str(trade.pk),
            "account": trade.account.name,
            "instrument": trade.instrument.symbol,
            "side": trade.side,
            "quantity": plain(trade.quantity),
            "price": plain(trade.price),
            "commission": plain(trade.commission),
            "executed_at": f"{trade.executed_at:%Y-%m-%dT%H:%M:%S.%f}Z",
            "order_id": trade.order_id,
            "trade_name": trade.name,
            "notes": trade.notes,
        } | dict(instead)
