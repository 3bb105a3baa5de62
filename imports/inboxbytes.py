"""The bytes of a file from the inbox: into the store, and has the log had them before?"""

import hashlib
from pathlib import Path

from django.db import IntegrityError

from imports.growing import size_of
from imports.inboxfolders import Claimed, open_file
from imports.models import ImportExecutionLog
from imports.problems import FileError
from imports.states import Status
from imports.storing import fail, keep, refuse_too_large, save_new


def keep_bytes(file: Claimed, log: ImportExecutionLog) -> None:
    """Store the bytes. If that can never be, the import is failed; OSError if it may be later."""
    try:
        source = open_file(file.path)
    except PermissionError as problem:
        return fail(log, problem)
    with source:
        try:
            refuse_too_large(size_of(source), log.file_name)
            source.seek(0)
            keep(log, source)
        except FileError as problem:
            fail(log, problem)
    return None


def had_before(log: ImportExecutionLog) -> ImportExecutionLog | None:
    """The newest import of the same content with which nothing is left to do.

    One that had no lines yet proves nothing, nor does one that misses trades.
    """
    same = ImportExecutionLog.objects.filter(
        file_hash=log.file_hash,
        status__in=[Status.SUCCESS, Status.PARTIAL],
        total_rows__gt=0,
        default_account="",
        timezone=log.timezone,  # of a backup UTC, else none
    ).exclude(import_batch_id=log.import_batch_id)
    return next((one for one in same if not one.misses_trades()), None)


def queued(log: ImportExecutionLog) -> bool:
    """Commit the import; False if another scan was faster, for the batch id is unique."""
    try:
        save_new(log)
    except IntegrityError:
        return False
    return True


def has_bytes_of(log: ImportExecutionLog, path: Path) -> bool:
    """Whether the file is as it was stored, as far as we may look."""
    try:
        source = open_file(path)
    except PermissionError:
        return True
    with source:
        if size_of(source) != log.file_size:
            return False
        source.seek(0)
        return hashlib.file_digest(source, "sha256").hexdigest() == log.file_hash
