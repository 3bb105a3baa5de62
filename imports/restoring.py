"""What a backup has besides trades: accounts, instruments, executions whose trades were deleted.

They are put in place before the first trade. What exists already is never changed.
"""

from collections.abc import Iterator
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from imports.backupfile import BackupFile
from imports.backuplines import DELETED, OF_DELETED, SETTINGS, require_text
from imports.claims import renew
from imports.logshapes import require_logs
from imports.models import ImportedExecution, ImportExecutionLog
from imports.problems import FileError, shown
from trades.models import Account, Instrument

SLICE = 500
Row = Account | Instrument | ImportedExecution


def restore_places(log: ImportExecutionLog, file: BackupFile) -> None:
    """Make what is missing, in slices; to do so again changes nothing.

    Raises FileError before anything is made if one of them cannot be.
    """
    for _ in rows_of(file):
        pass
    if not log.cursor:
        require_logs(file)
    for kind, rows in groupby(rows_of(file), key=itemgetter(0)):
        while some := [values for _, values in islice(rows, SLICE)]:
            with transaction.atomic():
                make(log, kind, some)
                renew(log)


def rows_of(file: BackupFile) -> Iterator[tuple[str, dict[str, Any]]]:
    """The kind and the values of each row. Raises FileError for one that cannot be made."""
    for number, kind, values in file.before_trades():
        try:
            require_row(kind, values)
        except (ValidationError, ValueError) as problem:
            raise FileError(
                f"{file.name}, line {number:,}: this {kind} cannot be made: {in_words(problem)}; "
                "nothing was taken in."
            ) from None
        yield kind, values


def require_row(kind: str, values: object) -> None:
    """Raise ValidationError or ValueError unless a row can be made of these values."""
    names = SETTINGS[kind][1] if kind in SETTINGS else tuple(OF_DELETED)
    if not isinstance(values, dict) or set(values) != set(names):
        raise ValueError(f"expected {', '.join(names)}")
    require_text("".join(map(str, values.values())))
    if any(is_misplaced(name, value) for name, value in values.items()):
        raise ValueError("expected words, and true or false for is_active")
    if kind in SETTINGS:
        SETTINGS[kind][0](**values).clean_fields()
    elif not all(isinstance(value, str) and 0 < len(value) <= 200 for value in values.values()):
        raise ValueError("expected words of at most 200 characters")


def is_misplaced(name: str, value: object) -> bool:
    """Whether it is a list or an object, or says yes or no where nobody asks."""
    return isinstance(value, list | dict) or isinstance(value, bool) != (name == "is_active")


def in_words(problem: ValidationError | ValueError) -> str:
    if not isinstance(problem, ValidationError):
        return str(problem)
    fields = problem.message_dict.items()
    return "; ".join(f"{name}: {' '.join(found)}" for name, found in fields).rstrip(".")


def make(log: ImportExecutionLog, kind: str, some: list[dict[str, Any]]) -> None:
    if kind == DELETED:
        ImportedExecution.objects.bulk_create(deleted(log, some), ignore_conflicts=True)
    else:
        model = SETTINGS[kind][0]
        model.objects.bulk_create([model(**values) for values in some], ignore_conflicts=True)


def deleted(log: ImportExecutionLog, some: list[dict[str, str]]) -> list[ImportedExecution]:
    """Ledger rows without a trade: no later import brings these executions back."""
    names, symbols = ({one[of] for one in some} for of in ("account", "instrument"))
    accounts = {one.name: one for one in Account.objects.filter(name__in=names)}
    instruments = {one.symbol: one for one in Instrument.objects.filter(symbol__in=symbols)}
    if unknown := (names - accounts.keys()) | (symbols - instruments.keys()):
        raise FileError(
            f"{log.file_name} tells of a deleted execution of {shown(min(unknown))}, which is no "
            "account or instrument, neither of this file nor known before; no trade was taken in."
        )
    return [
        ImportedExecution(
            account=accounts[one["account"]],
            instrument=instruments[one["instrument"]],
            execution_id=one["execution_id"],
            csv_filename=log.file_name,
            import_log=log,
        )
        for one in some
    ]
