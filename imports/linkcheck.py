"""What points at rows that are gone: lines, trades and batches carry no constraint of the database.

Each kind is one statement over a range of keys, which names those that are amiss and, to mend them,
another that repeats the condition: what was put right meanwhile is left alone.
"""

from dataclasses import dataclass

from django.db import models, transaction

from imports.models import ImportedExecution, ImportRowLog
from imports.removing import delete_rows
from joblogs.findings import Check, Finding, Step, counted, some_of
from joblogs.ranges import changed_by, end_of_range, rows_of
from trades.models import Trade

AT_ONCE = 50_000  # rows in one statement


@dataclass(frozen=True)
class Link:
    """A column of a table that points at nothing. What only a person can mend has no `deed`."""

    model: type[models.Model]
    column: str
    target: str
    words: str
    deed: str = ""

    @property
    def condition(self) -> str:
        """Of rows of `model` under their own name."""
        table = self.model._meta.db_table
        return (
            f"{table}.id > %s AND {table}.id <= %s AND {table}.{self.column} IS NOT NULL AND NOT "
            f"EXISTS (SELECT 1 FROM {self.target} WHERE {self.target}.id = {table}.{self.column})"
        )

    def look(self, behind: int | None, mend: bool) -> Step:
        first = behind or 0
        last = end_of_range(self.model, first, AT_ONCE)
        if last is None:
            return Step()
        table = self.model._meta.db_table
        statement = f"SELECT id FROM {table} WHERE {self.condition} ORDER BY id"
        found = [pk for (pk,) in rows_of(statement, [first, last])]
        return Step([self.finding(found, first, last, mend)] if found else [], last)

    def finding(self, found: list[int], first: int, last: int, mend: bool) -> Finding:
        noun = self.model._meta.verbose_name
        words = f"{counted(len(found), noun)} ({some_of(found)}) {self.words}"
        if not self.deed:
            return Finding(words, "restore it from a backup of the database")
        if not mend:
            return Finding(words, f"--fix {self.deed}")
        table = self.model._meta.db_table
        update = f"UPDATE {table} SET {self.column} = NULL WHERE {self.condition}"
        number = changed_by(update, [first, last])
        return Finding(words, f"{counted(number, noun)} unlinked", is_mended=True)


ROWS, IMPORTS, UNLINKS = "import_execution_row_logs", "import_execution_logs", "unlinks them"
LINKS = [
    Link(Trade, "import_row_log_id", ROWS, "name a line that is gone", UNLINKS),
    Link(Trade, "batch_id", "batches", "name a batch that is gone", UNLINKS),
    Link(Trade, "account_id", "accounts", "are of an account that is gone"),
    Link(Trade, "instrument_id", "instruments", "are of an instrument that is gone"),
    Link(ImportRowLog, "duplicate_of_id", "trades", "repeat a trade that is gone", UNLINKS),
    Link(ImportedExecution, "import_id", IMPORTS, "name an import that is gone", UNLINKS),
    Link(ImportedExecution, "account_id", "accounts", "are of an account that is gone"),
    Link(ImportedExecution, "instrument_id", "instruments", "are of an instrument that is gone"),
]

# Each import that row logs name, by one look into the index for each.
NAMED = """
WITH RECURSIVE named (id) AS (
    SELECT MIN(import_id) FROM import_execution_row_logs
    UNION ALL
    SELECT (SELECT MIN(import_id) FROM import_execution_row_logs WHERE import_id > named.id)
    FROM named WHERE named.id IS NOT NULL
)
SELECT id FROM named WHERE id IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM import_execution_logs log WHERE log.id = named.id) ORDER BY id
"""


def rows_of_no_import(behind: None, mend: bool) -> Step:
    found = [pk for (pk,) in rows_of(NAMED)]
    if not found:
        return Step()
    words = f"row logs are left of {counted(len(found), 'import')} ({some_of(found)}) that are gone"
    if not mend:
        return Step([Finding(words, "--fix deletes them; their trades stay")])
    deleted = sum(map(delete_all_rows, found))
    return Step([Finding(words, f"{counted(deleted, 'row log')} deleted", is_mended=True)])


def delete_all_rows(import_id: int) -> int:
    """Delete the row logs of an import that is gone; how many there were."""
    total, number, last = 0, 1, -1
    while number:
        with transaction.atomic():
            number, last = delete_rows(import_id, last)
        total += number
    return total


CHECKS = [
    Check("row logs of no import", rows_of_no_import),
    *(Check(f"{one.model._meta.verbose_name}: {one.column}", one.look) for one in LINKS),
]
