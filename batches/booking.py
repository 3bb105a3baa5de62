"""What executors have answered, into the books: a lot is one transaction.

The trades, their rows in the ledger, the states of the batch trades and the counters of the batch
commit together or not at all. Only the owner of the batch may, and only what is still `executing`;
so the same answers can be brought twice. The unique ledger has the last word.
"""

import logging
from collections.abc import Sequence
from datetime import UTC

from django.db import DataError, IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from batches.answers import Verdict, counted, unbookable
from batches.claims import patiently, renew
from batches.executors import Fill
from batches.filling import fill_in
from batches.models import Batch, BatchTrade
from batches.states import TradeStatus
from imports.inserting import NOW, Columns, insert, reserve_ids
from imports.models import ImportedExecution
from imports.wallclock import as_text
from trades.models import Trade
from trades.touched import mark_fills

logger = logging.getLogger(__name__)

LEDGER_FILE = "BATCH"
REFUSALS = (IntegrityError, DataError)
NEEDED = ("sequence", "account_id", "instrument_id", "side", "order_id", "trade_name", "notes")


def key_of(batch: Batch, sequence: int) -> str:
    """What executor and ledger know an instruction by; it never changes."""
    return f"{batch.batch_uid}:{sequence}"


def book(batch: Batch, verdicts: Sequence[Verdict]) -> None:
    """Write what became of these batch trades. Raises LeaseLost.

    If the database refuses a trade for its own sake, the lot goes in by halves, until the guilty
    one is alone and fails with the database's words.
    """
    if not verdicts:
        return
    try:
        patiently(lambda: book_together(batch, verdicts))
    except REFUSALS as refusal:
        if len(verdicts) == 1:
            refused = [unbookable(verdicts[0], refusal)]
            patiently(lambda: book_together(batch, refused))
            return
        logger.info("%s: by halves: %s", batch.name, refusal)
        half = len(verdicts) // 2
        book(batch, verdicts[:half])
        book(batch, verdicts[half:])


def book_together(batch: Batch, verdicts: Sequence[Verdict]) -> None:
    with transaction.atomic():
        renew(batch)  # first: it locks the batch, and everybody who touches its trades does so
        wanted = {verdict.batch_trade_id: verdict for verdict in verdicts}
        executing = BatchTrade.objects.filter(pk__in=wanted, status=TradeStatus.EXECUTING)
        rows = {row.pk: row for row in executing.only(*NEEDED)}
        left = [verdict for verdict in verdicts if verdict.batch_trade_id in rows]
        give_back([one.batch_trade_id for one in left if one.status == TradeStatus.PENDING])
        settled = [one for one in left if one.status != TradeStatus.PENDING]
        filled = [(rows[one.batch_trade_id], one.fill) for one in settled if one.fill]
        trades = make_trades(batch, filled) if filled else {}
        fill_in(settled, trades)
        count(batch, settled)


def make_trades(batch: Batch, filled: Sequence[tuple[BatchTrade, Fill]]) -> dict[int, int]:
    """Write the trades of these fills, and their rows in the ledger: trade by batch trade."""
    count = len(filled)
    ids = reserve_ids(Trade, count)
    keys = {
        "account_id": [row.account_id for row, _ in filled],
        "instrument_id": [row.instrument_id for row, _ in filled],
        "execution_id": [key_of(batch, row.sequence) for row, _ in filled],
    }
    insert(Trade, {"id": ids, **keys, **trade_columns(batch, filled)}, count)
    ledger = {"trade_id": ids, "csv_filename": LEDGER_FILE, "import_timestamp": NOW}
    insert(ImportedExecution, {**keys, **ledger}, count)
    mark_fills((row.account_id, row.instrument_id, fill.executed_at) for row, fill in filled)
    return dict(zip((row.pk for row, _ in filled), ids, strict=True))


def trade_columns(batch: Batch, filled: Sequence[tuple[BatchTrade, Fill]]) -> Columns:
    return {
        "side": [row.side for row, _ in filled],
        "quantity": [f"{fill.quantity:f}" for _, fill in filled],
        "price": [f"{fill.price:f}" for _, fill in filled],
        "commission": [f"{fill.commission:f}" for _, fill in filled],
        "executed_at": [as_text(fill.executed_at.astimezone(UTC)) for _, fill in filled],
        "order_id": [fill.order_id or row.order_id for row, fill in filled],
        "name": [row.trade_name for row, _ in filled],
        "notes": [row.notes for row, _ in filled],
        "batch_id": batch.pk,
        "created_at": NOW,
        **dict.fromkeys(("entry_exit", "broker_position", "connection"), ""),
    }


def give_back(batch_trade_ids: Sequence[int]) -> None:
    """Those that nobody has begun wait again, as if they had not been handed over."""
    if batch_trade_ids:
        BatchTrade.objects.filter(pk__in=batch_trade_ids).update(
            status=TradeStatus.PENDING, attempts=F("attempts") - 1
        )


def count(batch: Batch, settled: Sequence[Verdict]) -> None:
    """Add what was settled to the counters; the batch has got on."""
    if settled:
        renew(
            batch,
            executed_trades=F("executed_trades") + counted(settled, TradeStatus.EXECUTED),
            failed_trades=F("failed_trades") + counted(settled, TradeStatus.FAILED),
            attempt=1,
            updated_at=timezone.now(),
        )
