"""What becomes of a batch that a worker works on."""

from decimal import Decimal

import pytest

from batches.states import Status
from tests.batching import (
    assert_true_to_its_trades,
    started,
    states_of,
    work_off,
)
from trades.models import Trade

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_batch_is_executed_and_booked() -> None:
    batch = started(3, values=lambda sequence: {"trade_name": f"No. {sequence}", "notes": "why"})
    work_off()
    batch.refresh_from_db()
    assert (batch.status, batch.executed_trades, batch.error_summary) == (Status.SUCCESS, 3, "")
    assert states_of(batch) == ["executed"] * 3
    assert_true_to_its_trades(batch)
    trade = Trade.objects.get(batch_trade__sequence=2)
    assert (trade.name, trade.notes, trade.side) == ("No. 2", "why", "buy")
    assert (trade.quantity, trade.price) == (Decimal(2), Decimal("21350.25"))
