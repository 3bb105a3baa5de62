"""One failed line, corrected in place: read as its file was, and imported alone."""

import csv
import io
import threading
from pathlib import PurePath

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Exists, OuterRef

from audit.models import Deed
from audit.writing import write_down
from imports.formats import all_formats
from imports.identify import Layout
from imports.kin import Kin, locked
from imports.lines import Line, LineReader
from imports.models import ImportExecutionLog, ImportRowLog
from imports.occurrences import sharing, twins_of
from imports.places import zones_for
from imports.records import Record
from imports.retry import successor
from imports.running import remembered_dialect, run_import
from imports.states import RETRYABLE, RowStatus, StateConflict, Status
from imports.storing import safe_name, store

MOST_CELLS = 200
FOLLOWED = 10_000  # failed lines of an import; of more, not each is followed through its retries
# What an import asks of Python as a whole while it runs, two threads must not ask at once.
ONE_AT_A_TIME = threading.Lock()


def reader_for(log: ImportExecutionLog) -> LineReader:
    """Reads lines as those of this import were read."""
    zones = log.dialect.get("zones") or zones_for(log.timezone)
    return LineReader(
        Layout(all_formats()[log.format], log.dialect["delimiter"], log.header, 1),
        remembered_dialect(log),
        default_account=log.default_account,
        zone_of=lambda account: zones.get(account) or zones[""],
    )


def as_lines(rows: list[list[str]], delimiter: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(errors="replace")


def tried(kin: Kin) -> dict[int, ImportExecutionLog]:
    """By line, the last import that brought it alone, whatever came of it."""
    return {one.mends_line: one for one in kin.children[kin.log.pk]}


def corrections(kin: Kin, lines: list[int]) -> dict[int, ImportExecutionLog]:
    """By line, the import that brought it corrected, or is about to."""
    return {line: mending.log for line, mending in kin.mendings(lines).items()}


def count_corrected(kin: Kin) -> int:
    """How many failed lines were corrected since.

    Of very many, those are counted that came in a retry of this very import.
    """
    log = kin.log
    if not log.failed_rows or len(kin.members) == 1:
        return 0
    if log.failed_rows > FOLLOWED:
        return sum(map(count_brought, kin.children[log.pk]))
    rows = log.row_logs.filter(status=RowStatus.FAILED).values_list("row_number", flat=True)
    return sum(not one.log.is_active for one in kin.mendings(list(rows)).values())


def count_brought(retry: ImportExecutionLog) -> int:
    """How many lines a retry brings corrected and has taken in."""
    if retry.is_active or retry.status == Status.ROLLED_BACK:
        return 0
    good = ImportRowLog.objects.filter(
        import_log=retry.pk,
        row_number=OuterRef("row_number"),
        status__in=[RowStatus.SUCCESS, RowStatus.SKIPPED],
    )
    brought = retry.mended_lines.filter(Exists(good), refusal="").count()
    alone = retry.mends_line is not None and retry.status == Status.SUCCESS
    return brought + alone


def why_not(log: ImportExecutionLog, row: ImportRowLog) -> str:
    """Why a line cannot be corrected in place now; '' if it can."""
    if reason := why_never(log, row):
        return reason
    standing = corrections(Kin(log), [row.row_number]).get(row.row_number)
    if standing is None:
        return ""
    state = "is being corrected" if standing.is_active else "was corrected already,"
    return f"Line {row.row_number} {state} by import {standing.pk}."


def why_never(log: ImportExecutionLog, row: ImportRowLog) -> str:
    """Why such a line of such an import cannot be corrected in place; '' if it can."""
    if row.status != RowStatus.FAILED:
        return f"Line {row.row_number} has not failed."
    if log.mends_line is not None:
        return f"{log.file_name} is a correction itself; correct the line where it came from."
    if log.status not in RETRYABLE:
        state = log.get_status_display().lower()
        return f"{log.file_name} is {state}; lines of a failed or partial import can be corrected."
    if not log.dialect or log.format not in all_formats():
        return f"{log.file_name} was read in a way that is not known any more."
    if any(error["code"] == "other_header" for error in row.validation_errors):
        return f"Line {row.row_number} belongs to another header: import it as a file of its own."
    if max(len(log.header), len(row.raw_row_data)) > MOST_CELLS:
        return f"Line {row.row_number} is too wide to be corrected here: download the failed lines."
    return ""


def read_corrected(log: ImportExecutionLog, row: ImportRowLog, cells: list[str]) -> Line:
    """The line as it would be read with these cells: an execution, or all that is wrong with it."""
    return reader_for(log).read(Record(row.row_number, cells))


def correct(row: ImportRowLog, line: Line, user: AbstractBaseUser) -> ImportExecutionLog:
    """Import a line that can be read now, alone; the import tells what came of it.

    Raises StateConflict if it was corrected meanwhile.
    """
    with transaction.atomic():
        log = locked(row.import_log)
        if reason := why_not(log, row):
            raise StateConflict(reason)
        Kin(log).require_no_mending()
        new = queue_alone(log, line, user)
        words = f"line {line.number}, corrected, by import {new.pk}"
        write_down(Deed.RETRY, log, user=user, count=1, words=words)
    with ONE_AT_A_TIME:
        return run_import(new.pk) or new


def queue_alone(log: ImportExecutionLog, line: Line, user: AbstractBaseUser) -> ImportExecutionLog:
    """An import of the header and the line, which begins behind the twins of the line."""
    twins = twins_of(sharing(log, line.number), line.execution)
    rows = [log.header, *[line.cells] * (twins + 1)]
    name = PurePath(log.file_name)
    name = safe_name(f"{name.stem[-200:]}-line-{line.number}{name.suffix}")
    content = io.BytesIO(as_lines(rows, log.dialect["delimiter"]))
    file_hash, size = store(content, name)
    new = successor(
        log,
        user,
        file_name=name,
        file_hash=file_hash,
        file_size=size,
        dialect=log.dialect,
        mends_line=line.number,
        cursor=twins,
    )
    new.save()
    return new
