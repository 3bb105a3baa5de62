"""Batches for the tests, staged by hand, and the questions that tests ask about them."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

from batches.background import batch_slice
from batches.booking import LEDGER_FILE
from batches.claims import free_from_the_dead
from batches.control import start
from batches.models import Batch, BatchTrade
from batches.states import Status, TradeStatus
from imports.models import ImportedExecution
from trades.models import Account, Instrument, Trade


def stage(
    count: int = 3,
    *,
    executor: str = "journal",
    bad: int = 0,
    values: Callable[[int], dict[str, object]] = lambda sequence: {},
    **wishes: object,
) -> Batch:
    """A staged batch of so many trades, and so many bad lines behind them.

    `values` gives fields of a batch trade, by its sequence.
    """
    account, _ = Account.objects.get_or_create(name="Sim101")
    instrument, _ = Instrument.objects.get_or_create(
        symbol="MNQ 03-26",
        defaults={"root": "MNQ", "kind": "future", "tick_size": Decimal("0.25")},
    )
    batch = Batch.objects.create(
        **{"name": "Monday", "executor": executor, **wishes},
        total_trades=count + bad,
        failed_trades=bad,
    )
    usual = {"account": account, "instrument": instrument, "side": "buy"}
    usual |= {"quantity": Decimal(2), "price": Decimal("21350.25")}
    BatchTrade.objects.bulk_create(
        BatchTrade(batch=batch, sequence=sequence, **(usual | values(sequence)))
        for sequence in range(1, count + 1)
    )
    BatchTrade.objects.bulk_create(
        BatchTrade(
            batch=batch,
            sequence=sequence,
            status=TradeStatus.FAILED,
            error_message="It is a bad line.",
            errors=[{"field": "price", "code": "invalid_price", "error": "It is a bad line."}],
        )
        for sequence in range(count + 1, count + bad + 1)
    )
    return batch


def started(count: int = 3, **wishes: object) -> Batch:
    return start(stage(count, **wishes))


def work_off() -> None:
    """Do what a worker would do with all batches that wait, in this process, without job logs."""
    free_from_the_dead()
    while Batch.objects.due().exists():
        batch_slice(0)


def states_of(batch: Batch) -> list[str]:
    trades = BatchTrade.objects.filter(batch=batch).order_by("sequence")
    return list(trades.values_list("status", flat=True))


def messages_of(batch: Batch) -> list[str]:
    trades = BatchTrade.objects.filter(batch=batch).order_by("sequence")
    return list(trades.values_list("error_message", flat=True))


def assert_true_to_its_trades(batch: Batch) -> None:
    """Counters, states, trades and ledger of a batch say the same."""
    batch.refresh_from_db()
    rows = list(BatchTrade.objects.filter(batch=batch))
    states = Counter(row.status for row in rows)
    assert batch.total_trades == len(rows)
    assert batch.executed_trades == states["executed"]
    assert batch.failed_trades == states["failed"]
    assert batch.cancelled_trades == states["cancelled"]
    booked = {row.trade_id: f"{batch.batch_uid}:{row.sequence}" for row in rows if row.trade_id}
    assert len(booked) == states["executed"]
    trades = Trade.objects.filter(batch=batch)
    assert dict(trades.values_list("pk", "execution_id")) == booked
    ledger = ImportedExecution.objects.filter(execution_id__startswith=f"{batch.batch_uid}:")
    assert dict(ledger.values_list("trade_id", "execution_id")) == booked
    assert set(ledger.values_list("csv_filename", flat=True)) <= {LEDGER_FILE}
    if batch.status not in (Status.PENDING, Status.RUNNING):
        assert (batch.owner, batch.pending_trades) == ("", 0)
