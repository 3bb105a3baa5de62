"""The lines of a file, read in chunks: the plain ones by the column, the others one by one."""

import gc
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import compress, count, pairwise, repeat
from operator import is_
from typing import Self

from imports.body import Body, Rows
from imports.bycolumn import Column, ColumnReader, as_in_columns
from imports.identity import TwinCounter, identities
from imports.inserting import Columns
from imports.lines import Line, LineReader
from imports.models import JSONTextField
from trades.symbols import Symbol

NO_EXECUTION = {"native_id": None, "account": None, "symbol": None}
MARK = '", "'
SLICE = 500  # rows
PART = 2_500  # lines that are read at a time
ESCAPED = bytes(range(32)) + b"\\"  # by JSON, besides the quotation mark


@dataclass(slots=True)
class Chunk:
    """Data lines of a file. All that is said by `place` or in columns is in the order of rows.

    `columns` has by field what will stand in the tables; None where a line is no execution.
    `lines` has, by place, those lines that are not plain: with a problem, a remark or odd cells.
    `raw` has the cells of each row as JSON, which `is_clean` if that escapes nothing.
    """

    rows: Rows
    columns: dict[str, Column]
    raw: Sequence[str]
    is_clean: bool
    lines: dict[int, Line]
    symbols: dict[str, Symbol]
    reader: LineReader
    # What rows.prepared makes of the columns, and `arrange` of the identities.
    for_row_logs: Columns = field(default_factory=dict)
    for_trades: Columns = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    repeated: set[int] = field(default_factory=set)

    def line(self, place: int) -> Line:
        """The line as a single one; its place says how it is known."""
        if place not in self.lines:
            self.lines[place] = self.reader.read_again(self.rows.record(place))
            self.lines[place].execution_id = self.columns["execution_id"][place]
        return self.lines[place]

    def arrange(self, places: list[int]) -> None:
        """Put these into the order of their identities, and see which are there more than once."""
        ids = self.columns["execution_id"]
        self.order = sorted(places, key=ids.__getitem__)
        twins = (pair for pair in pairwise(self.order) if ids[pair[0]] == ids[pair[1]])
        self.repeated = {place for pair in twins for place in pair}

    def halves(self) -> tuple[Self, Self]:
        middle = len(self.rows) // 2
        return self.part(0, middle), self.part(middle, len(self.rows))

    def part(self, first: int, end: int) -> Self:
        """A chunk of the lines at these places."""
        columns = {name: column[first:end] for name, column in self.columns.items()}
        rows = Rows(self.rows.numbers[first:end], self.rows.cells[first:end])
        lines = {place - first: line for place, line in self.lines.items() if first <= place < end}
        raw = list(self.raw[first:end])
        return type(self)(rows, columns, raw, self.is_clean, lines, self.symbols, self.reader)


class ChunkReader:
    """Reads the rows of one file into chunks, in their order."""

    def __init__(self, reader: LineReader, twins: TwinCounter) -> None:
        self.reader = reader
        self.by_column = ColumnReader(reader)
        self.twins = twins

    def parts(self, body: Body, most: int) -> Iterator[Chunk]:
        """So many lines at a time, fewer where they are very long or wide."""
        while rows := body.take(most):
            yield self.read(rows)

    def read(self, rows: Rows) -> Chunk:
        columns = self.by_column.read(rows)
        lines = self.odd_lines(rows, columns)
        for place, line in lines.items():
            for name, value in self.values(line).items():
                columns[name][place] = value
        columns["execution_id"] = identities(columns, self.twins)
        for place, line in lines.items():
            line.execution_id = columns["execution_id"][place] or ""
        names = set(columns["symbol"]) - {None}
        symbols = {name: self.by_column.symbols[name] for name in names}
        return Chunk(rows, columns, *as_json(rows.cells), lines, symbols, self.reader)

    def values(self, line: Line) -> dict[str, str | None]:
        """What the columns hold of a line that is not plain."""
        if line.execution is None:
            return NO_EXECUTION
        symbol = line.execution.symbol
        self.by_column.symbols[symbol.symbol] = symbol
        return as_in_columns(line.execution)

    def odd_lines(self, rows: Rows, columns: dict[str, Column]) -> dict[int, Line]:
        """By place, the lines that are not plain, and all behind a header with other columns."""
        odd: set[int] = set()
        for column in columns.values():
            if None in column:
                odd.update(compress(count(), map(is_, column, repeat(None))))
        if refusals := self.reader.refusals:
            odd.update(place for place, number in enumerate(rows.numbers) if number in refusals)
        return {
            place: self.reader.read(rows.record(place))
            for place in range(len(rows))
            if place in odd or self.reader.other_header
        }


def as_json(rows: list[list[str]]) -> tuple[list[str], bool]:
    """The cells of each row as JSONTextField keeps them, and whether nothing had to be escaped."""
    # In slices, for the memory.
    slices = [slice_as_json(rows[place : place + SLICE]) for place in range(0, len(rows), SLICE)]
    return [text for texts, _ in slices for text in texts], all(clean for _, clean in slices)


def slice_as_json(rows: list[list[str]]) -> tuple[list[str], bool]:
    """Most need no escape, and so no encoder."""
    texts = [f'["{MARK.join(cells)}"]' for cells in rows]
    whole = "".join(texts).encode(errors="surrogatepass")
    marks = 2 * sum(map(len, rows))
    if whole.count(b'"') == marks and len(whole) == len(whole.translate(None, ESCAPED)):
        return texts, True
    return list(map(JSONTextField.encoded, rows)), False


class Ahead:
    """The same chunks; each is read while the caller is busy with the one before it.

    Reading goes on in a thread, which asks no database, from when the caller says so: best when it
    is about to wait for its database. Who may leave in the middle closes it.
    """

    def __init__(self, chunks: Iterator[Chunk]) -> None:
        self.chunks = chunks
        self.thread = ThreadPoolExecutor(1)
        self.coming: Future[Chunk | None] | None = None

    def go_on(self) -> None:
        """Read the next chunk, if that has not begun."""
        if self.coming is None:
            self.coming = self.thread.submit(next, self.chunks, None)

    def __iter__(self) -> Iterator[Chunk]:
        while (chunk := self.next()) is not None:
            yield chunk

    def next(self) -> Chunk | None:
        self.go_on()
        coming, self.coming = self.coming, None
        return coming.result()

    def close(self) -> None:
        self.thread.shutdown()


@contextmanager
def beside_a_reader() -> Iterator[None]:
    """How Python runs while lines are read ahead.

    Lines make millions of lists but no cycles; to look for some takes a fifth of the time. And who
    has an answer of the database must not wait long for the reader, or the database waits, too.
    """
    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(100_000)
    sys.setswitchinterval(0.0005)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(interval)
