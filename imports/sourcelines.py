"""Rows of a source as lines of a file: what stands in the store, and what the engine reads."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from imports.formats import Column
from imports.formats.source_executions import FORMAT
from imports.problems import CellError
from sources.reading import Problem, Row
from sources.source import Source

LONGEST_CELL = 2_000  # characters; the engine takes no line of more than 64 KB
BY_FIELD = {column.field: column for column in FORMAT.columns} | {
    "execution_id": next(column for column in FORMAT.columns if column.field == "native_id")
}


class LineWriter:
    """Writes the rows of a source, with the columns that it has, each behind the day it is of."""

    def __init__(self, source: Source) -> None:
        self.columns = {one.field: one.column for one in source.columns if one.field in BY_FIELD}
        headings = [BY_FIELD[field].headings[0] for field in self.columns]
        self.header = as_line(["Day", *headings])

    def line(self, day: str, row: Row) -> bytes:
        """The line of a row. A value that could not be converted goes in as the source has it.

        Where the line would pass all the same, it gets a cell too many, which says why it must not.
        """
        raw = {name.casefold(): text for name, text in row.raw.items()}
        wrong = {problem.field: problem for problem in row.problems}
        cells = [
            raw.get(name.casefold(), "") if field in wrong else written(row.values.get(field))
            for field, name in self.columns.items()
        ]
        by_field = dict(zip(self.columns, cells, strict=True))
        refusals = [said(one) for one in row.problems if not tells(one.field, by_field)]
        return as_line([day, *cells, *(["; ".join(refusals)] if refusals else [])])


def written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        moment = value.astimezone(UTC)
        fraction = f".{moment.microsecond:06}" if moment.microsecond else ""
        return f"{moment:%Y-%m-%d %H:%M:%S}{fraction}Z"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def tells(field: str, cells: dict[str, str]) -> bool:
    """Whether the cell itself says what is wrong: nobody can read it."""
    column = BY_FIELD.get(field)
    return column is not None and not can_be_read(column, cells.get(field, ""))


def can_be_read(column: Column, cell: str) -> bool:
    try:
        value = column.read(cell, FORMAT.dialect)
    except CellError:
        return False
    return bool(value) or not column.required


def said(problem: Problem) -> str:
    return f"{problem.column}: {problem.error}" if problem.column else problem.error


def as_line(cells: Sequence[str]) -> bytes:
    """One physical line: line breaks inside of a cell become blanks."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow([in_one_line(cell) for cell in cells])
    return text.getvalue().encode(errors="replace")


def in_one_line(cell: str) -> str:
    text = " ".join(cell.splitlines()).replace("\0", "\N{SYMBOL FOR NULL}")
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"
