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
from django.db import transaction

from imports.body import data_records
from imports.correcting import as_lines, reader_for
from imports.export import ERROR, original
from imports.identify import Layout, identify
from imports.kin import Kin, locked
from imports.lines import headings_of
from imports.models import ImportExecutionLog
from imports.occurrences import content_of, repeated_contents, sharing, twins_of
from imports.problems import FileError
from imports.records import Record
from imports.retry import (
    Brought,
    keep_brought,
    require_retryable,
    successor,
    write_down_retry,
)
from imports.states import RowStatus, StateConflict
from imports.storing import copy, fail, safe_name, store
from imports.textfile import TextFile, look_at

SLICE = 500  # lines
BREAK = re.compile(rb"\r\n|\r|\n")
PLACE = re.compile(r"line (\d{1,18})\b").match  # how a message about a line begins


def retry_corrected(
    log: ImportExecutionLog, source: BinaryIO, name: str, user: AbstractBaseUser | None = None
) -> ImportExecutionLog:
    """A new, queued import of a corrected upload: of the failed lines, or of the whole file.

    One that cannot be stored is a failed import, as ever. Raises StateConflict like a retry.
    """
    kin = able(log)
    name, brought = safe_name(name), {}
    new = successor(log, user, file_name=name)
    try:
        settings.FILES_DIR.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=settings.FILES_DIR, prefix="corrected-") as folder:
            received = Path(folder) / "received"
            with received.open("wb") as target:
                copy(source, target, name)
            brought = put_into_store(new, kin, received)
    except (FileError, OSError) as problem:
        fail(new, problem)
    with transaction.atomic():
        if able(locked(log)).state() != kin.state():
            raise StateConflict(f"A line of {log.file_name} was corrected meanwhile; try again.")
        new.save()
        keep_brought(kin, new, brought)
        write_down_retry(log, user, f"corrected in a file, by import {new.pk}")
    return new


def able(log: ImportExecutionLog) -> Kin:
    """The import with its retries, of which none is at work. Raises StateConflict."""
    require_retryable(log)
    kin = Kin(log)
    kin.require_no_retry()
    kin.require_no_mending()
    return kin


def put_into_store(new: ImportExecutionLog, kin: Kin, received: Path) -> dict[int, Brought]:
    """Store the lines; by their number there, the lines of the import that they bring."""
    log, brought = kin.log, {}
    layout, file = layout_of(log, received)
    if layout and is_of_download(log, layout):
        received, new.cursor, brought = bring_back(kin, file, layout)
        new.dialect = log.dialect
    elif layout and headings_of(layout.header) != headings_of(log.header):
        new.dialect = {}
    with received.open("rb") as source:
        new.file_hash, new.file_size = store(source, new.file_name)
    return brought


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


def bring_back(kin: Kin, file: TextFile, layout: Layout) -> tuple[Path, int, dict[int, Brought]]:
    """Write the lines without what the download added; where to, and how many come first.

    These are twins of the lines, from the import: it begins behind them. Also, by the number of
    the line as written, which line of the import it is, if that is told.
    """
    log = kin.log
    delimiter, ours = log.dialect["delimiter"], sharing(log)
    reader, counted, twins, brought = reader_for(log), set(), 0, {}
    whole, below = file.path.with_name("whole"), file.path.with_name("below")
    with whole.open("wb") as front, below.open("wb") as rest:
        above, height = written(front, [log.header], delimiter), 1
        for lines in lines_brought(kin, file, layout):
            for cells, one in lines:
                if one:
                    brought[height] = one
                height += written(rest, [cells], delimiter)
            new = [cells for cells, one in lines if not (one and one.is_refused)]
            read = [reader.read(Record(0, cells)).execution for cells in new]
            found = [(one, cells) for one, cells in zip(read, new, strict=True) if one]
            repeated = repeated_contents([one for one, _ in found]) - counted
            for execution, cells in found:
                content = content_of(execution)
                if content in repeated - counted:
                    counted.add(content)
                    copies = twins_of(ours, execution)
                    above += written(front, [cells] * copies, delimiter)
                    twins += copies
    with whole.open("ab") as target, below.open("rb") as source:
        shutil.copyfileobj(source, target)
    return whole, twins, {above + place: one for place, one in brought.items()}


def written(target: BinaryIO, rows: list[list[str]], delimiter: str) -> int:
    """Write these rows; how many physical lines they are."""
    text = as_lines(rows, delimiter)
    target.write(text)
    return len(BREAK.findall(text))


def lines_brought(
    kin: Kin, file: TextFile, layout: Layout
) -> Iterator[list[tuple[list[str], Brought | None]]]:
    """The cells of the lines, each with the failed line that it is, if told; many at a time."""
    width, seen = len(kin.log.header), set()
    failed = kin.log.row_logs.filter(status=RowStatus.FAILED)
    with closing(data_records(file, layout)) as records:
        while some := list(islice(records, SLICE)):
            lines = [without_error(record.cells, width) for record in some]
            numbers = [int(place[1]) if (place := PLACE(error)) else None for _, error in lines]
            rows = failed.filter(row_number__in={*numbers} - {None})
            as_read = dict(rows.values_list("row_number", "raw_row_data"))
            mended = kin.mendings(as_read)
            told = []
            for number, (cells, _) in zip(numbers, lines, strict=True):
                one = Brought(number, mended.get(number), number in seen)
                told.append(
                    (as_it_was(cells, as_read.get(number)), one if number in as_read else None)
                )
                seen.add(number)
            yield told


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
