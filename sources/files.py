"""A CSV or JSON file as a source: a header and lines, or a list of objects."""

import csv
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import IO

from sources.rows import Cells, SourceError, Table
from sources.source import Source

LARGEST_JSON = 64 * 1024 * 1024  # bytes; it is read as a whole
LONGEST_LINE = 1 << 20  # characters
DELIMITERS = ",;\t|"
END = "\0the end"  # stands in no file of text; alone in its row, unless a quotation is left open


def open_file(source: Source) -> AbstractContextManager[Table]:
    """The file as a table. Raises SourceError."""
    path = Path(source.location)
    opener = OPENERS.get(path.suffix.lower())
    if opener is None:
        raise SourceError(f"{source.title}: {path.name} is no .csv or .json file.")
    return opener(source, path)


@contextmanager
def open_csv(source: Source, path: Path) -> Iterator[Table]:
    with opened(source, path) as stream:
        first = read_line(source, stream)
        if not first.strip():
            raise SourceError(f"{source.title}: {path.name} has no header.")
        delimiter = max(DELIMITERS, key=first.count)
        columns = columns_of(source, first, delimiter)
        lines = csv.reader(chain(bounded(source, stream), [END]), delimiter=delimiter)
        yield Table(columns, csv_rows(source, lines, len(columns)))


@contextmanager
def opened(source: Source, path: Path) -> Iterator[IO[str]]:
    try:
        stream = path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise SourceError(f"{source.title}: {path.name}: {error.strerror}.") from None
    with stream:
        yield stream


def read_line(source: Source, stream: IO[str]) -> str:
    try:
        return next(bounded(source, stream), "")
    except (OSError, UnicodeDecodeError):
        raise SourceError(f"{source.title}: the file is not in UTF-8; save it as such.") from None


def bounded(source: Source, stream: IO[str]) -> Iterator[str]:
    """The lines from here on. Raises SourceError for one that has no end."""
    while line := stream.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise SourceError(
                f"{source.title}: the file has a line of more than {LONGEST_LINE:,} characters."
            )
        yield line


def columns_of(source: Source, header: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([header], delimiter=delimiter))]
    except csv.Error as error:
        raise SourceError(f"{source.title}: the header is no CSV: {error}.") from None


def csv_rows(source: Source, lines: Iterator[list[str]], width: int) -> Iterator[Cells]:
    try:
        for cells in lines:
            if cells == [END]:
                return
            if cells and cells[-1].endswith(END):
                raise SourceError(f"{source.title}: the file ends inside a quotation.")
            if any(cell.strip() for cell in cells):
                yield fitted(cells, width)
    except (OSError, UnicodeDecodeError):
        raise SourceError(f"{source.title}: the file cannot be read to its end as UTF-8.") from None
    except csv.Error as error:
        raise SourceError(f"{source.title}: the file is no CSV: {error}.") from None


def fitted(cells: list[str], width: int) -> Cells:
    """The cells of a line, as many as the header has; another number is a problem."""
    if len(cells) == width:
        return Cells(cells)
    problem = f"the line has {len(cells)} cells; the header has {width}"
    return Cells([*cells, *[""] * (width - len(cells))][:width], problem)


@contextmanager
def open_json(source: Source, path: Path) -> Iterator[Table]:
    objects = read_json(source, path)
    columns = list(dict.fromkeys(str(name) for one in objects for name in one))
    if not objects:  # no object, no name that could be missing
        columns = [column.column for column in source.columns]
    yield Table(columns, (Cells([one.get(name) for name in columns]) for one in objects))


def read_json(source: Source, path: Path) -> list[dict[str, object]]:
    with opened(source, path) as stream:
        if path.stat().st_size > LARGEST_JSON:
            raise SourceError(
                f"{source.title}: {path.name} is larger than {LARGEST_JSON >> 20} MB; "
                "a CSV file may be of any size."
            )
        try:
            objects = json.load(stream, parse_float=Decimal)
        except (OSError, ValueError, RecursionError) as error:
            raise SourceError(f"{source.title}: {path.name} is no JSON: {error}.") from None
    if not isinstance(objects, list) or not all(isinstance(one, dict) for one in objects):
        raise SourceError(f"{source.title}: {path.name} is no list of objects.")
    return objects


OPENERS = {".csv": open_csv, ".json": open_json}


def file_problem(path: Path) -> str:
    """Why the file cannot be used; "" if it can, also if it is yet to be written."""
    if path.suffix.lower() not in OPENERS:
        return "names neither a database nor a .csv or .json file"
    return "" if path.parent.is_dir() else "names a file in a folder that is not there"
