"""The executions of a range of days, out of the source and into a file, which is then taken in.

Each day's rows are stored as they come, so that a run that dies goes on with the first day that is
missing, and a retry asks for the failed days only. All days together make the import's file: these
bytes are the proof of what the source said.
"""

import logging
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from tempfile import TemporaryFile
from typing import BinaryIO
from zoneinfo import ZoneInfo

from django.conf import settings

from imports.claims import renew
from imports.days import Day, DayStatus, as_json, failed_in_words, read_days, with_status
from imports.models import ImportExecutionLog
from imports.problems import FileError
from imports.sourcelines import LineWriter
from imports.storing import path_of, reason, refuse_too_large, store
from sources.configured import executions
from sources.reading import Row, SourceError, reading
from sources.source import Source

logger = logging.getLogger(__name__)

LONGEST_DAY = 180  # seconds; with what comes before it in its slice, less than a task may take
BETWEEN_RENEWALS = 20  # seconds
NO_SOURCE = "No source of executions is set up here (TRADELOG_EXECUTIONS_URL)."


def fetch(log: ImportExecutionLog, on_progress: Callable[[ImportExecutionLog], None]) -> None:
    """Bring all days that are missing, and make them the import's file.

    A day that cannot be had is kept as failed, with its reason. Raises FileError if there is none
    that could.
    """
    source = source_of_executions()
    writer, days = LineWriter(source), read_days(log.days)
    for day in days:
        if day.status == DayStatus.FAILED or is_kept(day, writer.header):
            continue
        bring(log, day, source, writer=writer)
        renew(log, days=as_json(days), attempt=1)
        on_progress(log)
    if not with_status(days, DayStatus.DONE):
        raise FileError(failed_in_words(days))
    join(log, days, writer.header)


def is_to_be_fetched(log: ImportExecutionLog) -> bool:
    """Whether it is a date range whose executions are not all here."""
    return bool(log.days) and not log.file_hash


def source_of_executions() -> Source:
    """Raises FileError if there is none, or one that is not set up right."""
    try:
        source = executions()
    except SourceError as problem:
        raise FileError(str(problem)) from None
    if source is None:
        raise FileError(NO_SOURCE)
    return source


def is_kept(day: Day, header: bytes) -> bool:
    """Whether its rows are in the store, with the columns that the source has now."""
    path = path_of(day.file_hash)
    if day.status != DayStatus.DONE or not path.is_file():
        return False
    with path.open("rb") as kept:
        return kept.read(len(header)) == header


def bring(log: ImportExecutionLog, day: Day, source: Source, *, writer: LineWriter) -> None:
    """Store what the source has of a day, or keep why it cannot be had."""
    settings.FILES_DIR.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryFile(dir=settings.FILES_DIR) as draft:
            day.rows = write_day(log, day, source, writer=writer, draft=draft)
            draft.seek(0)
            day.file_hash, _ = store(draft, log.file_name)
    except (SourceError, FileError, OSError) as problem:
        day.status, day.rows, day.error = DayStatus.FAILED, 0, reason(log.file_name, problem)
        logger.warning("%s could not be had: %s", day.date, day.error)
        return
    day.status, day.error = DayStatus.DONE, ""
    logger.info("%s: the source has %s executions.", day.date, f"{day.rows:,}")


def write_day(
    log: ImportExecutionLog, day: Day, source: Source, *, writer: LineWriter, draft: BinaryIO
) -> int:
    """Write the rows of a day below the header; how many there were."""
    start, end = bounds_of(day, source)
    is_first = day.date == log.days[0]["date"]
    watch, count = Watch(log), 0
    draft.write(writer.header)
    with reading(source, start=start, end=end) as rows:
        if not source.is_database:
            rows = those_of_day(rows, start, end, with_timeless=is_first)
        for row in rows:
            require_in_day(row, start, end)
            draft.write(writer.line(day.date, row))
            watch(draft.tell())
            count += 1
    return count


def bounds_of(day: Day, source: Source) -> tuple[datetime, datetime]:
    """From midnight to midnight where the source is; the end belongs to the next day."""
    zone = ZoneInfo(source.timezone)
    first = date.fromisoformat(day.date)
    start, end = (datetime.combine(one, clock.min, zone) for one in (first, first + timedelta(1)))
    return start.astimezone(UTC), end.astimezone(UTC)


def those_of_day(
    rows: Iterator[Row], start: datetime, end: datetime, *, with_timeless: bool
) -> Iterator[Row]:
    """A file is read as a whole. Rows without a time that can be read are of the first day."""
    for row in rows:
        moment = row.values["executed_at"]
        if with_timeless if moment is None else start <= moment < end:
            yield row


def require_in_day(row: Row, start: datetime, end: datetime) -> None:
    moment = row.values["executed_at"]
    if moment is not None and not start <= moment < end:
        raise SourceError(
            f"Row {row.number} is of {moment:%Y-%m-%d %H:%M:%S} UTC, which is another day; does "
            "the query ask for times from :start on and before :end?"
        )


class Watch:
    """Called with each row that is written: keeps the lease, and the day within its bounds."""

    def __init__(self, log: ImportExecutionLog) -> None:
        self.log = log
        self.over_at = time.monotonic() + LONGEST_DAY
        self.renewed_at = time.monotonic()

    def __call__(self, size: int) -> None:
        refuse_too_large(size, self.log.file_name)
        now = time.monotonic()
        if now > self.over_at:
            raise SourceError(f"The source took more than {LONGEST_DAY} seconds for this day.")
        if now > self.renewed_at + BETWEEN_RENEWALS:
            renew(self.log)
            self.renewed_at = now


def join(log: ImportExecutionLog, days: Sequence[Day], header: bytes) -> None:
    """Store all days that are done as one file, in their order, below one header."""
    try:
        with TemporaryFile(dir=settings.FILES_DIR) as whole:
            whole.write(header)
            for day in with_status(days, DayStatus.DONE):
                with path_of(day.file_hash).open("rb") as part:
                    part.seek(len(header))
                    shutil.copyfileobj(part, whole)
            whole.seek(0)
            file_hash, size = store(whole, log.file_name)
    except OSError as problem:
        raise FileError(reason(log.file_name, problem)) from problem
    renew(log, file_hash=file_hash, file_size=size)
