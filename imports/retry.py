"""Take a failed or partial import in again, from the stored bytes, as a new import."""

from django.contrib.auth.models import AbstractBaseUser

from imports.models import ImportExecutionLog
from imports.states import StateConflict


class FileMissing(StateConflict):
    """The stored bytes of the import are gone."""


def retry(log: ImportExecutionLog, user: AbstractBaseUser | None = None) -> ImportExecutionLog:
    """A new, queued import of the same file; the lines that are known will be skipped.

    Raises StateConflict unless the import is failed or partial, FileMissing without its bytes.
    """
    require_retryable(log)
    if not log.file_hash or not log.stored_path.exists():
        raise FileMissing(f"The bytes of {log.file_name} are not stored here; upload it again.")
    new = successor(log, user, file_hash=log.file_hash, file_size=log.file_size)
    new.save()
    return new


def require_retryable(log: ImportExecutionLog) -> None:
    log.require(
        log.can_be_retried,
        "only a failed or partial import can be retried, or one whose known trades are gone",
    )


def successor(
    log: ImportExecutionLog, user: AbstractBaseUser | None, **values: object
) -> ImportExecutionLog:
    """An import that takes up another's lines, to be read as they were; it is not saved yet."""
    usual = {
        "import_type": log.import_type,
        "file_name": log.file_name,
        "default_account": log.default_account,
        "timezone": log.timezone,
        "format": log.format,
        # What stands in the log already must be read again as it was.
        "dialect": log.dialect if log.trades_created or log.retry_of_id else {},
        "retry_of": log,
        "created_by": user,
    }
    return ImportExecutionLog(**usual | values)
