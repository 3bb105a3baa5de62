"""The fills of an account and instrument in their order.

First by when they were executed. Of those of one moment (many brokers tell no more than the second)
by the number that the broker gave, which counts up; those without a number, as they were taken in:
within a file by line. So the order does not depend on which file came first, wherever the broker
numbers its fills. Where the broker states its own position after each fill, that goes first: lists
may be sorted with the newest on top, or by anything else.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import groupby, islice
from operator import attrgetter
from typing import NamedTuple

from trades.stated import stated_position


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

    @property
    def signed_quantity(self) -> Decimal:
        return self.quantity if self.is_buy else -self.quantity


BUYS = {"buy", "buy_to_cover"}
MOST_COMPARED = 50  # fills of one moment
FIELDS = ("pk", *Fill._fields[1:-1])


class Fills:
    """Fills in their order, and what comes next."""

    def __init__(self, fills: Iterable[Fill]) -> None:
        self.moments = moments_of(fills)
        self.moment: deque[Fill] = next(self.moments, deque())

    @property
    def next(self) -> Fill | None:
        return self.moment[0] if self.moment else None

    def take(self, net: Decimal) -> Fill | None:
        """The next one, if so much is held now; below 0 if short."""
        if not self.moment:
            return None
        if len(self.moment) > 1:
            place = place_of_next(self.moment, net)
            fill = self.moment[place]
            del self.moment[place]
            return fill
        [fill], self.moment = self.moment, next(self.moments, deque())
        return fill


def moments_of(fills: Iterable[Fill]) -> Iterator[deque[Fill]]:
    """Those of each moment, which goes on with the rest of one that has ended another position."""
    for _, same in groupby(fills, key=attrgetter("executed_at")):
        moment = deque(same)
        if len(moment) > 1:
            moment = deque(sorted(moment, key=attrgetter("is_rest"), reverse=True))
        yield moment


def place_of_next(moment: deque[Fill], net: Decimal) -> int:
    """The place of the first fill before which the broker held as much as we do; else the first.

    Of several such fills, the first behind which the broker's words still lead to all others.
    Nothing but these fills and what is held decides, so that it is the same wherever one begins
    to compute. A broker who only ever states that nothing is held is not asked.
    """
    if moment[0].is_rest:
        return 0
    steps = [step_of(fill) for fill in islice(moment, MOST_COMPARED)]
    if not any(step and step.after for step in steps):
        return 0
    fitting = [place for place, step in enumerate(steps) if step and step.before == net]
    if len(fitting) > 1:
        fitting = [place for place in fitting if leads_to_all(steps, place)] or fitting
    return fitting[0] if fitting else 0


class Step(NamedTuple):
    """What the broker held before a fill and after it, by its own word."""

    before: Decimal
    after: Decimal


def step_of(fill: Fill) -> Step | None:
    after = stated_position(fill.broker_position)
    return None if after is None else Step(after - fill.signed_quantity, after)


def leads_to_all(steps: list[Step | None], place: int) -> bool:
    """Whether what is held after this one, or after others that follow, is held before each of
    the others. Else they would never have their turn."""
    others = [step for number, step in enumerate(steps) if step and number != place]
    reached, found = {steps[place].after}, 0
    while len(reached) > found:
        found = len(reached)
        reached |= {step.after for step in others if step.before in reached}
    return all(step.before in reached for step in others)


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
