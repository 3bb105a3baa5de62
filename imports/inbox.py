"""Take in the files that are put into the inbox. A scan is short, and remembers nothing.

A file that two looks find unchanged is claimed by an atomic rename to processing/, under the batch
id of its import to be; so whoever finds it there, after whatever crash, knows how far it came. When
its import has ended it goes to archive/ or error/. A file that still grows stays where it is, and
its whole lines are taken in.
"""

import errno
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.utils import timezone

from imports.background import start_import
from imports.growing import (
    Beginning,
    end_of_lines,
    hashes_of_beginnings,
    is_growing,
    is_half_a_backup,
    size_of,
)
from imports.inboxbytes import had_before, has_bytes_of, keep_bytes, queued
from imports.inboxfolders import (
    Claimed,
    Folders,
    InboxUnusable,
    Look,
    look_at,
    move,
    open_file,
)
from imports.models import ImportExecutionLog
from imports.paths import is_named_backup
from imports.problems import FileError
from imports.states import Status
from imports.storing import Wishes, new_import, safe_name, store
from joblogs.states import Trigger

logger = logging.getLogger(__name__)

LOOKS_APART = 5  # seconds
MOST_NAMED = 10  # names in one line

Run = Callable[[ImportExecutionLog], object]


@dataclass
class Scan:
    """How many files a scan took, found known…"""

    taken: int = 0  # made an import of
    known: int = 0  # archived without one, for their content is in the log
    waiting: int = 0  # left in the inbox: not at rest, or without new lines
    archived: int = 0  # moved to archive/
    failed: int = 0  # moved to error/, or could not take this time

    def as_json(self) -> dict[str, int]:
        return asdict(self)


def scan(trigger: Trigger, run: Run | None = None) -> Scan:
    """Scan once. Imports go to the queue, told what triggered them; `run` does them here instead.

    Raises InboxUnusable.
    """
    scanner = Scanner(Folders(), trigger, run)
    claimed, strays = scanner.folders.claimed()
    leave_alone(strays, "processing")
    for file in claimed:
        scanner.attend(file.name, lambda file=file: scanner.go_on(file))
    for name, look in scanner.at_rest().items():
        scanner.attend(name, lambda name=name, look=look: scanner.take(name, look))
    return scanner.counts


