"""What a backup says of imports, checked before anything of it is taken in.

A backup is a file, and anybody may have written it: what is wrong here would else be found by the
database in the middle, or by a page later.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields as fields_of
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime

from imports.backupfile import BackupFile
from imports.backuplines import EXECUTIONS, IMPORT, LINES, MENDED
from imports.backuplogs import AS_THEY_ARE, OF_IMPORTS
from imports.days import DayStatus, read_days
from imports.dialect import Dialect
from imports.identify import DELIMITERS
from imports.models import ImportExecutionLog
from imports.problems import FileError
from imports.states import ACTIVE, Category, RowStatus
from imports.textfile import ENCODING_NAMES

MOST = 2**63 - 1  # what a column of numbers takes
MOST_COUNTED = 10**12  # lines, bytes, milliseconds: their sums must fit into a column, too
YEARS = range(1970, 2201)
PROBLEM = {"field", "code", "error"}
OF_JSON = ("dialect", "header", "affected_accounts", "days")  # the columns that are not plain
BOOLEANS = ("day_first", "numbers_tell", "dates_tell")
OF_DIALECT = {"encoding", "delimiter", "zones", *(one.name for one in fields_of(Dialect))}
UNLIKE = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)
is_hash = re.compile(r"[0-9a-f]{64}|").fullmatch


def require_logs(file: BackupFile) -> None:
    """Raise FileError for the first import, or part of one, that cannot be made."""
    ids: set[bytes] = set()
    last: dict[str, int] = {}  # by kind, the number of the last row of the import
    for number, kind, said in file.logs():
        try:
            require_encodable(said)
            REQUIRE[kind](said)
            if kind == IMPORT:
                require_new(UUID(said["import_batch_id"]).bytes, ids)
                last = {LINES: -1, MENDED: -1}
            elif kind in last:
                last[kind] = require_ascending([row[0] for row in said], last[kind])
        except (ValidationError, *UNLIKE) as problem:
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
    log = ImportExecutionLog(import_batch_id=id_of(said["import_batch_id"]), **values)
    fields = {name: log._meta.get_field(name) for name in values}
    missing = [name for name, value in values.items() if value is None and not fields[name].null]
    if missing:
        raise ValueError(f"it has no {missing[0]}")
    plain = {name: value for name, value in values.items() if name not in OF_JSON}
    require(not any(isinstance(one, list | dict) for one in plain.values()), "words and numbers")
    told = {
        name
        for name, value in plain.items()
        if value is not None and not (value == "" and fields[name].blank)
    }
    log.clean_fields(exclude={field.name for field in log._meta.fields} - told)
    require_bounds([getattr(log, name) for name in told])
    require(is_hash(log.file_hash) is not None, "a SHA-256 in file_hash")
    if log.status in ACTIVE:
        raise ValueError(f"it is {log.status}; expected one that has ended")
    if log.total_rows != log.success_rows + log.failed_rows + log.skipped_rows:
        raise ValueError("its counters do not add up")
    require_lists(log)
    return log


def require_bounds(values: Iterable[Any]) -> None:
    for value in values:
        if isinstance(value, datetime):
            require(value.year in YEARS, f"moments of the years {YEARS[0]} to {YEARS[-1]}")
        elif isinstance(value, int):
            require(value <= MOST_COUNTED, "smaller numbers")


def require_lists(log: ImportExecutionLog) -> None:
    """What stands in columns of JSON. A dialect that nobody could read by is forgotten."""
    require(isinstance(log.header, list) and are_words(log.header), "lists of words")
    accounts = log.affected_accounts
    require(isinstance(accounts, list) and are_words(accounts), "lists of words")
    if not is_dialect(log.dialect):
        log.dialect = {}
    for day in read_days(log.days):
        date.fromisoformat(day.date)
        words = (day.date, day.file_hash, day.error)
        require(are_words(words) and day.status in DayStatus.values, "days with their states")
        require(is_hash(day.file_hash) is not None, "days with a SHA-256")
        require(is_number(day.rows) and day.rows <= MOST_COUNTED, "days with numbers of rows")


def is_dialect(said: Any) -> bool:
    """Whether a file was read so: what `reader_of` remembers in an import."""
    if not isinstance(said, dict) or set(said) != OF_DIALECT:
        return False
    zones = said["zones"]
    return (
        said["encoding"] in ENCODING_NAMES
        and said["delimiter"] in DELIMITERS
        and said["decimal"] in (".", ",")
        and all(isinstance(said[name], bool) for name in BOOLEANS)
        and isinstance(zones, dict)
        and set(zones.values()) <= available_timezones()
    )


def require_import(said: Any) -> None:
    import_of(said)
    words = [said["retry_of"], said["created_by"], said["rolled_back_by"]]
    require(all(word is None or isinstance(word, str) for word in words), "names")
    if said["retry_of"]:
        id_of(said["retry_of"])


def require_lines(said: Any) -> None:
    for number, status, category, message, errors, cells, repeats in said:
        require(is_number(number), "the number of a line")
        require(status in RowStatus.values and category in ["", *Category.values], "a status")
        require(is_word(message), "a message")
        require(isinstance(errors, list) and all(map(is_problem, errors)), "problems")
        require(are_words(cells), "cells")
        if repeats is not None:
            *execution, trade = repeats
            right = len(execution) == 2 and all(map(is_word, execution))
            require(right, "an account and an execution")
            require(is_number(trade), "the number of a trade")


def require_mended(said: Any) -> None:
    for row, line, refusal, known in said:
        require(is_number(row) and is_number(line) and is_word(refusal), "lines and a refusal")
        if known is not None:
            id_of(known[0])
            require(len(known) == 2 and is_number(known[1]), "an import and a line")


def require_executions(said: Any) -> None:
    require(isinstance(said, dict) and set(said) == {"at", "of"}, "when, and which executions")
    moment = parse_datetime(said["at"])
    require(moment is not None and moment.tzinfo is not None, "a moment in UTC")
    require_bounds([moment])
    for account, name, line in said["of"]:
        require(is_word(account) and is_word(name), "an account and an execution")
        require(line is None or is_number(line), "the number of a line")


REQUIRE = {
    IMPORT: require_import,
    LINES: require_lines,
    MENDED: require_mended,
    EXECUTIONS: require_executions,
}


def require_new(one: bytes, ids: set[bytes]) -> None:
    require(one not in ids, "each import once")
    ids.add(one)


def require_ascending(numbers: list[int], last: int) -> int:
    """The last of these numbers, of which each is more than the one before."""
    for number in numbers:
        require(number > last, "lines in their order, each once")
        last = number
    return last


def id_of(value: Any) -> UUID:
    require(isinstance(value, str), "a batch ID")
    return UUID(value)


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
