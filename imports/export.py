"""Downloads of an import: all of it as JSON or as text, its failed lines as CSV to be corrected.

The row logs are asked for slice by slice, by key, and nothing is held between two slices: neither
memory nor a transaction grows with the import.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath

from django.http import StreamingHttpResponse

from imports.columns import read_number
from imports.days import DayStatus, read_days, with_status
from imports.kin import Kin
from imports.models import ImportExecutionLog, ImportRowLog
from imports.states import RowStatus
from trades.models import Trade
from web.downloads import streamed
from web.formulas import FORMULA

SLICE = 500  # rows; a row may be 64 KB
ERROR = "error"  # heading of the column behind those of the file

UNHEADED = "column {}"


@dataclass(frozen=True)
class Download:
    content_type: str
    ending: str
    write: Callable[[ImportExecutionLog], Iterator[str]]


def download_of(log: ImportExecutionLog, form: str) -> StreamingHttpResponse:
    """An import as an attachment; `form` is one of DOWNLOADS."""
    chosen = DOWNLOADS[form]
    name = f"{PurePath(log.file_name).stem or 'import'}-{log.pk}{chosen.ending}"
    return streamed(chosen.write(log), name, chosen.content_type)


def slices(log: ImportExecutionLog, status: str = "") -> Iterator[list[ImportRowLog]]:
    """The row logs in the order of the file, of one status or of all."""
    rows = ImportRowLog.objects.filter(import_log=log).order_by("row_number")
    rows = rows.filter(status=status) if status else rows
    last = -1
    while found := list(rows.filter(row_number__gt=last)[:SLICE]):
        yield found
        last = found[-1].row_number


def trade_ids_of(rows: list[ImportRowLog]) -> dict[int, int]:
    """The trades that these lines made and that still exist, by the number of the row log."""
    made = [row.pk for row in rows if row.status == RowStatus.SUCCESS]
    trades = Trade.objects.filter(import_row_log__in=made).order_by()
    return dict(trades.values_list("import_row_log_id", "pk"))


# --- JSON


def as_json(log: ImportExecutionLog) -> Iterator[str]:
    deleted = f'"rows_deleted_at": "{rows_deleted_at(log)}", ' if log.rows_deleted_at else ""
    yield f'{{"import_summary": {dumped(import_as_json(log))}, {deleted}"row_logs": ['
    separator = "\n"
    for rows in slices(log):
        trade_ids = trade_ids_of(rows)
        texts = [dumped(row_as_json(log.header, row, trade_ids.get(row.pk))) for row in rows]
        yield separator + ",\n".join(texts)
        separator = ",\n"
    yield "\n]}\n"


def dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def import_as_json(log: ImportExecutionLog) -> dict[str, object]:
    return {
        "id": log.pk,
        "import_batch_id": str(log.import_batch_id),
        "import_type": log.import_type,
        "file_name": log.file_name,
        "import_time": moment(log.queued_at),
        "status": log.status,
        "total_rows": log.total_rows,
        "success_rows": log.success_rows,
        "failed_rows": log.failed_rows,
        "skipped_rows": log.skipped_rows,
        "processing_time_ms": log.processing_time_ms,
        "affected_accounts": log.affected_accounts,
        "error_summary": log.error_summary,
        "retry_of": log.retry_of_id,
    }


def days_as_json(log: ImportExecutionLog) -> dict[str, object] | None:
    """What became of each day of a date range; None for all other imports."""
    days = read_days(log.days)
    if not days:
        return None
    done, waiting = (
        [day.date for day in with_status(days, status)]
        for status in (DayStatus.DONE, DayStatus.WAITING)
    )
    failed = with_status(days, DayStatus.FAILED)
    return {
        "start_date": days[0].date,
        "end_date": days[-1].date,
        "days_done": done,
        "days_failed": [{"date": day.date, "error": day.error} for day in failed],
        "days_waiting": waiting,
    }


def row_as_json(header: list[str], row: ImportRowLog, trade_id: int | None) -> dict[str, object]:
    """A row log; `trade_id` is the trade that it made, if that still exists."""
    return {
        "id": row.pk,
        "row_number": row.row_number,
        "status": row.status,
        "created_trade_id": trade_id,
        "error_message": row.error_message,
        "error_category": row.error_category,
        "validation_errors": row.validation_errors,
        "raw_row_data": cells_as_object(header, row.raw_row_data),
    }


def cells_as_object(header: list[str], cells: list[str]) -> dict[str, str]:
    """The cells by their headings. One without a heading of its own is "column 15".

    Empty cells at the end that have no heading are left out.
    """
    named: dict[str, str] = {}
    for place, cell in enumerate(cells):
        name = header[place] if place < len(header) else ""
        if not name or name in named:
            if not cell:
                continue
            name = UNHEADED.format(place + 1)
        named[name] = cell
    return named


def rows_deleted_at(log: ImportExecutionLog) -> str | None:
    """Since when it has no row logs any more; None if it has."""
    return moment(log.rows_deleted_at) if log.rows_deleted_at else None


def moment(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


# --- Text


def as_text(log: ImportExecutionLog) -> Iterator[str]:
    yield f"{head_of_text(log)}\n"
    for rows in slices(log):
        trade_ids = trade_ids_of(rows)
        yield "".join(row_as_text(log.header, row, trade_ids.get(row.pk)) for row in rows)


def head_of_text(log: ImportExecutionLog) -> str:
    facts = {
        "Batch ID": log.import_batch_id,
        "File": log.file_name,
        "Time": moment(log.queued_at),
        "Status": log.get_status_display(),
        "": "",
        "Total Rows": log.total_rows,
        "Success": log.success_rows,
        "Failed": log.failed_rows,
        "Skipped": log.skipped_rows,
        "Processing Time": log.duration_in_words or "not known",
        "Accounts": ", ".join(log.affected_accounts) or "none",
        "Summary": log.error_summary or "none",
    }
    if log.rows_deleted_at:
        facts["Lines"] = f"deleted at {rows_deleted_at(log)}"
    return "".join(
        f"{name}: {in_one_line(value)}\n" if name else "\n" for name, value in facts.items()
    )


def row_as_text(header: list[str], row: ImportRowLog, trade_id: int | None) -> str:
    start = f"Row {row.row_number}: {row.status.upper()} - "
    message = in_one_line(row.error_message)
    if row.status == RowStatus.SUCCESS:
        made = f"Created trade #{trade_id}" if trade_id else "Created a trade that is gone now"
        return f"{start}{made}{f' ({message})' if message else ''}\n"
    if row.status == RowStatus.SKIPPED:
        return f"{start}{message}\n"
    errors = [in_one_line(sentence(one)) for one in row.validation_errors]
    raw = in_one_line(dumped(cells_as_object(header, row.raw_row_data)))
    lines = [f"{start}{message}", *(f"  Error: {one}" for one in errors), f"  Raw Data: {raw}"]
    return "".join(f"{line}\n" for line in lines)


def sentence(error: dict[str, str]) -> str:
    """A problem of a line: "Quantity: 'abc' is not a number (invalid_quantity)"."""
    place = f"{error['field']}: " if error["field"] else ""
    return f"{place}{error['error']} ({error['code']})"


def in_one_line(value: object) -> str:
    """Nothing in a cell may pass for a line of ours, nor turn the direction of reading."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


