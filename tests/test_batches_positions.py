"""The trades of a batch have positions like any others, and lose them with a rollback."""

from decimal import Decimal

import pytest

from batches.control import undo
from batches.undoing import undo_slice
from tests.batching import started, work_off
from trades.models import Position
from trades.touched import touched_pairs

pytestmark = pytest.mark.django_db


def a_round_trip(sequence: int) -> dict[str, object]:
    """Two are bought, and sold ten points higher."""
    side, price = ("buy", "100") if sequence % 2 else ("sell", "110")
    return {"side": side, "price": Decimal(price)}


def test_a_batch_makes_positions() -> None:
    started(5, values=a_round_trip)
    work_off()
    closed = Position.objects.closed()
    assert [(one.peak_quantity, one.average_exit) for one in closed] == [(2, 110), (2, 110)]
    assert Position.objects.open().get().net_quantity == 2


def test_a_rollback_takes_them_away() -> None:
    batch = started(5, values=a_round_trip)
    work_off()
    undo(batch)
    undo_slice(batch.pk)
    assert not Position.objects.exists()
    assert not touched_pairs()
