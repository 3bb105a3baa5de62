"""Read rows out of somebody else's database or file: `with reading(source) as rows`.

The columns are looked for before the first row is given. Rows come in bounded memory; a value that
cannot be converted is a problem of its row and stops nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sources.files import open_file
from sources.ondemand import database
from sources.quoting import shown
from sources.rows import Cells, Problem, Row, SourceError, Table
from sources.source import Column, Source
from sources.values import CONVERTERS, as_text, is_empty

__all__ = ["Problem", "Row", "SourceError", "reading"]


class Wanted(NamedTuple):
    """A column that we want, and its place in the rows of the source."""

    column: Column
    place: int


@contextmanager
def reading(source: Source, **bounds: object) -> Iterator[Iterator[Row]]:
    """The rows of the source while it is open. Raises SourceError, also in the middle of rows.

    `bounds` are the values of :start and :end; moments in them are aware. Who bounds the rows looks
    at them all the same: a file gives all that it has.
    """
    zone = zone_of(source)
    opened = database().open_database(source, bounds) if source.is_database else open_file(source)
    with opened as table:
        wanted = [Wanted(column, place_of(column, table, source)) for column in source.columns]
        yield rows_of(table, wanted, zone)


def zone_of(source: Source) -> ZoneInfo:
    try:
        return ZoneInfo(source.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SourceError(f"{source.title}: '{source.timezone}' is no time zone.") from None


def place_of(column: Column, table: Table, source: Source) -> int:
    """Where the column stands; only if no spelling is exact, capitals do not count."""
    for same in (str, str.casefold):
        found = [n for n, name in enumerate(table.columns) if same(name) == same(column.column)]
        if len(found) == 1:
            return found[0]
        if found:
            raise SourceError(f"{source.title}: there are {len(found)} columns '{column.column}'.")
    there = ", ".join(table.columns) or "none"
    raise SourceError(
        f"{source.title}: there is no column '{column.column}' (for {column.field}); "
        f"there are {there}."
    )


def rows_of(table: Table, wanted: list[Wanted], zone: ZoneInfo) -> Iterator[Row]:
    for number, cells in enumerate(table.rows, 1):
        yield row_of(number, cells, table.columns, wanted=wanted, zone=zone)


def row_of(
    number: int, cells: Cells, columns: list[str], *, wanted: list[Wanted], zone: ZoneInfo
) -> Row:
    raw = {name: shown(as_text(cell)) for name, cell in zip(columns, cells.values, strict=False)}
    values: dict[str, object] = {}
    problems = [Problem("", "", cells.problem)] if cells.problem else []
    for column, place in wanted:
        values[column.field] = None
        if place < len(cells.values):  # else the row as a whole could not be read
            try:
                values[column.field] = value_of(column, cells.values[place], zone)
            except ValueError as problem:
                problems.append(Problem(column.field, column.column, str(problem)))
    return Row(number, values, problems, raw)


def value_of(column: Column, value: object, zone: ZoneInfo) -> object:
    """The value, or None where there is none. Raises ValueError with a sentence."""
    if not is_empty(value):
        return CONVERTERS[column.kind](value, zone)
    if column.required:
        raise ValueError("is empty")
    return None
