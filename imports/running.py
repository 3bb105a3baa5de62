"""The way of a file into the trade log. Read this first.

An import waits in the database as `queued`, its bytes stored; those of a date range are fetched
first, day by day (fetching.py). Whoever claims it looks at the file as a whole, finds out its
format, decides once how it writes numbers and dates, and then takes it in chunk by chunk. Each
chunk is one transaction (writing.py), so whatever happens between two of them, every line before
the cursor is accounted for and the next process goes on behind it. Each chunk also marks which
positions it touches; at the end they are computed anew (trades/positions.py).
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from imports.apart import ReaderGone
from imports.asking import Snapshot
from imports.backupfile import BackupFile, body_of, look_at_backup
from imports.body import Body, data_records
from imports.chunks import PART, ChunkReader, beside_a_reader
from imports.claims import (
    LeaseLost,
    Pause,
    claim,
    finish,
    release,
    release_when_possible,
    renew,
)
from imports.days import failed_in_words, read_days
from imports.dialect import Dialect
from imports.fetching import fetch, is_to_be_fetched
from imports.gathering import reading_ahead
from imports.identify import Layout, identify
from imports.identity import TwinCounter
from imports.lines import LineReader, decide_dialect
from imports.models import ImportExecutionLog
from imports.packed import is_backup
from imports.places import Places, zones_for
from imports.problems import FileError
from imports.refusals import refusals_of
from imports.remarks import restore_remarks
from imports.restoring import restore_places
from imports.restoringlogs import restore_logs
from imports.rows import prepared
from imports.states import Status
from imports.summary import broken_off, interrupted, summary
from imports.textfile import TextFile, look_at
from imports.writing import write_chunk
from joblogs.interrupts import heeding_ctrl_c
from trades.positions import recompute_for_a_while

CHUNK = 25_000  # lines in one transaction, fewer where they are heavy
MOST_REMEMBERED = 50_000  # identities of the ledger; a shorter file asks for its lines instead
# In a row and without a chunk between them: a file that ends every process that touches it must
# not do so for ever.
MOST_ATTEMPTS = 3

Progress = Callable[[ImportExecutionLog], None]


def run_import(
    import_id: int,
    *,
    path: Path | None = None,
    on_progress: Progress = lambda log: None,
    with_positions: bool = True,
) -> ImportExecutionLog | None:
    """Take in a queued import, or go on with one whose process died. None if it is not ours.

    `path` is where the bytes lie if not in the store. However this ends, the import tells: a file
    that cannot be taken in is `failed` with one sentence; what breaks off is `failed` with its
    cause, and raises it. One that pauses, or loses its database, stays `running` and nobody's.
    Without positions, these wait for somebody else.
    """
    log = claim(import_id, Status.RUNNING)
    if log is None:
        return None
    try:
        with heeding_ctrl_c(), leaving_if_lost(log):
            begin(log)
            if is_to_be_fetched(log):
                fetch(log, on_progress)
            take_in(log, path or log.stored_path, on_progress)
            end(log)
    except Pause:
        release(log, attempt=0)
    except (OperationalError, InterfaceError, ReaderGone, SystemExit):  # a worker's time is over
        release_when_possible(log)
        raise
    except FileError as problem:
        with leaving_if_lost(log):
            end(log, str(problem))
    except BaseException as problem:
        with leaving_if_lost(log):
            if log.is_active:  # Ctrl-C may be heeded when all is done
                end(log, broken_off(log, problem))
        raise
    if with_positions and log.success_rows and not log.is_active:
        recompute_for_a_while()
    return log


@contextmanager
def leaving_if_lost(log: ImportExecutionLog) -> Iterator[None]:
    """Who has lost the import writes nothing more, and shows it as its new owner has it."""
    try:
        yield
    except LeaseLost:
        log.refresh_from_db()


def take_in(log: ImportExecutionLog, path: Path, on_progress: Progress) -> None:
    """Read the file and account for each of its lines from the cursor on."""
    file = open_stored(path, log.file_name)
    reader = reader_of(log, file)
    reader.refusals = refusals_of(log)
    places = Places(Snapshot(MOST_REMEMBERED) if log.line_count > MOST_REMEMBERED else None)
    if isinstance(file, BackupFile):
        restore_places(log, file)
    with (
        closing(body_of(file, reader.layout)) as body,
        closing(TwinCounter()) as twins,
        beside_a_reader(),
    ):
        reading = ChunkReader(reader, twins)
        pass_over(log, body, reading)
        parts = map(prepared, reading.parts(body, min(PART, CHUNK)))
        left = log.line_count - log.cursor
        with reading_ahead(parts, reader, left, CHUNK) as (chunks, go_on):
            for chunk in chunks:
                write_chunk(log, chunk, places, meanwhile=go_on)
                on_progress(log)
    if isinstance(file, BackupFile):
        restore_remarks(log, file, on_progress)
        restore_logs(log, file, on_progress)


def begin(log: ImportExecutionLog) -> None:
    renew(log, started_at=log.started_at or timezone.now())
    if log.attempt > MOST_ATTEMPTS:
        raise FileError(interrupted(log, MOST_ATTEMPTS))


def open_stored(path: Path, name: str) -> TextFile:
    try:
        return look_at_backup(path, name) if is_backup(path) else look_at(path, name)
    except OSError as problem:
        raise FileError(f"{name} cannot be read: {problem.strerror}.") from problem


def reader_of(log: ImportExecutionLog, file: TextFile) -> LineReader:
    """Find out how to read the file, and remember it in the import."""
    layout = identify(file, only=log.format, has_account=bool(log.default_account))
    dialect = remembered_dialect(log) or layout.format.dialect or dialect_of(file, layout)
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
    return LineReader(
        layout,
        dialect,
        default_account=log.default_account,
        zone_of=lambda account: zones.get(account) or zones[""],
    )


def remembered_dialect(log: ImportExecutionLog) -> Dialect | None:
    """As decided when the import first began: whoever goes on with it must read the same."""
    names = [one.name for one in fields(Dialect)]
    return Dialect(**{name: log.dialect[name] for name in names}) if log.dialect else None


def dialect_of(file: TextFile, layout: Layout) -> Dialect:
    if isinstance(file, BackupFile):
        return Dialect()
    with closing(data_records(file, layout)) as found:
        return decide_dialect(found, layout)


def pass_over(log: ImportExecutionLog, body: Body, reading: ChunkReader) -> None:
    """Read the lines before the cursor again, so that twins among them keep their numbers."""
    left = log.cursor
    while left and (rows := body.take(min(left, PART, CHUNK))):
        reading.read(rows)
        left -= len(rows)
        renew(log)


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
    # Known lines are in the log as well: with them, a file has not failed.
    if problem or (log.failed_rows and log.failed_rows == log.total_rows):
        return Status.FAILED
    is_partial = log.failed_rows or failed_in_words(read_days(log.days))
    return Status.PARTIAL if is_partial else Status.SUCCESS
