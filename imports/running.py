"""The way of a file into the trade log. Read this first.

An import waits in the database as `queued`, its bytes stored. Whoever claims it looks at the file
as a whole, finds out its format, decides once how it writes numbers and dates, and then takes it
in chunk by chunk. Each chunk is one transaction (writing.py), so whatever happens between two of
them, every line before the cursor is accounted for and the next process goes on behind it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import fields
from itertools import islice
from pathlib import Path

from django.utils import timezone

from imports.claims import LeaseLost, claim, finish, renew
from imports.dialect import Dialect
from imports.identify import Layout, identify
from imports.identity import TwinCounter, give_identities
from imports.lines import Line, LineReader, decide_dialect
from imports.models import ImportExecutionLog, ImportRowLog
from imports.places import Places, zones_for
from imports.problems import FileError
from imports.reading import Record, TextFile, look_at, records
from imports.states import RowStatus, Status
from imports.writing import write_chunk

CHUNK = 5_000  # lines in one transaction
HEAVY = 16 << 20  # or fewer lines, if they take about so many bytes of memory
MOST_ATTEMPTS = 3  # a file that ends every process that touches it must not do so for ever

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
        work(log, path or log.stored_path, on_progress)
    except LeaseLost:
        log.refresh_from_db()
    return log


def work(log: ImportExecutionLog, path: Path, on_progress: Progress) -> None:
    """From the claim to the final state. Raises LeaseLost, and whatever broke it off."""
    try:
        renew(log, started_at=log.started_at or timezone.now())
        if log.attempt > MOST_ATTEMPTS:
            raise FileError(interrupted(log))
        take_in(log, path, on_progress)
        end(log)
    except LeaseLost:
        raise
    except FileError as problem:
        end(log, str(problem))
    except BaseException as problem:
        with suppress(LeaseLost):
            end(log, broken_off(log, problem))
        raise


def take_in(log: ImportExecutionLog, path: Path, on_progress: Progress) -> None:
    """Read the file and account for each of its lines from the cursor on."""
    file = open_stored(path, log.file_name)
    layout = identify(file, only=log.format, has_account=bool(log.default_account))
    dialect = remembered_dialect(log) or decide_dialect(data_records(file, layout), layout)
    zones = log.dialect.get("zones") or zones_for(log.timezone)
    renew(
        log,
        format=layout.format.name,
        header=layout.header,
        line_count=file.line_count,
        dialect={
            "encoding": file.encoding,
            "delimiter": layout.delimiter,
            "zones": zones,
            **dialect.as_json(),
        },
    )
    places = Places()
    reader = LineReader(
        layout,
        dialect,
        default_account=log.default_account,
        zone_of=lambda account: zones.get(account) or zones[""],
    )
    lines = map(reader.read, data_records(file, layout))
    with closing(TwinCounter()) as twins:
        count_twins_again(log, lines, twins)
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
    names = [one.name for one in fields(Dialect)]
    return Dialect(**{name: log.dialect[name] for name in names}) if log.dialect else None


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


def count_twins_again(log: ImportExecutionLog, lines: Iterator[Line], twins: TwinCounter) -> None:
    """Pass over the lines before the cursor; twins among them keep their numbers."""
    for chunk in chunks(islice(lines, log.cursor)):
        give_identities(chunk, twins)
        renew(log)


def chunks(lines: Iterator[Line]) -> Iterator[list[Line]]:
    """As many lines as one transaction takes, fewer where they are very long or wide."""
    chunk: list[Line] = []
    weight = 0
    for line in lines:
        chunk.append(line)
        weight += sum(map(len, line.cells), 64 * len(line.cells))
        if len(chunk) == CHUNK or weight > HEAVY:
            yield chunk
            chunk, weight = [], 0
    if chunk:
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
        return f"{log.file_name} has a header and no lines: no executions yet."
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
    first = f"the first {sample:,} with " if log.failed_rows > sample else ""
    more = " and others" if len(codes) > most else ""
    counts = ", ".join(f"{code} {count:,}" for code, count in codes.most_common(most))
    return first + counts + more


def interrupted(log: ImportExecutionLog) -> str:
    return (
        f"{log.file_name} was interrupted {MOST_ATTEMPTS} times, last after {log.cursor:,} lines, "
        "and is given up. What was taken in until then stays; a retry takes in the rest."
    )


def broken_off(log: ImportExecutionLog, problem: BaseException) -> str:
    cause = f"an unexpected {type(problem).__name__}: {problem}"
    if isinstance(problem, KeyboardInterrupt):
        cause = "stopped by the user"
    return (
        f"{log.file_name} broke off after {log.cursor:,} lines: {cause}. "
        "What was taken in until then stays; a retry takes in the rest."
    )
