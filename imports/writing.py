"""Write one chunk of lines: row logs, trades, ledger and counters commit together or not at all."""

import logging

from django.db import (
    DataError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    transaction,
)
from django.utils import timezone

from imports.claims import renew
from imports.inserting import hold, insert, reserve_ids
from imports.lines import Line
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.places import Places
from imports.problems import Problem
from imports.settling import Outcome, settle
from imports.states import Category, RowStatus
from trades.models import Trade

logger = logging.getLogger(__name__)

TRIES = 20  # each lost one means that a rival has written something
LOCKED_OUT = {"40P01", "40001"}  # PostgreSQL's codes for deadlock and serialization failure
# The rows are at fault, not the connection. A trigger of PostgreSQL that raises is the last kind.
REFUSALS = (IntegrityError, DataError, ProgrammingError)

TRADE_FIELDS = (
    "id",
    "account_id",
    "instrument_id",
    "execution_id",
    "side",
    "quantity",
    "price",
    "commission",
    "executed_at",
    "order_id",
    "name",
    "entry_exit",
    "broker_position",
    "connection",
    "notes",
    "reviewed",
    "import_row_log_id",
    "created_at",
)
ROW_LOG_FIELDS = (
    "id",
    "import_log_id",
    "row_number",
    "status",
    "error_category",
    "error_message",
    "validation_errors",
    "raw_row_data",
    "duplicate_of_id",
)
LEDGER_FIELDS = (
    "id",
    "account_id",
    "execution_id",
    "instrument_id",
    "trade_id",
    "csv_filename",
    "import_timestamp",
    "import_log_id",
)


class Uncertain(Exception):
    """Something that the chunk relies on has changed meanwhile; ask again."""


def write_chunk(log: ImportExecutionLog, lines: list[Line], places: Places) -> None:
    """Account for these lines, in one transaction, and move the import's cursor behind them.

    The unique ledger has the last word: whoever meets a rival's rows rolls back and asks again.
    A chunk that the database refuses for another reason goes in row by row, and the guilty line
    fails with the database's words. Raises LeaseLost if another process owns the import now.
    """
    write = write_lines
    for tries_left in reversed(range(TRIES)):
        try:
            with transaction.atomic():
                count(log, write(log, lines, places))
            return
        except (*REFUSALS, OperationalError, Uncertain) as refusal:
            if not is_a_rivals_doing(refusal):
                if write is write_each or not isinstance(refusal, REFUSALS):
                    raise
                write = write_each
            elif not tries_left:
                raise
            logger.info("%s: asking again: %s", log, refusal)
        renew(log)  # whoever has lost the import meets its new owner's row logs
        places.forget()


def is_a_rivals_doing(refusal: Exception) -> bool:
    """Whether another process was faster, and nothing is wrong with the rows.

    SQLite has one writer at a time; there, nobody can come between asking and writing.
    """
    cause = refusal.__cause__
    if isinstance(refusal, Uncertain) or getattr(cause, "sqlstate", None) in LOCKED_OUT:
        return True
    diagnosis = getattr(cause, "diag", None)
    return diagnosis is not None and diagnosis.constraint_name == "ledger_each_execution_once"


def write_each(log: ImportExecutionLog, lines: list[Line], places: Places) -> list[Outcome]:
    return [write_alone(log, line, places) for line in lines]


def write_alone(log: ImportExecutionLog, line: Line, places: Places) -> Outcome:
    """Account for one line inside a savepoint; if the database refuses it, as failed."""
    refusal: Exception | None = None
    for _ in range(2):
        try:
            with transaction.atomic():
                return write_lines(log, [line], places)[0]
        except (*REFUSALS, Uncertain) as error:
            refusal = error
            places.forget()
    words = str(refusal).strip().splitlines()[0]
    problem = Problem("", "database_error", f"the database refused it: {words}", Category.DATABASE)
    outcome = Outcome(line, RowStatus.FAILED, [problem])
    write_row_logs(log, [outcome])
    return outcome


