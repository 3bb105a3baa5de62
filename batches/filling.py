"""Many batch trades brought up to date in one statement."""

from collections.abc import Mapping, Sequence
from itertools import chain

from django.db import connection
from django.utils import timezone

from batches.answers import Verdict
from batches.models import BatchTrade

PIECE = 500  # rows in one statement, each with the parameters of a row
ROW = "(%s, %s, %s, %s, %s)"
STATEMENT = """
    UPDATE batch_trades SET
        status = new.status,
        error_message = new.message,
        filled_quantity = CAST(new.filled AS {number}),
        trade_id = CAST(new.trade_id AS bigint),
        finished_at = %s
    FROM (
        SELECT column1 AS id, column2 AS status, column3 AS message, column4 AS filled,
            column5 AS trade_id
        FROM (VALUES {rows}) AS given
    ) AS new
    WHERE batch_trades.id = new.id
"""


def fill_in(verdicts: Sequence[Verdict], trades: Mapping[int, int]) -> None:
    """Write status, message, filled quantity and trade (by batch trade) of each verdict."""
    for start in range(0, len(verdicts), PIECE):
        write(verdicts[start : start + PIECE], trades)


def write(verdicts: Sequence[Verdict], trades: Mapping[int, int]) -> None:
    quantity, moment = (
        BatchTrade._meta.get_field(name) for name in ("filled_quantity", "finished_at")
    )
    rows = (row_of(verdict, trades) for verdict in verdicts)
    number = quantity.db_type(connection)
    statement = STATEMENT.format(number=number, rows=", ".join([ROW] * len(verdicts)))
    now = moment.get_db_prep_save(timezone.now(), connection)
    with connection.cursor() as cursor:
        cursor.execute(statement, [now, *chain.from_iterable(rows)])


def row_of(verdict: Verdict, trades: Mapping[int, int]) -> tuple[object, ...]:
    filled = f"{verdict.fill.quantity:f}" if verdict.fill else None
    return (
        verdict.batch_trade_id,
        verdict.status.value,
        verdict.message,
        filled,
        trades.get(verdict.batch_trade_id),
    )
