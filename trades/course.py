"""How a position came about: what was held and what was won after each of its fills, as a drawing.

What is drawn is the net P&L of what was exited so far, by the average cost of what was held, as the
position itself is counted (runs.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, localcontext

from trades.decimals import EXACT, plain, storable
from trades.models import Position, PositionTrade, Trade

MOST_DRAWN = 5_000  # fills; of more, only the fills are shown
WIDTH = 600  # of a drawing, in its own units
HEIGHT = 80
NOTHING = Decimal(0)
BUYS = {Trade.Side.BUY, Trade.Side.BUY_TO_COVER}


@dataclass(frozen=True)
class Step:
    """What is so after a fill. `held` has a sign; `net` is None if a point's worth is unknown."""

    executed_at: datetime
    held: Decimal
    net: Decimal | None


@dataclass
class Holding:
    """What is held of one position, and what its exits have brought above their cost."""

    is_long: bool
    quantity: Decimal = NOTHING
    cost: Decimal = NOTHING
    gained: Decimal = NOTHING
    commission: Decimal = NOTHING

    def take(self, part: PositionTrade) -> None:
        value = part.trade.price * part.quantity
        if (part.trade.side in BUYS) == self.is_long:
            self.quantity += part.quantity
            self.cost += value
        elif self.quantity:
            cost = self.cost * part.quantity / self.quantity
            self.gained += value - cost if self.is_long else cost - value
            self.cost -= cost
            self.quantity -= part.quantity
        self.commission += part.commission


def course(position: Position, parts: Iterable[PositionTrade]) -> dict[int, Step]:
    """The step of each of these parts, by its number; they are all parts of the position."""
    holding = Holding(position.direction == Position.Direction.LONG)
    worth = position.instrument.point_value if position.gross_pnl is not None else None
    sign = 1 if holding.is_long else -1
    steps = {}
    with localcontext(EXACT):
        for part in parts:
            holding.take(part)
            net = None if worth is None else storable(holding.gained * worth - holding.commission)
            steps[part.pk] = Step(part.trade.executed_at, sign * holding.quantity, net)
    return steps


# --- The drawing


@dataclass(frozen=True)
class Drawing:
    """A line of `width` × `height`; 0 lies `zero` below the top. `low` and `high` are its ends."""

    title: str
    points: str
    zero: float
    low: str
    high: str
    width: int = WIDTH
    height: int = HEIGHT


@dataclass
class Scale:
    """From moments and amounts to places in the drawing. 0 is always in it."""

    moments: list[datetime]
    values: list[Decimal]
    least: Decimal = field(init=False)
    most: Decimal = field(init=False)

    def __post_init__(self) -> None:
        self.least, self.most = min(NOTHING, *self.values), max(NOTHING, *self.values)

    def x(self, number: int) -> float:
        """By the clock; where all is of one moment, by the order."""
        first, last = self.moments[0], self.moments[-1]
        if first == last:
            return round(WIDTH * (number + 1) / len(self.moments), 2)
        return round(WIDTH * ((self.moments[number] - first) / (last - first)), 2)

    def y(self, value: Decimal) -> float:
        span = self.most - self.least
        return round(float((self.most - value) / span) * HEIGHT, 2) if span else float(HEIGHT)


def drawing(title: str, moments: list[datetime], values: list[Decimal]) -> Drawing:
    """A line that goes on level until the next value."""
    scale = Scale(moments, [NOTHING, *values])
    points, level = [(0.0, scale.y(NOTHING))], scale.y(NOTHING)
    for number, value in enumerate(values):
        x = scale.x(number)
        points.append((x, level))
        level = scale.y(value)
        points.append((x, level))
    points.append((float(WIDTH), level))
    words = " ".join(f"{x:g},{y:g}" for x, y in points)
    ends = [plain(round(one, 2)) for one in (scale.least, scale.most)]
    return Drawing(title, words, scale.y(NOTHING), *ends)


def drawings(steps: Iterable[Step]) -> list[Drawing]:
    """Of what was held, and of the net P&L if that is known."""
    steps = list(steps)
    if not steps:
        return []
    moments = [step.executed_at for step in steps]
    found = [drawing("Quantity held", moments, [step.held for step in steps])]
    nets = [step.net for step in steps if step.net is not None]
    return [*found, drawing("Net P&L", moments, nets)] if nets else found
