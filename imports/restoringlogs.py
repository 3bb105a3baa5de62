"""Bring back the imports of a backup, with what became of their lines: its last part.

The trades are there by then, taken in by the import of the backup. Each import that is brought
back gets its own of them handed over, in the ledger and by the line that they are from, so that it
can be rolled back and retried here as it could be there. One that is known here is left alone.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import groupby
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Max
from django.utils import timezone

from imports.asking import trades_in_ledger
from imports.backupfile import BackupFile
from imports.backuplines import EXECUTIONS, HEADINGS, IMPORT, LINES, MENDED
from imports.claims import renew
from imports.inserting import insert
from imports.logshapes import import_of
from imports.mendedlines import MendedLine
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog, JSONTextField
from imports.rollback import has_fewer
from imports.states import ACTIVE, RowStatus, Status
from trades.models import Account

Part = tuple[int, str, Any]  # the number of the line, its kind, what it says
Progress = Callable[[ImportExecutionLog], None]
UNDONE = {Status.ROLLING_BACK, Status.ROLLED_BACK}
NOTES = HEADINGS.index("notes")
encoded = JSONTextField.encoded
# By trade and line of one import: the trade is from that line, or from none.
LINK = """
UPDATE trades SET import_row_log_id = (
    SELECT line.id FROM import_execution_row_logs line
    WHERE line.import_id = %s AND line.row_number = told.number
) FROM {told} WHERE trades.id = told.trade_id
"""
TOLD = {
    "postgresql": "unnest(%s::bigint[], %s::bigint[]) AS told (trade_id, number)",
    "sqlite": "(SELECT trade.value AS trade_id, line.value AS number FROM json_each(%s) trade "
    "JOIN json_each(%s) line ON line.key = trade.key) AS told",
}


def restore_logs(log: ImportExecutionLog, file: BackupFile, on_progress: Progress) -> None:
    """Bring back the imports from the cursor on; one that was begun is gone on with."""
    done = log.cursor - file.trades - file.remarks
    with closing(file.logs()) as parts:
        for place, group in enumerate(by_import(parts)):
            if place >= done:
                number, _, said = next(group)
                bring_back(log, number, said, group, on_progress)


def by_import(parts: Iterator[Part]) -> Iterator[Iterator[Part]]:
    """Each import, followed by what it had."""
    number = 0

    def number_of(part: Part) -> int:
        nonlocal number
        number += part[1] == IMPORT
        return number

    return (group for _, group in groupby(parts, key=number_of))


def bring_back(
    log: ImportExecutionLog,
    number: int,
    said: dict[str, Any],
    parts: Iterator[Part],
    on_progress: Progress,
) -> None:
    brought = begun(log, said)
    if brought is not None:
        for _, kind, content in parts:
            with transaction.atomic():
                if not stands(brought):
                    break
                is_new = PUT[kind](log, brought, content)
                renew(log, attempt=1 if is_new else log.attempt)
            if is_new:  # else a pause here would come again for ever
                on_progress(log)
    with transaction.atomic():
        if brought is not None and stands(brought):
            finish(brought, said)
        account_for(log, number, said, is_known=brought is None)
    on_progress(log)


def begun(log: ImportExecutionLog, said: dict[str, Any]) -> ImportExecutionLog | None:
    """The import, made here or half brought back before; None if it is known.

    As long as it lacks lines it passes for one that has lost them in the moment of its end.
    """
    known = ImportExecutionLog.objects.filter(import_batch_id=said["import_batch_id"])
    if found := known.first():
        return found if found.status == said["status"] and adopted(log, found) else None
    brought = import_of(said)
    queued_at = brought.queued_at
    brought.restored_by = log
    brought.retry_of = imports_by_id([said["retry_of"]]).get(said["retry_of"])
    users = get_user_model().objects
    brought.created_by = users.filter(username=said["created_by"]).first()
    brought.rolled_back_by = users.filter(username=said["rolled_back_by"]).first()
    if brought.status != Status.ROLLED_BACK:
        brought.trades_created = 0
    brought.rows_deleted_at = brought.completed_at = timezone.now()
    try:
        with transaction.atomic():
            brought.save(force_insert=True)
            ImportExecutionLog.objects.filter(pk=brought.pk).update(queued_at=queued_at)
            renew(log)
    except IntegrityError:  # another restore of the same backup was faster
        return None
    return brought


def adopted(log: ImportExecutionLog, found: ImportExecutionLog) -> bool:
    """Whether it is half brought back, by us or by a restore that has ended since."""
    others = ImportExecutionLog.objects.filter(pk=found.restored_by_id, status__in=ACTIVE)
    with transaction.atomic():
        half = ImportExecutionLog.objects.filter(
            pk=found.pk, rows_deleted_at=F("completed_at"), restored_by__isnull=False
        ).exclude(restored_by__in=others.exclude(pk=log.pk))
        renew(log)
        return half.update(restored_by=log) == 1


def imports_by_id(ids: list[str | None]) -> dict[str, ImportExecutionLog]:
    found = ImportExecutionLog.objects.filter(import_batch_id__in=[one for one in ids if one])
    return {str(one.import_batch_id): one for one in found}


def stands(brought: ImportExecutionLog) -> bool:
    """Whether nobody rolls back or clears what is not even whole; nobody can until we commit."""
    mine = ImportExecutionLog.objects.filter(pk=brought.pk, status=brought.status)
    return mine.select_for_update().exists()


def finish(brought: ImportExecutionLog, said: dict[str, Any]) -> None:
    whole = import_of(said)
    ImportExecutionLog.objects.filter(pk=brought.pk).update(
        rows_deleted_at=whole.rows_deleted_at, completed_at=whole.completed_at
    )


def account_for(log: ImportExecutionLog, number: int, said: dict[str, Any], is_known: bool) -> None:
    cells = [""] * len(HEADINGS)
    cells[NOTES] = f"import {said['import_batch_id']}: {said['file_name']}"
    row = ImportRowLog(import_log=log, row_number=number, raw_row_data=cells)
    row.status = RowStatus.SKIPPED if is_known else RowStatus.SUCCESS
    if is_known:
        row.error_message = f"line {number}: this import is known here"
    row.save()
    renew(
        log,
        total_rows=log.total_rows + 1,
        success_rows=log.success_rows + (not is_known),
        skipped_rows=log.skipped_rows + is_known,
        cursor=log.cursor + 1,
        attempt=1,
    )


# --- What an import had; each says whether it did not do so before the restore was interrupted


def put_lines(log: ImportExecutionLog, brought: ImportExecutionLog, said: list[list]) -> bool:
    """Those behind the last one that is there; trades have other numbers here."""
    last = brought.row_logs.aggregate(last=Max("row_number"))["last"]
    rows = [row for row in said if last is None or row[0] > last]
    ids = account_ids({row[6][0] for row in rows if row[6]})
    keys = {row[0]: (ids.get(row[6][0]), row[6][1]) for row in rows if row[6]}
    trades = trades_in_ledger(key for key in set(keys.values()) if key[0])
    repeated = [trades.get(keys[row[0]]) if row[6] else None for row in rows]
    texts = [
        told_anew(row[3], encoded(row[4]), row[6], trade)
        for row, trade in zip(rows, repeated, strict=True)
    ]
    columns = {
        "import_log_id": brought.pk,
        "row_number": [row[0] for row in rows],
        "status": [row[1] for row in rows],
        "error_category": [row[2] for row in rows],
        "error_message": [message for message, _ in texts],
        "validation_errors": [errors for _, errors in texts],
        "raw_row_data": [encoded(row[5]) for row in rows],
        "duplicate_of_id": repeated,
    }
    insert(ImportRowLog, columns, len(rows))
    return bool(rows)


def told_anew(
    message: str, errors: str, repeats: list | None, trade: int | None
) -> tuple[str, str]:
    """The texts of a line, with the number that the trade they name has here."""
    if not (repeats and trade):
        return message, errors
    there = re.compile(rf"\btrade {repeats[2]}\b")
    return there.sub(f"trade {trade}", message), there.sub(f"trade {trade}", errors)


def put_mended(log: ImportExecutionLog, brought: ImportExecutionLog, said: list[list]) -> bool:
    last = brought.mended_lines.aggregate(last=Max("row_number"))["last"]
    said = [one for one in said if last is None or one[0] > last]
    known = imports_by_id([one[3][0] for one in said if one[3]])
    rows = [
        MendedLine(
            import_log=brought,
            row_number=row,
            line=line,
            refusal=refusal,
            known_row=row_id(known.get(place[0]), place[1]) if place else None,
        )
        for row, line, refusal, place in said
    ]
    MendedLine.objects.bulk_create(rows)
    return bool(rows)


def row_id(log: ImportExecutionLog | None, number: int) -> int | None:
    rows = ImportRowLog.objects.filter(import_log=log, row_number=number)
    return rows.values_list("pk", flat=True).first() if log else None


def hand_over(log: ImportExecutionLog, brought: ImportExecutionLog, said: dict[str, Any]) -> bool:
    """Those executions become the import's that this restore, or the one that it takes up, has
    brought; others stay whose they are.
    """
    lines: dict[str, dict[str, int | None]] = defaultdict(dict)
    for account, name, line in said["of"]:
        lines[account][name] = line
    givers = taken_up_by(log)
    found = [
        (pk, trade, names[name], giver)
        for account, names in lines.items()
        for pk, trade, name, giver in ImportedExecution.objects.filter(
            import_log__in=givers, account__name=account, execution_id__in=names
        ).values_list("pk", "trade_id", "execution_id", "import_log")
    ]
    ImportedExecution.objects.filter(pk__in=[pk for pk, *_ in found]).update(
        import_log=brought, csv_filename=brought.file_name, import_timestamp=said["at"]
    )
    link(brought, {trade: line for _, trade, line, _ in found if trade})
    for giver, number in Counter(giver for _, trade, _, giver in found if trade).items():
        if giver == log.pk:
            renew(log, trades_created=log.trades_created - number)
        else:
            has_fewer(giver, number)
    brought.trades_created += len(found)
    ImportExecutionLog.objects.filter(pk=brought.pk).update(trades_created=brought.trades_created)
    return bool(found)


def taken_up_by(log: ImportExecutionLog) -> list[int]:
    """The restore, and those of the same backup that it retries."""
    chain = [log]
    while (one := chain[-1].retry_of) and one.file_hash == log.file_hash:
        chain.append(one)
    standing = ImportExecutionLog.objects.exclude(status__in=[*UNDONE])
    return [*standing.filter(pk__in=[one.pk for one in chain]).values_list("pk", flat=True)]


def link(brought: ImportExecutionLog, trades: dict[int, int | None]) -> None:
    """Have these trades name the lines that they are from."""
    numbers = [list(trades), list(trades.values())]
    if connection.vendor == "sqlite":
        numbers = [encoded(one) for one in numbers]
    with connection.cursor() as cursor:
        cursor.execute(LINK.format(told=TOLD[connection.vendor]), [brought.pk, *numbers])


def account_ids(names: set[str]) -> dict[str, int]:
    return dict(Account.objects.filter(name__in=names).values_list("name", "pk"))


PUT = {LINES: put_lines, MENDED: put_mended, EXECUTIONS: hand_over}
