"""Remove an import that has ended, with its row logs, in slices. Its trades and the ledger stay."""

from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.states import ACTIVE
from web.manyids import change

SLICE = 5_000  # row logs in one transaction


def clear(pk: int, goes_on: Callable[[], bool]) -> bool:
    """Clear one import; whether it is gone. One that is at work again is left alone."""
    last = -1
    while goes_on():
        with transaction.atomic():
            ended = ImportExecutionLog.objects.exclude(status__in=ACTIVE)
            log = ended.select_for_update().filter(pk=pk).first()
            if log is None:
                return False
            number, last = clear_rows(log, last)
            if not number:
                ImportedExecution.objects.filter(import_log=log).update(import_log=None)
                log.delete()
                return True
    return False


def clear_rows(log: ImportExecutionLog, behind: int = -1) -> tuple[int, int]:
    """Delete the next row logs of an import, which remembers that; as `delete_rows`."""
    first = ImportExecutionLog.objects.filter(pk=log.pk, rows_deleted_at=None)
    first.update(rows_deleted_at=timezone.now())
    return delete_rows(log.pk, behind)


def delete_rows(import_id: int, behind: int = -1) -> tuple[int, int]:
    """Delete the next row logs behind a line of an import, which may be gone.

    How many there were, and the last line: by key, as PostgreSQL would pass over all that the
    lots before have deleted.
    """
    rows = ImportRowLog.objects.filter(import_log=import_id, row_number__gt=behind)
    found = list(rows.order_by("row_number").values_list("pk", "row_number")[:SLICE])
    ids = [pk for pk, _ in found]
    change("UPDATE trades SET import_row_log_id = NULL WHERE import_row_log_id", ids)
    change("DELETE FROM import_execution_row_logs WHERE id", ids)
    return len(ids), found[-1][1] if found else behind