def write_lines(log: ImportExecutionLog, lines: list[Line], places: Places) -> list[Outcome]:
    outcomes = settle(lines, places)
    taken = [outcome for outcome in outcomes if outcome.status == RowStatus.SUCCESS]
    for outcome, trade_id in zip(taken, reserve_ids(Trade, len(taken)), strict=True):
        outcome.known.trade_id = trade_id
    row_log_ids = write_row_logs(log, outcomes)
    write_trades(taken, row_log_ids)
    write_ledger(log, taken)
    accounts = {outcome.account_id for outcome in taken}
    if not places.all_exist(accounts, {outcome.instrument_id for outcome in taken}):
        raise Uncertain("an account or instrument was deleted meanwhile")
    known = {repeated(one) for one in outcomes if one.status != RowStatus.SUCCESS} - {None}
    if hold(Trade, known) < len(known):
        raise Uncertain("a trade that is repeated here was deleted meanwhile")
    return outcomes


def write_row_logs(log: ImportExecutionLog, outcomes: list[Outcome]) -> dict[int, int]:
    """One row log a line; their ids by line number."""
    ids = reserve_ids(ImportRowLog, len(outcomes))
    insert(
        ImportRowLog,
        ROW_LOG_FIELDS,
        (
            (
                row_log_id,
                log.pk,
                outcome.line.number,
                outcome.status,
                outcome.category,
                outcome.message,
                [problem.as_json() for problem in outcome.problems],
                outcome.line.cells,
                None if outcome.status == RowStatus.SUCCESS else repeated(outcome),
            )
            for row_log_id, outcome in zip(ids, outcomes, strict=True)
        ),
    )
    return {outcome.line.number: pk for pk, outcome in zip(ids, outcomes, strict=True)}


def repeated(outcome: Outcome) -> int | None:
    return outcome.known.trade_id if outcome.known else None


def write_trades(taken: list[Outcome], row_log_ids: dict[int, int]) -> None:
    now = timezone.now()
    insert(
        Trade,
        TRADE_FIELDS,
        (
            (
                outcome.known.trade_id,
                outcome.account_id,
                outcome.instrument_id,
                outcome.line.execution_id,
                outcome.line.execution.side,
                outcome.line.execution.quantity,
                outcome.line.execution.price,
                outcome.line.execution.commission,
                outcome.line.execution.executed_at,
                outcome.line.execution.order_id,
                outcome.line.execution.name,
                outcome.line.execution.entry_exit,
                outcome.line.execution.broker_position,
                outcome.line.execution.connection,
                "",
                False,
                row_log_ids[outcome.line.number],
                now,
            )
            for outcome in taken
        ),
    )


def write_ledger(log: ImportExecutionLog, taken: list[Outcome]) -> None:
    """In the order of identities, so that two imports of the same lines cannot lock each other."""
    taken = sorted(taken, key=lambda outcome: (outcome.account_id, outcome.line.execution_id))
    now = timezone.now()
    insert(
        ImportedExecution,
        LEDGER_FIELDS,
        (
            (
                ledger_id,
                outcome.account_id,
                outcome.line.execution_id,
                outcome.instrument_id,
                outcome.known.trade_id,
                log.file_name,
                now,
                log.pk,
            )
            for ledger_id, outcome in zip(
                reserve_ids(ImportedExecution, len(taken)), taken, strict=True
            )
        ),
    )


def count(log: ImportExecutionLog, outcomes: list[Outcome]) -> None:
    """Add the chunk to the import's counters and move its cursor; only its owner may."""
    statuses = [outcome.status for outcome in outcomes]
    taken = [outcome for outcome in outcomes if outcome.status == RowStatus.SUCCESS]
    accounts = {outcome.line.execution.account for outcome in taken}
    renew(
        log,
        total_rows=log.total_rows + len(outcomes),
        success_rows=log.success_rows + len(taken),
        failed_rows=log.failed_rows + statuses.count(RowStatus.FAILED),
        skipped_rows=log.skipped_rows + statuses.count(RowStatus.SKIPPED),
        trades_created=log.trades_created + len(taken),
        cursor=log.cursor + len(outcomes),
        affected_accounts=sorted(accounts.union(log.affected_accounts)),
    )
