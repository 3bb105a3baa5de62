"""The way of a file into the trade log. Read this first.

An import waits in the database as `queued`, its bytes stored. Whoever claims it looks at the file
as a whole, finds out its format, decides once how it writes numbers and dates, and then takes it
in chunk by chunk. Each chunk is one transaction (writing.py), so whatever happens between two of
them, every line before the cursor is accounted for and the next process goes on behind it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from django.utils import timezone

from imports.claims import LeaseLost, claim, finish, renew
from imports.dialect import Dialect
from imports.identify import Layout, identify
from imports.identity import TwinCounter, give_identities
from imports.lines import Line, LineReader, decide_dialect
from imports.models import ImportExecutionLog, ImportRowLog
from imports.places import Places
from imports.problems import FileError
from imports.reading import Record, TextFile, look_at, records
from imports.states import RowStatus, Status
from imports.writing import write_chunk

CHUNK = 5_000  # lines in one transaction

Progress = Callable[[ImportExecutionLog], None]


def run_import(
    import_id: int, *, path: Path | None = None, on_progress: Progress = lambda log: None
) -> ImportExecutionLog | None:
    """Take in a queued import, or go on with one whose process died. None if it is not ours.

    `path` is where the bytes lie if not in the store. However this ends, the import tells: a file
    that cannot be taken in is `failed` with one sentence; what breaks off is `failed` with its
    cause, and raises it.
    """
    log = claim(import_id, Status.RUNNING)
    if log is None:
        return None
    try:
        renew(log, started_at=log.started_at or timezone.now())
        take_in(log, path or log.stored_path, on_progress)
        end(log)
    except LeaseLost:
        log.refresh_from_db()
    except FileError as problem:
        end(log, str(problem))
    except BaseException as problem:
        end(log, broken_off(log, problem))
        raise
    return log


def take_in(log: ImportExecutionLog, path: Path, on_progress: Progress) -> None:
    """Read the file and account for each of its lines from the cursor on."""
    file = open_stored(path, log.file_name)
    layout = identify(file, only=log.format, has_account=bool(log.default_account))
    dialect = remembered_dialect(log) or decide_dialect(data_records(file, layout), layout)
    renew(
        log,
        format=layout.format.name,
        header=layout.header,
        line_count=file.line_count,
        dialect={"encoding": file.encoding, "delimiter": layout.delimiter, **dialect.as_json()},
    )
    places = Places(log.timezone)
    reader = LineReader(
        layout, dialect, default_account=log.default_account, zone_of=places.zone_of
    )
    lines = map(reader.read, data_records(file, layout))
    with closing(TwinCounter()) as twins:
        count_twins_again(lines, log.cursor, twins)
        for chunk in chunks(lines):
            give_identities(chunk, twins)
            write_chunk(log, chunk, places)
            on_progress(log)


def open_stored(path: Path, name: str) -> TextFile:
    try:
        return look_at(path, name)
    except OSError as problem:
        raise FileError(f"{name} cannot be read: {problem.strerror}.") from problem


def remembered_dialect(log: ImportExecutionLog) -> Dialect | None:
    """As decided when the import first began: whoever goes on with it must read the same."""
    if "decimal" not in log.dialect:
        return None
    return Dialect(log.dialect["decimal"], log.dialect["day_first"])


def data_records(file: TextFile, layout: Layout) -> Iterator[Record]:
    """The records below the header; a header that stands there again is none."""
    lines = islice(file.lines(), layout.header_line, None)
    for record in records(
        lines, layout.delimiter, width=layout.width, first=layout.header_line + 1
    ):
        if record.cells[0].strip() != layout.header[0] or not repeats_header(record, layout):
            yield record


def repeats_header(record: Record, layout: Layout) -> bool:
    return [cell.strip() for cell in record.cells] == layout.header


def count_twins_again(lines: Iterator[Line], done: int, twins: TwinCounter) -> None:
    """Pass over the lines before the cursor; twins among them keep their numbers."""
    before = islice(lines, done)
    while chunk := list(islice(before, CHUNK)):
        give_identities(chunk, twins)


def chunks(lines: Iterator[Line]) -> Iterator[list[Line]]:
    while chunk := list(islice(lines, CHUNK)):
        yield chunk


def end(log: ImportExecutionLog, problem: str = "") -> None:
    """Give the import its final state, its summary and its duration."""
    now = timezone.now()
    finish(
        log,
        final_status(log, problem),
        error_summary=problem or summary(log),
        completed_at=now,
        processing_time_ms=round((now - (log.started_at or now)).total_seconds() * 1000),
    )


def final_status(log: ImportExecutionLog, problem: str) -> Status:
    if problem or (log.failed_rows and not log.success_rows):
        return Status.FAILED
    return Status.PARTIAL if log.failed_rows else Status.SUCCESS


def summary(log: ImportExecutionLog) -> str:
    """What deserves a word about a file that was read to its end; '' if it is plain success."""
    if log.failed_rows:
        return f"{log.failed_rows:,} of {log.total_rows:,} lines failed: {commonest_problems(log)}."
    if not log.total_rows:
        return "No executions yet: the file has a header and no lines."
    if log.skipped_rows == log.total_rows:
        return f"Nothing new: all {log.total_rows:,} lines were known already."
    return ""


def commonest_problems(log: ImportExecutionLog, most: int = 5, sample: int = 10_000) -> str:
    """The codes of the first failed lines with their counts, commonest first."""
    errors = ImportRowLog.objects.filter(import_log=log, status=RowStatus.FAILED).order_by(
        "row_number"
    )
    codes = Counter(
        error["code"]
        for problems in errors.values_list("validation_errors", flat=True)[:sample]
        for error in problems
    )
    return ", ".join(f"{code} {count:,}" for code, count in codes.most_common(most))


def broken_off(log: ImportExecutionLog, problem: BaseException) -> str:
    cause = "stopped by the user" if isinstance(problem, KeyboardInterrupt) else repr(problem)
    return (
        f"{log.file_name} broke off after {log.cursor:,} lines: {cause}. "
        "What was taken in until then stays; a retry takes in the rest."
    )
