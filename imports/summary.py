"""The sentences that tell how an import ended."""

from collections import Counter

from imports.days import failed_in_words, read_days
from imports.models import ImportExecutionLog, ImportRowLog
from imports.states import RowStatus


def summary(log: ImportExecutionLog) -> str:
    """What deserves a word about a file that was read to its end; '' if it is plain success."""
    days = failed_in_words(read_days(log.days))
    return " ".join(filter(None, [days, about_lines(log)]))


def about_lines(log: ImportExecutionLog) -> str:
    if log.failed_rows:
        return f"{log.failed_rows:,} of {log.total_rows:,} lines failed: {commonest_problems(log)}."
    if not log.total_rows and log.days:
        return "The source has no executions in this time."
    if not log.total_rows:
        return f"{log.file_name} has a header and no lines: no executions yet."
    if log.skipped_rows == log.total_rows:
        return f"Nothing new: all {log.total_rows:,} lines were known already."
    return ""


def commonest_problems(log: ImportExecutionLog, most: int = 5, sample: int = 10_000) -> str:
    """The codes of the first failed lines with their counts, commonest first."""
    errors = ImportRowLog.objects.filter(import_log=log, status=RowStatus.FAILED).order_by(
        "row_number"
    )
    codes = Counter(
        error["code"]
        for problems in errors.values_list("validation_errors", flat=True)[:sample]
        for error in problems
    )
    first = f"the first {sample:,} with " if log.failed_rows > sample else ""
    more = " and others" if len(codes) > most else ""
    counts = ", ".join(f"{code} {count:,}" for code, count in codes.most_common(most))
    return first + counts + more


def interrupted(log: ImportExecutionLog, times: int) -> str:
    return (
        f"{log.file_name} was interrupted {times} times, last after {log.cursor:,} lines, "
        "and is given up. What was taken in until then stays; a retry takes in the rest."
    )


def cancelled(log: ImportExecutionLog, name: str) -> str:
    if not log.cursor:
        return f"{log.file_name} was cancelled by {name} before a line was read."
    return (
        f"{log.file_name} was cancelled by {name} after {log.cursor:,} lines. "
        "What was taken in until then stays; a retry takes in the rest, a rollback undoes it."
    )


def broken_off(log: ImportExecutionLog, problem: BaseException) -> str:
    cause = f"an unexpected {type(problem).__name__}: {problem}"
    if isinstance(problem, KeyboardInterrupt):
        cause = "stopped by the user"
    return (
        f"{log.file_name} broke off after {log.cursor:,} lines: {cause}. "
        "What was taken in until then stays; a retry takes in the rest."
    )


def outcome(log: ImportExecutionLog, verb: str = "taken in") -> str:
    """acme.csv: 412 taken in, 3 known, 2 failed in 3.1 s. A file without lines: its sentence."""
    if log.is_active:
        return f"{log.file_name} is being worked on by another process."
    if not log.total_rows:
        return f"{log.get_status_display()}: {log.error_summary}"
    return (
        f"{log.file_name}: {log.success_rows:,} {verb}, {log.skipped_rows:,} known, "
        f"{log.failed_rows:,} failed in {log.duration_in_words}. "
        f"{log.error_summary}"
    ).strip()
