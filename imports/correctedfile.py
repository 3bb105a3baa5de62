"""The failed lines of an import, downloaded, corrected and brought back as a file.

Such a file is known by its header: that of the import and the column `error`. It is stored without
that column and without the apostrophes that keep a spreadsheet from running cells.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser

from imports.body import data_records
from imports.correcting import as_lines, reader_for
from imports.export import ERROR, original
from imports.identify import Layout, identify
from imports.lines import headings_of
from imports.models import ImportExecutionLog
from imports.occurrences import content_of, repeated_contents, twins_of
from imports.problems import FileError
from imports.records import Record
from imports.retry import require_retryable, successor
from imports.storing import copy, fail, safe_name, store
from imports.textfile import TextFile, look_at

SLICE = 500  # lines
PLACE = re.compile(r"line (\d{1,18})\b").match  # how a message about a line begins


def retry_corrected(
    log: ImportExecutionLog, source: BinaryIO, name: str, user: AbstractBaseUser | None = None
) -> ImportExecutionLog:
    """A new, queued import of a corrected upload: of the failed lines, or of the whole file.

    One that cannot be stored is a failed import, as ever. Raises StateConflict like a retry.
    """
    require_retryable(log)
    name = safe_name(name)
    new = successor(log, user, file_name=name)
    try:
        settings.FILES_DIR.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=settings.FILES_DIR, prefix="corrected-") as folder:
            received = Path(folder) / "received"
            with received.open("wb") as target:
                copy(source, target, name)
            put_into_store(new, log, received)
    except (FileError, OSError) as problem:
        fail(new, problem)
    new.save()
    return new


def put_into_store(new: ImportExecutionLog, log: ImportExecutionLog, received: Path) -> None:
    layout, file = layout_of(log, received)
    if layout and is_of_download(log, layout):
        received, new.cursor = bring_back(log, file, layout)
        new.dialect = log.dialect
    elif layout and headings_of(layout.header) != headings_of(log.header):
        new.dialect = {}
    with received.open("rb") as source:
        new.file_hash, new.file_size = store(source, new.file_name)


def layout_of(log: ImportExecutionLog, path: Path) -> tuple[Layout | None, TextFile | None]:
    """None for what is no such file: the import itself will say what is wrong."""
    try:
        file = look_at(path, log.file_name)
        has_account = bool(log.default_account)
        return identify(file, only=log.format, has_account=has_account), file
    except FileError:
        return None, None


def is_of_download(log: ImportExecutionLog, layout: Layout) -> bool:
    headings = [original(name) for name in layout.header]
    return bool(log.dialect) and headings_of(headings) == headings_of([*log.header, ERROR])


def bring_back(log: ImportExecutionLog, file: TextFile, layout: Layout) -> tuple[Path, int]:
    """Write the lines without what the download added; where to, and how many come first.

    These are twins of the lines, from the import: it begins behind them.
    """
    delimiter = log.dialect["delimiter"]
    reader, counted, twins = reader_for(log), set(), 0
    whole, below = file.path.with_name("whole"), file.path.with_name("below")
    with whole.open("wb") as front, below.open("wb") as rest:
        front.write(as_lines([log.header], delimiter))
        for lines in lines_brought(log, file, layout):
            rest.write(as_lines(lines, delimiter))
            read = [reader.read(Record(0, cells)).execution for cells in lines]
            found = [(one, cells) for one, cells in zip(read, lines, strict=True) if one]
            repeated = repeated_contents([one for one, _ in found]) - counted
            for execution, cells in found:
                content = content_of(execution)
                if content in repeated - counted:
                    counted.add(content)
                    copies = twins_of(log, execution)
                    front.write(as_lines([cells] * copies, delimiter))
                    twins += copies
    with whole.open("ab") as target, below.open("rb") as source:
        shutil.copyfileobj(source, target)
    return whole, twins


def lines_brought(
    log: ImportExecutionLog, file: TextFile, layout: Layout
) -> Iterator[list[list[str]]]:
    """The cells of the lines, many at a time."""
    width = len(log.header)
    with closing(data_records(file, layout)) as records:
        while some := list(islice(records, SLICE)):
            brought = [without_error(record.cells, width) for record in some]
            numbers = [int(place[1]) for _, error in brought if (place := PLACE(error))]
            rows = log.row_logs.filter(row_number__in=numbers)
            as_read = dict(rows.values_list("row_number", "raw_row_data"))
            yield [
                as_it_was(cells, as_read.get(int(place[1])) if (place := PLACE(error)) else None)
                for cells, error in brought
            ]


def without_error(cells: list[str], width: int) -> tuple[list[str], str]:
    """The cells of a line as they were before the download, and what stood under `error`."""
    cells = [original(cell) for cell in cells]
    while len(cells) > width + 1 and not cells[-1].strip():
        cells.pop()
    error = cells.pop() if len(cells) > width else ""
    return cells, error


def as_it_was(cells: list[str], as_read: list[str] | None) -> list[str]:
    """A line that was too short, and that nobody has touched, is too short again."""
    if as_read is None or len(as_read) >= len(cells):
        return cells
    return as_read if cells == as_read + [""] * (len(cells) - len(as_read)) else cells
