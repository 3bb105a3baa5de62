"""The fills of an account and instrument in their order.

First by when they were executed. Of those of one moment (many brokers tell no more than the second)
by the number that the broker gave, which counts up; those without a number, as they were taken in:
within a file by line. So the order does not depend on which file came first, wherever the broker
numbers its fills.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple


class Fill(NamedTuple):
    """What positions need of a trade, or of a part of it, in the order of FIELDS."""

    trade_id: int
    side: str
    quantity: Decimal
    price: Decimal
    commission: Decimal
    executed_at: datetime
    execution_id: str
    entry_exit: str
    broker_position: str
    is_rest: bool = False  # of one that has ended another position

    @property
    def is_buy(self) -> bool:
        return self.side in BUYS


BUYS = {"buy", "buy_to_cover"}
FIELDS = ("pk", *Fill._fields[1:-1])


class Fills:
    """An iterator that knows what comes next."""

    def __init__(self, fills: Iterable[Fill]) -> None:
        self.rest = iter(fills)
        self.next = next(self.rest, None)

    def __iter__(self) -> Iterator[Fill]:
        while (fill := self.next) is not None:
            self.next = next(self.rest, None)
            yield fill


class Share(NamedTuple):
    """How much of a fill positions have that are not computed anew."""

    quantity: Decimal
    commission: Decimal


def without(fills: Iterable[Fill], taken: dict[int, Share]) -> Iterator[Fill]:
    """The fills, less what is taken of them; by trade_id."""
    left = dict(taken)
    for fill in fills:
        share = left.pop(fill.trade_id, None) if left else None
        if share is None:
            yield fill
        elif share.quantity < fill.quantity:
            yield fill._replace(
                quantity=fill.quantity - share.quantity,
                commission=fill.commission - share.commission,
                is_rest=True,
            )


def in_order(fills: Iterable[Fill]) -> Iterator[Fill]:
    """Those of one moment by their numbers. They must come by executed_at, then by id."""
    for _, same in groupby(fills, key=attrgetter("executed_at")):
        moment = list(same)
        if len(moment) > 1:
            moment.sort(key=number_of)
        yield from moment


def number_of(fill: Fill) -> tuple[int, str]:
    """The execution id as a number to sort by: 9 before 10. The same for all that are none."""
    text = fill.execution_id
    if not (text.isascii() and text.isdecimal()):
        return 0, ""
    digits = text.lstrip("0")
    return len(digits) + 1, digits