# --- CSV of the failed lines


def failed_as_csv(log: ImportExecutionLog) -> Iterator[str]:
    """What is left to be corrected: lines that were corrected since are not.

    With the byte order mark by which spreadsheets know UTF-8.
    """
    delimiter = log.dialect.get("delimiter", ",")
    kin = Kin(log)
    yield "\ufeff" + as_csv([[*map(neutral, log.header), ERROR]], delimiter)
    for rows in slices(log, RowStatus.FAILED):
        mended = kin.mendings([row.row_number for row in rows])
        left = [row for row in rows if row.row_number not in mended]
        yield as_csv([with_error(log.header, row) for row in left], delimiter)


def with_error(header: list[str], row: ImportRowLog) -> list[str]:
    cells = [neutral(cell) for cell in row.raw_row_data]
    missing = [""] * (len(header) - len(cells))
    return [*cells, *missing, neutral(row.error_message)]


def as_csv(rows: list[list[str]], delimiter: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()


def neutral(cell: str) -> str:
    """A cell that no spreadsheet will run: with an apostrophe in front, unless it is a number."""
    return f"'{cell}" if FORMULA(cell) and not is_number(cell) else cell


def original(cell: str) -> str:
    """What a cell was before it was made neutral."""
    return cell[1:] if cell.startswith("'") and FORMULA(cell[1:]) else cell


def is_number(cell: str) -> bool:
    """Whether it is a number in any spelling that is understood here: -2.50, -$1, - 2,50 €."""
    for decimal in ".,":
        try:
            read_number(cell, decimal)
        except ValueError:
            continue
        return True
    return False


DOWNLOADS = {
    "json": Download("application/json", ".json", as_json),
    "text": Download("text/plain; charset=utf-8", ".txt", as_text),
    "csv": Download("text/csv; charset=utf-8", "-failed-lines.csv", failed_as_csv),
}
