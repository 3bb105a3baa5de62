"""Which place a corrected line takes among its twins.

Without an id of the broker's, a fill is known by its content and its occurrence in its file. A line
that comes again corrected has left its file; were it counted alone, a genuine twin of a fill that
was taken in would be skipped as known.
"""

from collections.abc import Iterator

from imports.bycolumn import as_in_columns
from imports.identity import CONTENT, digest
from imports.kin import Kin
from imports.lines import Execution
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from trades.models import Account

AT_ONCE = 50  # occurrences that are asked for together


def content_of(execution: Execution) -> str:
    """What is the same in all twins; '' for a fill that the broker's id makes known."""
    if execution.native_id:
        return ""
    values = as_in_columns(execution)
    return digest(*(values[name] for name in CONTENT))


def repeated_contents(executions: list[Execution]) -> set[str]:
    """Those contents that the ledger has at all."""
    contents = {content_of(one) for one in executions} - {""}
    first = {occurrence(content, 1): content for content in contents}
    known = ImportedExecution.objects.filter(
        account__in=Account.objects.filter(name__in={one.account for one in executions}),
        execution_id__in=first,
    )
    return {first[found] for found in known.values_list("execution_id", flat=True)}


def sharing(log: ImportExecutionLog, line: int | None = None) -> set[int]:
    """The imports that account for the lines of this one: itself, and its lines corrected since.

    `line` is the one that now is corrected.
    """
    tried = log.retries.filter(mends_line=line) if line else log.retries.none()
    return Kin(log).sharing_lines() - set(tried.values_list("pk", flat=True))


def twins_of(ours: set[int], execution: Execution) -> int:
    """How many lines of these imports are accounted for as this very fill."""
    return sum(is_of(ours, known) for known in occurrences(execution))


def is_of(imports: set[int], known: ImportedExecution) -> bool:
    """Whether one of these imports took that fill in, or skipped a line as repeating it."""
    repeating = ImportRowLog.objects.filter(duplicate_of=known.trade_id, import_log__in=imports)
    return known.import_log_id in imports or (known.trade_id is not None and repeating.exists())


def occurrences(execution: Execution) -> Iterator[ImportedExecution]:
    """The first, second… such fill, as far as the ledger has them."""
    content = content_of(execution)
    ledger = ImportedExecution.objects.filter(account__name=execution.account)
    start, most = 1, AT_ONCE if content else 0
    while most:
        ids = [occurrence(content, number) for number in range(start, start + most)]
        found = list(ledger.filter(execution_id__in=ids))
        yield from found
        start, most = start + most, most if len(found) == most else 0


def occurrence(content: str, number: int) -> str:
    return f"content:{content}:{number}"
