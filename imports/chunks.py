"""The lines of a file, read in chunks: the plain ones by the column, the others one by one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from imports.bycolumn import Column, ColumnReader, as_in_columns
from imports.identity import TwinCounter, identities
from imports.lines import Line, LineReader
from imports.models import JSONTextField
from imports.records import Record
from trades.symbols import Symbol

HEAVY = 16 << 20  # about so many bytes of memory
NO_EXECUTION = {"native_id": None, "account": None, "symbol": None}
MARK = '", "'
encoded = JSONTextField.encoded


@dataclass(slots=True)
class Chunk:
    """Data lines of a file. All that is said by `place` or in columns is in the order of records.

    `columns` has by field what will stand in the tables; None where a line is no execution.
    `lines` has, by place, those lines that are not plain: with a problem, a remark or odd cells.
    `cells` are those of each record as JSON.
    """

    records: list[Record]
    columns: dict[str, Column]
    cells: list[str]
    lines: dict[int, Line]
    symbols: dict[str, Symbol]
    reader: LineReader

    def line(self, place: int) -> Line:
        """The line as a single one; its place says how it is known."""
        if place not in self.lines:
            self.lines[place] = self.reader.read_again(self.records[place])
            self.lines[place].execution_id = self.columns["execution_id"][place]
        return self.lines[place]

    def alone(self, place: int) -> Self:
        """A chunk of one line."""
        columns = {name: [column[place]] for name, column in self.columns.items()}
        lines = {0: self.line(place)}
        return type(self)(
            [self.records[place]], columns, [self.cells[place]], lines, self.symbols, self.reader
        )


class ChunkReader:
    """Reads the records of one file into chunks, in their order."""

    def __init__(self, reader: LineReader, twins: TwinCounter) -> None:
        self.reader = reader
        self.by_column = ColumnReader(reader)
        self.twins = twins

    def chunks(self, records: Iterator[Record], most: int) -> Iterator[Chunk]:
        """So many records at a time, fewer where they are very long or wide."""
        chunk: list[Record] = []
        weight = 0
        for record in records:
            chunk.append(record)
            weight += record.size + 64 * len(record.cells)
            if len(chunk) == most or weight > HEAVY:
                yield self.read(chunk)
                chunk, weight = [], 0
        if chunk:
            yield self.read(chunk)

    def read(self, records: list[Record]) -> Chunk:
        columns = self.by_column.read(records)
        lines = self.odd_lines(records, columns)
        for place, line in lines.items():
            for name, value in self.values(line).items():
                columns[name][place] = value
        columns["execution_id"] = identities(columns, self.twins)
        for place, line in lines.items():
            line.execution_id = columns["execution_id"][place] or ""
        cells = as_json([record.cells for record in records])
        names = set(columns["symbol"]) - {None}
        symbols = {name: self.by_column.symbols[name] for name in names}
        return Chunk(records, columns, cells, lines, symbols, self.reader)

    def values(self, line: Line) -> dict[str, str | None]:
        """What the columns hold of a line that is not plain."""
        if line.execution is None:
            return NO_EXECUTION
        symbol = line.execution.symbol
        self.by_column.symbols[symbol.symbol] = symbol
        return as_in_columns(line.execution)

    def odd_lines(self, records: list[Record], columns: dict[str, Column]) -> dict[int, Line]:
        """By place, the lines that are not plain, and all behind a header with other columns."""
        odd = {
            place
            for column in columns.values()
            if None in column
            for place, value in enumerate(column)
            if value is None
        }
        return {
            place: self.reader.read(record)
            for place, record in enumerate(records)
            if place in odd or self.reader.other_header
        }


def as_json(rows: list[list[str]]) -> list[str]:
    """The cells of each row as JSONTextField keeps them. Most need no escape, and so no encoder."""
    whole = "".join(map("".join, rows))
    if len(encoded(whole)) > len(whole) + 2:
        return list(map(encoded, rows))
    return [f'["{MARK.join(cells)}"]' for cells in rows]


def ahead(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """The same chunks; each is read while the caller is busy with the one before it.

    Reading goes on in a thread, which asks no database. Who may leave in the middle closes it.
    """
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, chunks, None)
        while (chunk := coming.result()) is not None:
            coming = thread.submit(next, chunks, None)
            yield chunk
