"""Take a failed or partial import in again, from the stored bytes, as a new import.

Of a date range, those days are asked for again that could not be had.
"""

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet

from audit.models import Deed
from audit.writing import write_down
from imports.days import DayStatus, as_json, read_days, waiting_again, with_status
from imports.kin import Kin, Mending, have_same_bytes, locked
from imports.mendedlines import MendedLine
from imports.models import ImportExecutionLog
from imports.states import RowStatus, StateConflict

SLICE = 500  # lines


class FileMissing(StateConflict):
    """The stored bytes of the import are gone."""


def retry(log: ImportExecutionLog, user: AbstractBaseUser | None = None) -> ImportExecutionLog:
    """A new, queued import of the same file; the lines that are known will be skipped.

    Raises StateConflict unless the import is failed or partial, BeingRetried while another retry
    has not ended, FileMissing without its bytes.
    """
    with transaction.atomic():
        log = locked(log)
        require_retryable(log)
        kin = Kin(log)
        kin.require_no_retry()
        new = of_stored(log, user)
        new.save()
        if have_same_bytes(log, new):
            refuse_lines_mended(kin, new)
        write_down_retry(log, user, f"by import {new.pk}")
    return new


def write_down_retry(log: ImportExecutionLog, user: AbstractBaseUser | None, words: str) -> None:
    """To be called in its transaction."""
    write_down(Deed.RETRY, log, user=user, count=log.failed_rows, words=f"failed lines, {words}")


def of_stored(log: ImportExecutionLog, user: AbstractBaseUser | None) -> ImportExecutionLog:
    """The same, not saved yet."""
    is_stored = bool(log.file_hash) and log.stored_path.exists()
    if log.days and (days_missing(log) or not is_stored):
        return successor(log, user, days=as_json(waiting_again(read_days(log.days))))
    if not is_stored:
        raise FileMissing(f"The bytes of {log.file_name} are not stored here; upload it again.")
    return successor(log, user, file_hash=log.file_hash, file_size=log.file_size, days=log.days)


def refuse_lines_mended(kin: Kin, new: ImportExecutionLog) -> None:
    """Those lines that were corrected since must not be taken in as they came first."""
    if len(kin.members) == 1:
        return
    failed = kin.log.row_logs.filter(status=RowStatus.FAILED)
    refused = kin.log.mended_lines.exclude(refusal="").exclude(known_row=None)
    for rows in (failed, refused):
        last = -1
        while lines := row_numbers(rows, last):
            mended = {line: Brought(line, one) for line, one in kin.mendings(lines).items()}
            keep_brought(kin, new, mended)
            last = lines[-1]


def row_numbers(rows: QuerySet, last: int) -> list[int]:
    """The next ones."""
    behind = rows.filter(row_number__gt=last).order_by("row_number")
    return list(behind.values_list("row_number", flat=True)[:SLICE])


@dataclass(frozen=True)
class Brought:
    """A line of a retried import that a retry brings, or must not bring."""

    line: int
    mended: Mending | None = None
    is_repeated: bool = False

    @property
    def is_refused(self) -> bool:
        return self.is_repeated or self.mended is not None


def keep_brought(kin: Kin, new: ImportExecutionLog, brought: dict[int, Brought]) -> None:
    """Remember, by the row of the new import, which lines it brings."""
    lines = (
        MendedLine(
            import_log=new,
            row_number=row,
            line=one.line,
            refusal=refusal(kin.log, one),
            known_row=one.mended.row_id if one.mended else None,
        )
        for row, one in brought.items()
    )
    MendedLine.objects.bulk_create(lines, batch_size=SLICE)


def refusal(log: ImportExecutionLog, brought: Brought) -> str:
    """Why a line that comes again is not taken in; '' if it is."""
    line = f"line {brought.line} of {log.file_name}"
    if brought.mended:
        return f"{line} was corrected already by import {brought.mended.log.pk}"
    return f"{line} stands in this file already, further up" if brought.is_repeated else ""


def days_missing(log: ImportExecutionLog) -> int:
    """How many days of a date range a retry has to ask for again."""
    days = read_days(log.days)
    return len(days) - len(with_status(days, DayStatus.DONE))


def require_retryable(log: ImportExecutionLog) -> None:
    if log.rows_deleted_at:
        raise StateConflict(
            f"The lines of {log.file_name} were deleted on {log.rows_deleted_at:%Y-%m-%d}, so a "
            "retry could not tell which were mended; import its file again: what is known is "
            "skipped."
        )
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
        "dialect": log.dialect if log.success_rows or log.retry_of_id else {},
        "retry_of": log,
        "created_by": user,
    }
    return ImportExecutionLog(**usual | values)
