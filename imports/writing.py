"""Write one chunk of lines: row logs, trades, ledger and counters commit together or not at all."""

import logging
from collections.abc import Callable
from itertools import compress

from django.db import (
    DataError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    transaction,
)

from imports.asking import Uncertain
from imports.chunks import Chunk
from imports.claims import renew
from imports.models import ImportExecutionLog
from imports.places import Places
from imports.problems import Problem
from imports.rows import prepared, write_rows
from imports.settling import Outcome, Settled, settle
from imports.states import Category, RowStatus
from trades.touched import mark

logger = logging.getLogger(__name__)

TRIES = 20  # each lost one means that a rival has written something
COUNTED = [
    "total_rows",
    "success_rows",
    "failed_rows",
    "skipped_rows",
    "trades_created",
    "cursor",
    "affected_accounts",
]
LOCKED_OUT = {"40P01", "40001"}  # PostgreSQL's codes for deadlock and serialization failure
# The rows are at fault, not the connection. A trigger of PostgreSQL that raises is the last kind.
REFUSALS = (IntegrityError, DataError, ProgrammingError)


def write_chunk(
    log: ImportExecutionLog,
    chunk: Chunk,
    places: Places,
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    """Account for these lines and move the import's cursor behind them, in one transaction.

    A chunk of which the database refuses a row goes in by halves, until the guilty line is alone
    and fails with the database's words. Raises LeaseLost if another process owns the import now.
    `meanwhile` is called when the database has to write what is decided.
    """
    refusal = write_together(log, chunk, places, meanwhile)
    if refusal is None:
        return
    logger.info("%s: by halves: %s", log, refusal)
    start_over(log, places)
    if len(chunk.rows) == 1:
        write_failed(log, chunk, refusal)
    else:
        for half in chunk.halves():
            write_chunk(log, prepared(half), places)


def write_together(
    log: ImportExecutionLog, chunk: Chunk, places: Places, meanwhile: Callable[[], None]
) -> Exception | None:
    """Write all of them or none; the database's reason if it refuses one for its own sake.

    The unique ledger has the last word: whoever meets a rival's rows rolls back and asks again.
    """
    tries_left = TRIES
    while True:
        try:
            with transaction.atomic():
                settled = settle(chunk, places)
                write_lines(log, settled, places, meanwhile)
                mark(settled.touched, log.pk)
                count(log, settled)
            return None
        except (*REFUSALS, OperationalError, Uncertain) as error:
            if isinstance(error, REFUSALS) and not is_a_rivals_doing(error):
                return error
            tries_left -= 1
            if not (tries_left and is_a_rivals_doing(error)):
                raise
            logger.info("%s: asking again: %s", log, error)
        start_over(log, places)


def start_over(log: ImportExecutionLog, places: Places) -> None:
    renew(log)  # whoever has lost the import meets its new owner's row logs
    log.refresh_from_db(fields=COUNTED)  # the commit may have failed behind `count`
    places.forget()


def is_a_rivals_doing(refusal: Exception) -> bool:
    """Whether another process was faster, or an earlier line that nobody had asked for.

    Then nothing is wrong with the rows.
    """
    cause = refusal.__cause__
    if isinstance(refusal, Uncertain) or getattr(cause, "sqlstate", None) in LOCKED_OUT:
        return True
    diagnosis = getattr(cause, "diag", None)
    if diagnosis is not None:
        return diagnosis.constraint_name == "ledger_each_execution_once"
    return "imported_executions.execution_id" in str(refusal)  # how SQLite tells


def write_failed(log: ImportExecutionLog, chunk: Chunk, refusal: Exception) -> None:
    """Account for a line that the database refuses."""
    words = str(refusal).strip().splitlines()[0]
    problem = Problem("", "database_error", f"the database refused it: {words}", Category.DATABASE)
    outcome = Outcome(chunk.rows.numbers[0], RowStatus.FAILED, [problem])
    settled = Settled(chunk, {0}, lambda place: outcome, [None], [None])
    with transaction.atomic():
        write_rows(log, settled)
        count(log, settled)


def write_lines(
    log: ImportExecutionLog, settled: Settled, places: Places, meanwhile: Callable[[], None]
) -> None:
    write_rows(log, settled, meanwhile)
    accounts = {*compress(settled.account_ids, settled.taken)}
    if not places.all_exist(accounts, {*compress(settled.instrument_ids, settled.taken)}):
        raise Uncertain("an account or instrument was deleted meanwhile")


def count(log: ImportExecutionLog, settled: Settled) -> None:
    """Add what was settled to the import's counters and move its cursor; only its owner may."""
    total, taken = len(settled.taken), sum(settled.taken)
    statuses = [outcome.status for outcome in settled.outcomes.values()]
    accounts = set(compress(settled.chunk.columns["account"], settled.taken))
    renew(
        log,
        total_rows=log.total_rows + total,
        success_rows=log.success_rows + taken,
        failed_rows=log.failed_rows + statuses.count(RowStatus.FAILED),
        skipped_rows=log.skipped_rows + statuses.count(RowStatus.SKIPPED),
        trades_created=log.trades_created + taken,
        cursor=log.cursor + total,
        attempt=1,
        affected_accounts=sorted(accounts.union(log.affected_accounts)),
    )
