"""What the page of one import says beyond its lines: problems, accounts, and its relatives.

However many lines there are, a bounded number is looked at; the page says so in words.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import Count, Exists, OuterRef, Q

from imports.formats import all_formats
from imports.identify import Layout
from imports.lines import fed_columns
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.rollback import later_imports, restored_by
from imports.states import Category, RowStatus, Status

SAMPLE = 10_000  # failed lines, and known ones, that are looked at
LOOKED_AT = ["import_log", "row_number", "error_category", "validation_errors", "raw_row_data"]
LINES_SHOWN = 5
RELATIVES = 50


@dataclass
class ProblemGroup:
    """All lines that have the same kind of problem in the same column."""

    heading: str
    code: str
    example: str
    count: int = 0
    lines: list[int] = field(default_factory=list)


@dataclass
class AccountCount:
    """`taken_in` is None where nobody can tell any more."""

    name: str
    taken_in: int | None
    known: int
    failed: int

    @property
    def total(self) -> int | None:
        return None if self.taken_in is None else self.taken_in + self.known + self.failed


@dataclass(frozen=True)
class Counts:
    """`is_sample` says that there are more failed or known lines than were looked at."""

    problems: list[ProblemGroup]
    accounts: list[AccountCount]
    later_imports: list[ImportExecutionLog]
    is_sample: bool
    sample: int = SAMPLE


def counts(log: ImportExecutionLog) -> Counts:
    failed = sampled(log, RowStatus.FAILED) if log.failed_rows else []
    known = sampled(log, RowStatus.SKIPPED) if log.skipped_rows else []
    return Counts(
        problems=problem_groups(failed),
        accounts=account_counts(log, failed, known),
        later_imports=waiting_for(log),
        is_sample=max(log.failed_rows, log.skipped_rows) > SAMPLE,
    )


def sampled(log: ImportExecutionLog, status: RowStatus) -> list[ImportRowLog]:
    rows = log.row_logs.filter(status=status).order_by("row_number")
    return list(rows.only(*LOOKED_AT)[:SAMPLE])


def problem_groups(failed: list[ImportRowLog]) -> list[ProblemGroup]:
    """The commonest first. A message carries values, so the column and the code make a group."""
    groups: dict[tuple[str, str], ProblemGroup] = {}
    for row in failed:
        for error in row.validation_errors:
            kind = (error["field"], error["code"])
            group = groups.setdefault(kind, ProblemGroup(*kind, error["error"]))
            group.count += 1
            if len(group.lines) < LINES_SHOWN:
                group.lines.append(row.row_number)
    return sorted(groups.values(), key=lambda group: -group.count)


def account_counts(
    log: ImportExecutionLog, failed: list[ImportRowLog], known: list[ImportRowLog]
) -> list[AccountCount]:
    taken_in = taken_in_by_account(log)
    of_failed, of_known = (Counter(accounts_named(log, rows)) for rows in (failed, known))
    names = sorted({*log.affected_accounts, *of_failed, *of_known})
    return [
        AccountCount(
            name=name,
            taken_in=None if taken_in is None else taken_in.get(name, 0),
            known=of_known[name],
            failed=of_failed[name],
        )
        for name in names
    ]


def taken_in_by_account(log: ImportExecutionLog) -> dict[str, int] | None:
    """None for an import of several accounts whose ledger rows are gone."""
    if len(log.affected_accounts) <= 1:
        return dict.fromkeys(log.affected_accounts, log.success_rows)
    if log.status in (Status.ROLLING_BACK, Status.ROLLED_BACK):
        return None
    ledger = ImportedExecution.objects.filter(import_log__in=[log.pk, *restored_by(log)]).order_by()
    return dict(ledger.values_list("account__name").annotate(Count("pk")))


def accounts_named(log: ImportExecutionLog, rows: list[ImportRowLog]) -> Iterator[str]:
    """The account that each line names, or "" where it names none or its cells are out of place."""
    format_ = all_formats().get(log.format)
    layout = Layout(format_, ",", log.header, 1) if format_ and log.header else None
    fed = [one for one in fed_columns(layout) if one.field == "account"] if layout else []
    for row in rows:
        if row.error_category == Category.PARSING:
            yield ""
            continue
        cells = row.raw_row_data + [""] * (len(log.header) - len(row.raw_row_data))
        yield (fed[0].cell(cells).strip() if fed else "") or log.default_account


def waiting_for(log: ImportExecutionLog) -> list[ImportExecutionLog]:
    """Later imports that skipped or refused lines because of this one.

    Once it is rolled back nothing links them any more; then, those that miss trades since.
    """
    if log.status != Status.ROLLED_BACK:
        return later_imports([log.pk])[:RELATIVES]
    rows = ImportRowLog.objects.filter(import_log=OuterRef("pk"), duplicate_of=None)
    skipped = rows.filter(status=RowStatus.SKIPPED).exclude(error_category="")
    refused = rows.filter(status=RowStatus.FAILED, error_category=Category.BUSINESS_LOGIC)
    later = ImportExecutionLog.objects.filter(pk__gt=log.pk, queued_at__lt=log.rolled_back_at)
    ended = later.filter(status__in=[Status.SUCCESS, Status.PARTIAL, Status.FAILED])
    miss = Q(skipped_rows__gt=0) & Exists(skipped) | Q(failed_rows__gt=0) & Exists(refused)
    return list(ended.filter(miss)[:RELATIVES])
