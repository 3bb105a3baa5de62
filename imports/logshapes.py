"""What a backup says of imports, checked before anything of it is taken in.

A backup is a file, and anybody may have written it: what is wrong here would else be found by the
database in the middle, or by a page later.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime

from imports.backupfile import BackupFile
from imports.backuplines import EXECUTIONS, IMPORT, LINES, MENDED
from imports.backuplogs import AS_THEY_ARE, OF_IMPORTS
from imports.days import DayStatus, read_days
from imports.models import ImportExecutionLog
from imports.problems import FileError
from imports.states import ACTIVE, Category, RowStatus

MOST = 2**63 - 1  # what a column of numbers takes
PROBLEM = {"field", "code", "error"}


def require_logs(file: BackupFile) -> None:
    """Raise FileError for the first import, or part of one, that cannot be made."""
    for number, kind, said in file.logs():
        try:
            require_encodable(said)
            REQUIRE[kind](said)
        except (ValidationError, ValueError, TypeError) as problem:
            words = "; ".join(problem.messages if isinstance(problem, ValidationError) else [])
            raise FileError(
                f"{file.name}, line {number:,}: what it says of an import ({kind}) cannot be "
                f"brought back: {words or problem}; nothing was taken in."
            ) from None


def import_of(said: dict[str, Any]) -> ImportExecutionLog:
    """The import that a line tells of, not saved; its relatives are left out.

    Raises ValidationError or ValueError.
    """
    if not isinstance(said, dict) or set(said) != set(OF_IMPORTS):
        raise ValueError(f"expected an object with {', '.join(OF_IMPORTS)}")
    if any("\0" in text for text in texts(said)):
        raise ValueError("it has a NUL character")
    values = {name: said[name] for name in AS_THEY_ARE}
    log = ImportExecutionLog(import_batch_id=UUID(said["import_batch_id"]), **values)
    fields = {name: log._meta.get_field(name) for name in values}
    missing = [name for name, value in values.items() if value is None and not fields[name].null]
    if missing:
        raise ValueError(f"it has no {missing[0]}")
    # A model would make words of a list, and refuses what is empty although its column takes it.
    plain = {
        name
        for name, value in values.items()
        if value not in (None, {}) and not isinstance(value, list)
        if value != "" or not fields[name].blank
    }
    log.clean_fields(exclude={field.name for field in log._meta.fields} - plain)
    if log.status in ACTIVE:
        raise ValueError(f"it is {log.status}; expected one that has ended")
    if log.total_rows != log.success_rows + log.failed_rows + log.skipped_rows:
        raise ValueError("its counters do not add up")
    require_lists(log)
    return log


def require_lists(log: ImportExecutionLog) -> None:
    """What stands in columns of JSON."""
    require(are_words(log.header) and are_words(log.affected_accounts), "lists of words")
    require(isinstance(log.dialect, dict), "a dialect that is an object")
    require(isinstance(log.dialect.get("zones", {}), dict), "zones by account")
    for day in read_days(log.days):
        words = (day.date, day.file_hash, day.error)
        require(are_words(words) and day.status in DayStatus.values, "days with their states")
        require(is_number(day.rows), "days with numbers of rows")


def require_import(said: Any) -> None:
    import_of(said)
    words = [said["retry_of"], said["created_by"], said["rolled_back_by"]]
    require(all(word is None or isinstance(word, str) for word in words), "names")
    if said["retry_of"]:
        UUID(said["retry_of"])


def require_lines(said: Any) -> None:
    for number, status, category, message, errors, cells, repeats in said:
        require(is_number(number), "the number of a line")
        require(status in RowStatus.values and category in ["", *Category.values], "a status")
        require(is_word(message), "a message")
        require(isinstance(errors, list) and all(map(is_problem, errors)), "problems")
        require(are_words(cells), "cells")
        if repeats is not None:
            *execution, trade = repeats
            require(len(execution) == 2 and are_words(execution), "an account and an execution")
            require(is_number(trade), "the number of a trade")


def require_mended(said: Any) -> None:
    for row, line, refusal, known in said:
        require(is_number(row) and is_number(line) and is_word(refusal), "lines and a refusal")
        if known is not None:
            UUID(known[0])
            require(len(known) == 2 and is_number(known[1]), "an import and a line")


def require_executions(said: Any) -> None:
    require(isinstance(said, dict) and set(said) == {"at", "of"}, "when, and which executions")
    moment = parse_datetime(said["at"])
    require(moment is not None and moment.tzinfo is not None, "a moment in UTC")
    for account, name, line in said["of"]:
        require(is_word(account) and is_word(name), "an account and an execution")
        require(line is None or is_number(line), "the number of a line")


REQUIRE = {
    IMPORT: require_import,
    LINES: require_lines,
    MENDED: require_mended,
    EXECUTIONS: require_executions,
}


def require(is_right: bool, what: str) -> None:
    if not is_right:
        raise ValueError(f"expected {what}")


def is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST


def is_word(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value


def are_words(values: Any) -> bool:
    """Cells may have a NUL: they are kept as JSON, in which it is escaped."""
    return isinstance(values, list | tuple) and all(isinstance(one, str) for one in values)


def is_problem(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == PROBLEM and are_words([*value.values()])


def require_encodable(said: Any) -> None:
    """Raise ValueError for halves of characters, which no database keeps."""
    for text in texts(said):
        text.encode()


def texts(value: Any) -> Iterator[str]:
    """Every text in it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
