"""The last lines of a backup: imports, each followed by what became of its lines.

    {"import": {…}}                               its fields, and who made it
    {"lines": [[line, status, …], …]}             row logs
    {"mended": [[row, line, refusal, known], …]}  of a retry: which lines it brings
    {"executions": {"at": …, "of": [[account, execution, line], …]}}  of its ledger rows

Row logs and trades have no numbers that another database would know: a line that repeats a trade
names its account and execution. Imports that have not ended are left out.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from imports.backuplines import EXECUTIONS, IMPORT, LINES, MENDED
from imports.mendedlines import MendedLine
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.states import ACTIVE

AS_THEY_ARE = (
    "import_type",
    "file_name",
    "file_hash",
    "file_size",
    "line_count",
    "default_account",
    "timezone",
    "format",
    "dialect",
    "header",
    "status",
    "total_rows",
    "success_rows",
    "failed_rows",
    "skipped_rows",
    "trades_created",
    "positions_changed",
    "affected_accounts",
    "error_summary",
    "cursor",
    "days",
    "mends_line",
    "queued_at",
    "started_at",
    "completed_at",
    "processing_time_ms",
    "rolled_back_at",
    "rows_deleted_at",
    "failures_known_at",
)
OF_OTHERS = {
    "import_batch_id": "import_batch_id",
    "retry_of": "retry_of__import_batch_id",
    "created_by": "created_by__username",
    "rolled_back_by": "rolled_back_by__username",
}
OF_IMPORTS = OF_OTHERS | {name: name for name in AS_THEY_ARE}

SLICE = 2_000  # rows of the database
MOST = 1_000  # rows in a line
HEAVIEST = 250_000  # characters in a line, each of which may take twelve bytes
TOO_LONG = "The cells of this line were too long for a backup."


def ended() -> QuerySet[ImportExecutionLog]:
    """The imports that a backup has, in the order in which they came."""
    return ImportExecutionLog.objects.exclude(status__in=ACTIVE).order_by("queued_at", "pk")


def logs() -> Iterator[tuple[str, Any]]:
    """The kind and the content of each line."""
    for pk, *values in ended().values_list("pk", *OF_IMPORTS.values()).iterator(SLICE):
        yield IMPORT, dict(zip(OF_IMPORTS, values, strict=True))
        yield from ((LINES, some) for some in lots(map(as_list, lines_of(pk)), length_of_line))
        yield from ((MENDED, some) for some in lots(mended_by(pk)))
        for at, rows in groupby(executions_of(pk), key=itemgetter(0)):
            for some in lots([account, name, line] for _, account, name, line in rows):
                yield EXECUTIONS, {"at": at, "of": some}


def lots(
    rows: Iterable[list[Any]], length: Callable[[list[Any]], int] = lambda row: 0
) -> Iterator[list[list[Any]]]:
    """So many rows together as fit into one line."""
    some, total = [], 0
    for row in rows:
        size = length(row)
        if some and (len(some) == MOST or total + size > HEAVIEST):
            yield some
            some, total = [], 0
        some.append(row)
        total += size
    if some:
        yield some


def lines_of(pk: int) -> Iterator[tuple]:
    """The row logs of an import; the last three say which trade a line repeats."""
    rows = ImportRowLog.objects.filter(import_log=pk).order_by("row_number")
    return rows.values_list(
        "row_number",
        "status",
        "error_category",
        "error_message",
        "validation_errors",
        "raw_row_data",
        "duplicate_of__account__name",
        "duplicate_of__execution_id",
        "duplicate_of",
    ).iterator(SLICE)


def as_list(row: tuple) -> list[Any]:
    *told, cells, account, execution_id, number = row
    if sum(map(len, cells)) > HEAVIEST:
        cells = [TOO_LONG]
    return [*told, cells, [account, execution_id, number] if account else None]


def length_of_line(row: list[Any]) -> int:
    _, _, _, message, errors, cells, _ = row
    return 2 * len(message) + 100 * len(errors) + sum(map(len, cells), 4 * len(cells))


def mended_by(pk: int) -> Iterator[list[Any]]:
    """Which lines a retry brings; of the row log that one names, the import and the line."""
    known = ImportRowLog.objects.filter(pk=OuterRef("known_row"))
    rows = (
        MendedLine.objects.filter(import_log=pk)
        .order_by("row_number")
        .values_list(
            "row_number",
            "line",
            "refusal",
            Subquery(known.values("import_log__import_batch_id")[:1]),
            Subquery(known.values("row_number")[:1]),
        )
    )
    for *brought, known_import, known_line in rows.iterator(SLICE):
        yield [*brought, [known_import, known_line] if known_import else None]


def executions_of(pk: int) -> Iterator[tuple]:
    """What an import has in the ledger: when, which execution, and the line of its trade."""
    rows = (
        ImportedExecution.objects.filter(import_log=pk)
        .order_by("import_timestamp", "account__name", "execution_id")
        .values_list(
            "import_timestamp",
            "account__name",
            "execution_id",
            "trade__import_row_log__row_number",
            "trade__import_row_log__import_log",
        )
    )
    for at, account, execution_id, line, of in rows.iterator(SLICE):
        yield at, account, execution_id, line if of == pk else None
