"""Keep the bytes of every file, addressed by their content; put an import into the queue."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from audit.models import Deed
from audit.writing import write_down
from imports.models import ImportExecutionLog
from imports.packed import is_backup
from imports.problems import FileError
from imports.states import Status

BLOCK = 1 << 20
LONGEST_NAME = 255


@dataclass(frozen=True)
class Wishes:
    """What the user said about a file beyond its bytes."""

    account: str = ""
    timezone: str = ""
    format: str = ""
    import_type: str = ImportExecutionLog.Type.CSV
    user: AbstractBaseUser | None = None


def receive(source: BinaryIO, file_name: str, wishes: Wishes | None = None) -> ImportExecutionLog:
    """Store a file and queue its import. Nothing is parsed yet."""
    log = stored_import(source, file_name, wishes)
    save_new(log)
    return log


def save_new(log: ImportExecutionLog) -> None:
    with transaction.atomic():
        log.save()
        write_down_new(log)


def write_down_new(log: ImportExecutionLog) -> None:
    """Audit who has brought it. What a worker finds by itself is nobody's."""
    size = f", {log.file_size:,} bytes" if log.file_size else ""
    words = f"{log.get_import_type_display()}{size}"
    write_down(Deed.ADD, log, user=log.created_by, words=words)


def stored_import(
    source: BinaryIO, file_name: str, wishes: Wishes | None = None
) -> ImportExecutionLog:
    """An import, not saved yet, whose bytes are stored.

    A file that cannot be stored is an import too: a failed one, with the reason.
    """
    log = new_import(file_name, wishes or Wishes())
    try:
        keep(log, source)
    except (FileError, OSError) as problem:
        fail(log, problem)
    return log


def keep(log: ImportExecutionLog, source: BinaryIO) -> None:
    """Store the bytes of an import, which a backup is by its first line.

    Raises FileError, or OSError.
    """
    log.file_hash, log.file_size = store(source, log.file_name)
    if is_backup(log.stored_path):
        log.import_type, log.timezone = ImportExecutionLog.Type.BACKUP, "UTC"


def fail(log: ImportExecutionLog, problem: Exception) -> None:
    """End an import, which is not saved yet, whose bytes cannot be had."""
    log.status = Status.FAILED
    log.error_summary = reason(log.file_name, problem)
    log.completed_at = timezone.now()


def new_import(file_name: str, wishes: Wishes) -> ImportExecutionLog:
    """An import that is not saved yet."""
    return ImportExecutionLog(
        import_type=wishes.import_type,
        file_name=safe_name(file_name),
        default_account=wishes.account.strip(),
        timezone=wishes.timezone,
        format=wishes.format,
        created_by=wishes.user,
    )


def reason(file_name: str, problem: Exception) -> str:
    if isinstance(problem, OSError):
        return f"{file_name} could not be read or stored: {problem.strerror or problem}."
    return str(problem)


def safe_name(name: str) -> str:
    """The file's own name without folders and control characters, as it is shown everywhere."""
    bare = "".join(c for c in name.replace("\\", "/").rsplit("/", 1)[-1] if c.isprintable())
    return bare[-LONGEST_NAME:] or "unnamed"


def store(source: BinaryIO, file_name: str) -> tuple[str, int]:
    """Copy the bytes into the folder of files; their SHA-256 and their number.

    They get their final name when they are on the disk in full, so a crash leaves no half file
    under a good name. The same content is kept once. Raises FileError if it is too large.
    """
    settings.FILES_DIR.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=settings.FILES_DIR, prefix="incoming-")
    try:
        with os.fdopen(handle, "wb") as stream:
            digest, size = copy(source, stream, file_name)
            stream.flush()
            os.fsync(stream.fileno())
        final = path_of(digest)
        final.parent.mkdir(exist_ok=True)
        os.replace(draft, final)
    finally:
        Path(draft).unlink(missing_ok=True)
    return digest, size


def path_of(file_hash: str) -> Path:
    """Where the bytes with this hash lie, if they are stored."""
    return settings.FILES_DIR / file_hash[:2] / file_hash


def refuse_too_large(size: int, file_name: str) -> None:
    if size > settings.TRADELOG_MAX_FILE_MB << 20:
        raise FileError(
            f"{file_name} is larger than {settings.TRADELOG_MAX_FILE_MB} MB, the most that is "
            "taken here (TRADELOG_MAX_FILE_MB)."
        )


def copy(source: BinaryIO, target: BinaryIO, file_name: str) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while block := source.read(BLOCK):
        size += len(block)
        refuse_too_large(size, file_name)
        digest.update(block)
        target.write(block)
    return digest.hexdigest(), size
