"""Take a failed or partial import in again, from the stored bytes, as a new import.

Of a date range, those days are asked for again that could not be had.
"""

from django.contrib.auth.models import AbstractBaseUser

from imports.days import DayStatus, as_json, read_days, waiting_again, with_status
from imports.models import ImportExecutionLog
from imports.states import StateConflict


class FileMissing(StateConflict):
    """The stored bytes of the import are gone."""


def retry(log: ImportExecutionLog, user: AbstractBaseUser | None = None) -> ImportExecutionLog:
    """A new, queued import of the same file; the lines that are known will be skipped.

    Raises StateConflict unless the import is failed or partial, FileMissing without its bytes.
    """
    require_retryable(log)
    is_stored = bool(log.file_hash) and log.stored_path.exists()
    if log.days and (days_missing(log) or not is_stored):
        new = successor(log, user, days=as_json(waiting_again(read_days(log.days))))
        new.save()
        return new
    if not is_stored:
        raise FileMissing(f"The bytes of {log.file_name} are not stored here; upload it again.")
    new = successor(log, user, file_hash=log.file_hash, file_size=log.file_size, days=log.days)
    new.save()
    return new


def days_missing(log: ImportExecutionLog) -> int:
    """How many days of a date range a retry has to ask for again."""
    days = read_days(log.days)
    return len(days) - len(with_status(days, DayStatus.DONE))


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
