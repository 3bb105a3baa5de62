"""How the commands speak: a bar while a file is read, then a sentence and the first problems."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, OutputWrapper
from django.db import InterfaceError, OperationalError
from tqdm import tqdm

from imports.background import start_import
from imports.models import ImportExecutionLog, ImportRowLog
from imports.running import run_import
from imports.states import RowStatus, Status
from imports.summary import outcome
from joblogs.interrupts import heeding_ctrl_c
from joblogs.states import Trigger
from trades.console import recompute_aloud

PROBLEMS_SHOWN = 5


class ProgressBar:
    """A bar on a terminal, silent elsewhere. Call it with the import after each chunk."""

    def __init__(self, name: str) -> None:
        self.bar = tqdm(
            desc=name, unit=" lines", leave=False, disable=not sys.stderr.isatty(), file=sys.stderr
        )

    def __call__(self, log: ImportExecutionLog) -> None:
        self.bar.total = log.line_count
        self.bar.update(log.cursor - self.bar.n)

    def close(self) -> None:
        self.bar.close()


@heeding_ctrl_c()
def run_aloud(
    log: ImportExecutionLog, out: OutputWrapper, *, path: Path | None = None, dry_run: bool = False
) -> bool:
    """Run a queued import and say what came of it; whether it went well."""
    if log.is_active:
        with closing(ProgressBar(log.file_name)) as progress:
            try:
                log = (
                    run_import(log.pk, path=path, on_progress=progress, with_positions=not dry_run)
                    or log
                )
            except (OperationalError, InterfaceError) as problem:
                words = str(problem).strip().splitlines()[0]
                raise CommandError(
                    f"{log.file_name}: the database is away: {words}. What is taken in stays; a "
                    "worker goes on with the rest, or the same command does."
                ) from None
    if not dry_run:
        recompute_aloud()
    out.write(outcome(log, "would be taken in" if dry_run else "taken in"))
    for sentence in first_problems(log):
        out.write(sentence)
    return log.status != Status.FAILED


def put_off(log: ImportExecutionLog, out: OutputWrapper) -> bool:
    """Have a worker run a queued import; whether it could be queued."""
    start_import(log, Trigger.COMMAND)
    waits = f"{log.file_name}: queued as import {log.pk}; a worker will take it."
    out.write(waits if log.is_active else outcome(log))
    return log.is_active


def first_problems(log: ImportExecutionLog) -> Iterator[str]:
    """The first failed lines, and how many more there are."""
    failed = ImportRowLog.objects.filter(import_log=log, status=RowStatus.FAILED)
    messages = failed.order_by("row_number").values_list("error_message", flat=True)
    yield from (f"  {message}" for message in messages[:PROBLEMS_SHOWN])
    if log.failed_rows > PROBLEMS_SHOWN:
        yield f"  … and {log.failed_rows - PROBLEMS_SHOWN:,} more failed lines."


def import_named(text: str) -> ImportExecutionLog:
    """The import with this number or batch ID. Raises CommandError if there is none."""
    key = "pk" if text.isdecimal() else "import_batch_id"
    try:
        return ImportExecutionLog.objects.get(**{key: text})
    except (ImportExecutionLog.DoesNotExist, ValidationError, ValueError, OverflowError):
        raise CommandError(
            f"There is no import '{text}'; give its number or its batch ID."
        ) from None
