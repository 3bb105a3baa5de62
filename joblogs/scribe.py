"""Writing down what a job logs, while it runs and whatever becomes of its transactions.

The job only puts lines into a queue. A thread, the scribe, writes them over a connection of its
own: so they are seen at once, survive the job's rollbacks, and a database that is away or busy
stops the scribe and not the job. The scribe also gives the sign of life and writes the end.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import Empty, SimpleQueue

from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError, connection, transaction
from django.utils import timezone

from joblogs.models import JobLog, JobLogDetail
from joblogs.states import Level, Status
from joblogs.wording import worded
from web.marks import JOB

HEARTBEAT = 15.0  # seconds between signs of life
LOT = 500  # lines in one transaction
MOST_WAITING = 50_000  # lines in memory, while the database is away or slower than the job
PAUSE = 1.0  # seconds between attempts
PATIENCE = 90.0  # seconds in which the end of a job must be written
AWAY = (OperationalError, InternalError, InterfaceError)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Line:
    message: str
    level: Level = Level.INFO
    created_at: datetime = field(default_factory=timezone.now)


@dataclass(frozen=True)
class End:
    """How a job ended: with its result, or with an error in words."""

    status: Status
    result: dict = field(default_factory=dict)
    error: str = ""
    finished_at: datetime = field(default_factory=timezone.now)


class Scribe:
    """Writes down one job. All but `hear` and `finish` happens in its own thread."""

    def __init__(self, log: JobLog) -> None:
        self.log = log
        self.waiting: SimpleQueue[Line | End] = SimpleQueue()
        self.lot: list[Line | End] = []
        self.last_line = ""
        self.lost = 0
        self.trouble = ""
        self.next_heartbeat = time.monotonic() + HEARTBEAT
        self.give_up_at = float("inf")
        # A daemon: whoever stops the program while the database is away need not wait for us.
        self.thread = threading.Thread(target=self.write_down, name=f"job {log}", daemon=True)

    # --- What the job does

    def hear(self, line: Line) -> None:
        self.last_line = line.message
        if self.waiting.qsize() < MOST_WAITING:
            self.waiting.put(line)
        else:
            self.lost += 1

    def finish(self, end: End) -> None:
        self.give_up_at = time.monotonic() + PATIENCE
        self.waiting.put(end)

    # --- What the scribe does

    def write_down(self) -> None:
        try:
            while self.turn():
                pass
        finally:
            connection.close()

    def turn(self) -> bool:
        """Write what there is, or wait for it; whether there is more to come."""
        self.take(max(0.0, self.next_heartbeat - time.monotonic()))
        try:
            self.write()
        except Exception as problem:
            self.trouble = worded(f"{type(problem).__name__}: {problem}")
            return self.try_again() if isinstance(problem, AWAY) else self.do_without()
        ended = self.end is not None
        self.lot = []
        return not ended

    def take(self, seconds: float) -> None:
        """Fill the lot; wait so long for the first line."""
        with suppress(Empty):
            if not self.lot:
                self.lot.append(self.waiting.get(timeout=seconds))
            while len(self.lot) < LOT and self.end is None:
                self.lot.append(self.waiting.get_nowait())

    @property
    def end(self) -> End | None:
        """The end of the job, if it is the scribe's turn to write it."""
        return self.lot[-1] if self.lot and isinstance(self.lot[-1], End) else None

    @property
    def lines(self) -> list[Line]:
        return [one for one in self.lot if isinstance(one, Line)]

    def write(self) -> None:
        with transaction.atomic():
            self.add(self.lines)
            if self.end:
                self.write_end(self.end)
            elif time.monotonic() >= self.next_heartbeat:
                ours = JobLog.objects.filter(pk=self.log.pk, status=Status.PROCESSING)
                ours.update(heartbeat_at=timezone.now())
        if time.monotonic() >= self.next_heartbeat:
            self.next_heartbeat = time.monotonic() + HEARTBEAT

    def add(self, lines: list[Line]) -> None:
        JobLogDetail.objects.bulk_create(
            JobLogDetail(job_log_id=self.log.pk, **vars(line)) for line in lines
        )

    def write_end(self, end: End) -> None:
        if self.lost:
            self.add([Line(self.what_was_lost(), Level.WARNING)])
        log = JobLog.objects.filter(pk=self.log.pk)
        values = {"result": end.result, "error": end.error, "finished_at": end.finished_at}
        if log.move(Status.PROCESSING, end.status, heartbeat_at=end.finished_at, **values):
            return
        # Ours already, if only the answer of the database was lost.
        if log.exclude(finished_at=end.finished_at).exists():
            how = f"{end.status.label}. {end.error}".strip()
            self.add([Line(f"Came back after it was given up, and ended: {how}", Level.WARNING)])

    def try_again(self) -> bool:
        """The database is away or busy: keep what there is, unless the time is up."""
        if time.monotonic() >= self.give_up_at:
            while not self.waiting.empty():
                self.lot.append(self.waiting.get())
            self.lost += len(self.lines)
            return False
        connection.close()
        time.sleep(PAUSE)
        return True

    def do_without(self) -> bool:
        """The database refuses what we write: drop the lines; the end may still be taken."""
        self.lost += len(self.lines)
        is_hopeless = self.end is not None and not self.lines
        self.lot = [self.end] if self.end else []
        return not is_hopeless

    def what_was_lost(self) -> str:
        return f"Lines of this job that were lost: {self.lost:,}. {self.trouble}".strip()


# --- How lines come to the scribe

CURRENT: ContextVar[Scribe | None] = ContextVar("scribe", default=None)


class LineHandler(logging.Handler):
    """Brings what is logged in the context of a job to its scribe: our own INFO, any WARNING."""

    def __init__(self, scribe: Scribe) -> None:
        super().__init__(logging.INFO)
        self.scribe = scribe

    def emit(self, record: logging.LogRecord) -> None:
        ours = record.name.partition(".")[0] in settings.LOGGING["loggers"]
        if CURRENT.get() is self.scribe and (ours or record.levelno >= logging.WARNING):
            moment = datetime.fromtimestamp(record.created, UTC)
            self.scribe.hear(Line(self.in_words(record), level_of(record), moment))

    def in_words(self, record: logging.LogRecord) -> str:
        try:
            return worded(self.format(record))
        except Exception as problem:
            template = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
            return worded(f"{template} [{type(problem).__name__} when it was put into words]")


def level_of(record: logging.LogRecord) -> Level:
    if record.levelno >= logging.ERROR:
        return Level.ERROR
    return Level.WARNING if record.levelno >= logging.WARNING else Level.INFO


@contextmanager
def listening(log: JobLog) -> Iterator[Scribe]:
    """A scribe who hears what is logged here. The first end counts that it is told of."""
    scribe = Scribe(log)
    handler = LineHandler(scribe)
    before, mark = CURRENT.set(scribe), JOB.set(str(log.pk))
    try:
        scribe.thread.start()
        logging.getLogger().addHandler(handler)
        yield scribe
    finally:
        logging.getLogger().removeHandler(handler)
        CURRENT.reset(before)
        JOB.reset(mark)
        scribe.finish(End(Status.ERROR, error="It broke off; nobody knows how."))
        scribe.thread.join(2 * PATIENCE)
        if scribe.lost or scribe.lot:  # what is left in the lot is an end that was not written
            logger.error("Job %s: %s", log, scribe.what_was_lost())