class Scanner:
    """One scan: the folders, what becomes of imports, and the counts."""

    def __init__(self, folders: Folders, trigger: Trigger, run: Run | None) -> None:
        self.folders = folders
        self.trigger = trigger
        self.run = run
        self.counts = Scan()

    def attend(self, name: str, deed: Callable[[], None]) -> None:
        """Do it. What the system refuses is told and stops no other file."""
        try:
            deed()
        except FileNotFoundError:
            logger.debug("%s is gone; another scan has it, or its owner.", safe_name(name))
        except FileError as problem:  # it has become too large between two looks
            self.counts.failed += 1
            logger.warning("%s", problem)
        except OSError as problem:
            if problem.errno == errno.EXDEV:
                raise InboxUnusable(
                    f"The folders in {self.folders.inbox.parent} are on different file systems; "
                    "they must be on one (TRADELOG_INBOX_DIR)."
                ) from problem
            self.counts.failed += 1
            logger.warning(
                "%s cannot be moved or stored: %s; the next scan tries again.",
                safe_name(name),
                problem.strerror or problem,
            )

    def at_rest(self) -> dict[str, Look]:
        """The exports in the inbox that are the same in two looks."""
        first, others = self.folders.waiting()
        leave_alone(others, "inbox")
        if not first:
            return {}
        time.sleep(LOOKS_APART)
        second, _ = self.folders.waiting()
        same = {name: look for name, look in second.items() if first.get(name) == look}
        for name in sorted(second.keys() - same.keys()):
            self.wait(name, "is still being written")
        return same

    def wait(self, name: str, why: str) -> None:
        self.counts.waiting += 1
        logger.debug("%s waits: it %s.", safe_name(name), why)

    # --- A file in the inbox

    def take(self, name: str, look: Look) -> None:
        path = self.folders.inbox / name
        if is_named_backup(name) and is_half_a_backup(path, look.changed_at):
            return self.wait(name, "is no whole backup yet")
        source = self.open_growing(path, look)
        if source:
            with source:
                self.take_beginning(name, source)
        else:
            file = self.folders.claim(name)
            if look_at(file.path) == look:
                self.take_in(file)
            else:
                self.folders.put_back(file)
                self.wait(name, "was replaced")
        return None

    def open_growing(self, path: Path, look: Look) -> BinaryIO | None:
        """The file if it is going to get more lines. What cannot be opened is to be claimed."""
        if look.size > settings.TRADELOG_MAX_FILE_MB << 20 or is_named_backup(path.name):
            return None
        try:
            source = open_file(path)
        except PermissionError:
            return None
        if is_growing(source, path.name, look.changed_at):
            return source
        source.close()
        return None

    def take_beginning(self, name: str, source: BinaryIO) -> None:
        """Take in the whole lines of a file that stays, unless they are in an import already.

        What became of that does not matter, or a bad line would come in again with every scan.
        """
        size = end_of_lines(source, size_of(source))
        if not size:
            return self.wait(name, "has no whole line yet")
        (digest,) = hashes_of_beginnings(source, [size])
        log = new_import(name, Wishes())
        same = ImportExecutionLog.objects.filter(file_name=log.file_name, file_hash=digest).first()
        if same:
            self.resume(same)
            return self.wait(name, f"has no whole line that import {same.pk} had not")
        # Of two scans at once the second finds this batch id taken.
        log.import_batch_id = uuid.uuid5(uuid.NAMESPACE_URL, f"{log.file_name}/{digest}")
        log.file_hash, log.file_size = store(Beginning(source, size), log.file_name)
        if queued(log):
            self.counts.taken += 1
            logger.info(
                "%s: import %s of its first %s bytes; it may grow and stays in the inbox.",
                log.file_name,
                log.pk,
                f"{size:,}",
            )
            self.start(log)
            self.counts.failed += log.status == Status.FAILED
        return None

    # --- A file in processing/

    def go_on(self, file: Claimed) -> None:
        """Do what is next for a file that this scan or an earlier one has claimed."""
        log = ImportExecutionLog.objects.filter(import_batch_id=file.batch_id).first()
        if log is None:
            return self.take_in(file)
        with self.folders.putting_back(file):
            self.resume(log)
        return self.settle(file, log)

    def take_in(self, file: Claimed) -> None:
        """Store the bytes and queue their import, unless the log has had them already."""
        log = new_import(file.name, Wishes())
        log.import_batch_id = file.batch_id
        try:
            keep_bytes(file, log)
        except OSError:
            self.folders.put_back(file)
            raise
        same = had_before(log)
        if same:
            return self.archive_known(file, log, same)
        if queued(log):
            self.begin(file, log)
        return None

    def begin(self, file: Claimed, log: ImportExecutionLog) -> None:
        if log.is_active:
            self.counts.taken += 1
            logger.info("%s: import %s.", log.file_name, log.pk)
            with self.folders.putting_back(file):
                self.start(log)
        else:
            logger.warning("%s: import %s failed: %s", log.file_name, log.pk, log.error_summary)
        self.settle(file, log)

    def start(self, log: ImportExecutionLog) -> None:
        if self.run:
            self.run(log)
        else:
            start_import(log, self.trigger)
        log.refresh_from_db()

    def resume(self, log: ImportExecutionLog) -> None:
        """Finish an import whose process died. Where there is a queue, the queue does it."""
        if self.run and log.is_left_behind:
            self.start(log)

    def settle(self, file: Claimed, log: ImportExecutionLog) -> None:
        """Move the file of an import that has ended to where it belongs."""
        if log.is_active or self.is_changed(file, log):
            return
        if log.status in (Status.FAILED, Status.CANCELLED):
            place = move(file, self.folders.error)
            self.counts.failed += 1
        else:
            place = move(file, self.month(log.queued_at))
            self.counts.archived += 1
        self.tell(log, f"import {log.pk} is {log.get_status_display().lower()}", place)

    def archive_known(
        self, file: Claimed, log: ImportExecutionLog, same: ImportExecutionLog
    ) -> None:
        if not self.is_changed(file, log):
            place = move(file, self.month(timezone.now()))
            self.counts.known += 1
            self.tell(log, f"nothing new, import {same.pk} had the same content", place)

    def is_changed(self, file: Claimed, log: ImportExecutionLog) -> bool:
        """Whether somebody wrote into it after it was stored; then it is a new file."""
        if not log.file_hash or has_bytes_of(log, file.path):
            return False
        self.folders.put_back(file)
        self.counts.waiting += 1
        read_by = f"import {log.pk} had" if log.pk else "it was"
        logger.info(
            "%s was written to after %s read; it is back in the inbox.", log.file_name, read_by
        )
        return True

    def month(self, taken_at: datetime) -> Path:
        return self.folders.archive / f"{timezone.localtime(taken_at):%Y-%m}"

    def tell(self, log: ImportExecutionLog, what: str, place: Path) -> None:
        shown = place.relative_to(self.folders.inbox.parent).parent.as_posix()
        logger.info("%s: %s; moved to %s.", log.file_name, what, f"{shown}/{safe_name(place.name)}")


def leave_alone(names: list[str], folder: str) -> None:
    if names:
        more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
        shown = ", ".join(safe_name(name) for name in names[:MOST_NAMED])
        logger.info("Left alone in %s: %s%s.", folder, shown, more)
