"""The retries that came of one import, and what became in them of each of its lines.

A line is the same in all of them, whatever its number: in a retry of the same bytes, in a
correction of one line, in a corrected file. It must not become two trades.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.db.models import Q

from imports.mendedlines import MendedLine
from imports.models import ImportExecutionLog
from imports.states import RowStatus, StateConflict, Status

# Up to the first import, then down to all that came of it.
FAMILY = """
WITH RECURSIVE up(id, retry_of_id) AS (
    SELECT id, retry_of_id FROM import_execution_logs WHERE id = %s
    UNION SELECT log.id, log.retry_of_id FROM import_execution_logs log
    JOIN up ON log.id = up.retry_of_id
), down(id) AS (
    SELECT id FROM up WHERE retry_of_id IS NULL
    UNION SELECT log.id FROM import_execution_logs log JOIN down ON log.retry_of_id = down.id
)
SELECT * FROM import_execution_logs WHERE id IN (SELECT id FROM down) ORDER BY id
"""

ASKED = dict[int, set[int]]  # by a line of some import, the lines that were asked for


class BeingRetried(StateConflict):
    """A retry of the import has not ended yet."""


@dataclass(frozen=True)
class Mending:
    """The import that has taken a line in, or is about to; then there is no row log yet."""

    log: ImportExecutionLog
    row_id: int | None


def first_of(log: ImportExecutionLog) -> ImportExecutionLog:
    while log.retry_of_id:
        log = log.retry_of
    return log


def locked(log: ImportExecutionLog) -> ImportExecutionLog:
    """The import as it is now. Until the transaction ends nobody else mends or retries it."""
    ImportExecutionLog.objects.select_for_update().get(pk=first_of(log).pk)
    return ImportExecutionLog.objects.select_for_update().get(pk=log.pk)


class Kin:
    """An import, with all retries and corrections that came of the same first one."""

    def __init__(self, log: ImportExecutionLog) -> None:
        self.log = log
        found = ImportExecutionLog.objects.raw(FAMILY, [log.pk])
        self.members = {one.pk: one for one in found}  # the oldest first
        self.children: dict[int, list[ImportExecutionLog]] = defaultdict(list)
        for one in self.members.values():
            self.children[one.retry_of_id].append(one)

    def state(self) -> dict[int, str]:
        return {pk: one.status for pk, one in self.members.items()}

    def active(self) -> Iterator[ImportExecutionLog]:
        """The retries that have not ended."""
        return (one for one in self.members.values() if one.retry_of_id and one.is_active)

    def require_no_retry(self) -> None:
        """Raise BeingRetried if a retry, which is no correction of one line, has not ended."""
        for one in self.active():
            if one.mends_line is None and one.pk != self.log.pk:
                state = one.get_status_display().lower()
                raise BeingRetried(
                    f"{self.log.file_name} is being retried: import {one.pk} is {state}. "
                    "Wait for its end."
                )

    def require_no_mending(self) -> None:
        """Raise StateConflict if a line is being corrected, in place or by a file."""
        active = [one.pk for one in self.active()]
        brought = Q(mends_line__isnull=False) | Q(mended_lines__isnull=False)
        if active and ImportExecutionLog.objects.filter(brought, pk__in=active).exists():
            raise StateConflict("Another line of this import is being corrected; try again.")

    def mendings(self, lines: Collection[int]) -> dict[int, Mending]:
        """By line of the import, where it was taken in since, or is about to be."""
        found: dict[int, Mending] = {}
        here, asked = self.log, {line: {line} for line in lines}
        while asked and len(self.members) > 1:
            self.look_below(here, asked, found)
            above = self.members.get(here.retry_of_id)
            if above is None:
                break
            asked = carried(lines_above(above, here, asked), asked)
            here = above
        return found

    def look_below(self, here: ImportExecutionLog, asked: ASKED, found: dict[int, Mending]) -> None:
        for child in self.children[here.pk]:
            pairs = [(line, row) for row, line in lines_below(here, child, asked)]
            rows = carried(pairs, asked)
            if not rows:
                continue
            for row, row_id in standing(child, rows, is_asking=child.pk == self.log.pk):
                found.update(dict.fromkeys(rows[row], Mending(child, row_id)))
            self.look_below(child, rows, found)

    def sharing_lines(self) -> set[int]:
        """Those that account for lines of this import; not what was undone."""
        found, seen, todo = set(), set(), [self.log]
        while todo:
            here = todo.pop()
            if here.pk in seen:
                continue
            seen.add(here.pk)
            if here.status != Status.ROLLED_BACK:
                found.add(here.pk)
            above = self.members.get(here.retry_of_id)
            todo += [one for one in self.children[here.pk] if brings_lines_of(here, one)]
            todo += [above] if above and brings_lines_of(above, here) else []
        return found


def carried(pairs: Collection[tuple[int, int]], asked: ASKED) -> ASKED:
    """What was asked for by lines of one import, by those lines of another."""
    by_line: ASKED = defaultdict(set)
    for here, there in pairs:
        by_line[there] |= asked[here]
    return by_line


def have_same_bytes(one: ImportExecutionLog, other: ImportExecutionLog) -> bool:
    return bool(one.file_hash) and one.file_hash == other.file_hash


def brings_lines_of(log: ImportExecutionLog, retry: ImportExecutionLog) -> bool:
    known = retry.mends_line is not None or have_same_bytes(log, retry)
    return known or retry.mended_lines.exists()


def lines_above(
    log: ImportExecutionLog, retry: ImportExecutionLog, rows: Collection[int]
) -> set[tuple[int, int]]:
    """Lines of a retry, each with the line of the import that it brings."""
    if retry.mends_line is not None:
        return {(row, retry.mends_line) for row in rows}
    brought = retry.mended_lines.filter(row_number__in=list(rows))
    same = {(row, row) for row in rows} if have_same_bytes(log, retry) else set()
    return same | set(brought.values_list("row_number", "line"))


def lines_below(
    log: ImportExecutionLog, retry: ImportExecutionLog, lines: Collection[int]
) -> set[tuple[int, int]]:
    """The same from the other side: lines of a retry which bring these lines of the import."""
    if retry.mends_line is not None:
        rows = retry.row_logs.values_list("row_number", flat=True)
        # While it waits it has no row log, and there is one line only.
        numbers = ([*rows] or [0]) if retry.mends_line in lines else []
        return {(row, retry.mends_line) for row in numbers}
    brought = retry.mended_lines.filter(line__in=list(lines))
    same = {(line, line) for line in lines} if have_same_bytes(log, retry) else set()
    return same | set(brought.values_list("row_number", "line"))


def standing(
    retry: ImportExecutionLog, rows: Collection[int], *, is_asking: bool
) -> list[tuple[int, int | None]]:
    """Those rows of a retry that were taken in or were known, or that wait for it."""
    if retry.is_active and not is_asking:
        return [(row, None) for row in rows]
    if retry.status == Status.ROLLED_BACK:
        return []
    numbers = list(rows)
    refused = MendedLine.objects.filter(import_log=retry, row_number__in=numbers)
    good = retry.row_logs.filter(
        row_number__in=numbers, status__in=[RowStatus.SUCCESS, RowStatus.SKIPPED]
    ).exclude(row_number__in=refused.exclude(refusal="").values("row_number"))
    return list(good.order_by().values_list("row_number", "pk"))
