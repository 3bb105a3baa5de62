"""A page of a batch's trades, found by key: as quick at the last of 100,000 as at the first."""

from dataclasses import dataclass

from django.db.models import QuerySet

from batches.models import BatchTrade
from web.numbers import whole_number

PAGE = 50


@dataclass(frozen=True)
class TradePage:
    """Trades in their sequence. `previous` and `next` are the sequences to go on from."""

    trades: list[BatchTrade]
    previous: int | None = None
    next: int | None = None


def trade_page(trades: QuerySet[BatchTrade], first: str = "") -> TradePage:
    """Up to 50 of the trades of one batch from the sequence `first` on; no number is not given."""
    start = whole_number(first) or 0
    here = trades.filter(sequence__gte=start).order_by("sequence")
    found = list(here.select_related("account", "instrument", "trade")[: PAGE + 1])
    before = trades.filter(sequence__lt=start).order_by("-sequence")
    sequences_before = list(before.values_list("sequence", flat=True)[:PAGE])
    return TradePage(
        found[:PAGE],
        sequences_before[-1] if sequences_before else None,
        found[PAGE].sequence if len(found) > PAGE else None,
    )
