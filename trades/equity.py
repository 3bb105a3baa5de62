"""The net P&L of closed positions, added up one after the other, as a curve."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby

from django.db.models import QuerySet
from django.utils.safestring import SafeString

from trades.course import HEIGHT, WIDTH, Scale
from trades.figures import KNOWN, InCurrency
from trades.models import Position
from trades.tables import moment, money, won_or_lost
from trades.tallies import NOTHING
from web.dayrange import beginning
from web.periods import MOST_STEPS, begin_of, step_for

BEFORE = timedelta(hours=1)  # the curve begins at 0 so long before its first point, or longer


@dataclass(frozen=True)
class Point:
    """What a position, day, week, month or year brought, and the sum since the beginning."""

    at: datetime
    name: str | SafeString
    closed: int
    brought: Decimal
    level: Decimal

    @property
    def net(self) -> SafeString:
        return won_or_lost(self.brought)

    @property
    def equity(self) -> str:
        return money(self.level)


@dataclass(frozen=True)
class Curve:
    """`step` is what a point stands for. Of a drawing of `width` × `height`, 0 lies at `zero`."""

    step: str
    points: list[Point]
    line: str
    zero: float
    high: str
    low: str
    width: int = WIDTH
    height: int = HEIGHT


def curve(closed: QuerySet[Position], found: InCurrency) -> Curve | None:
    """Position by position if there are not too many, else by the day, week, month or year.

    None if there is nothing to add up.
    """
    if not found.total.closed:
        return None
    if found.total.closed <= MOST_STEPS:
        step, steps = "position", each_position(closed, found.currency)
    else:
        step = step_for(min(found.days), max(found.days))
        steps = in_steps(found, step)
    points = list(added_up(steps))
    return drawn(step, points) if points else None


Step = tuple[datetime, str, int, Decimal]


def each_position(closed: QuerySet[Position], code: str) -> Iterator[Step]:
    rows = closed.filter(KNOWN, currency=code).order_by("closed_at", "pk")
    for at, net in rows.values_list("closed_at", "net_pnl")[:MOST_STEPS]:
        yield at, moment(at), 1, net


def in_steps(found: InCurrency, step: str) -> Iterator[Step]:
    def step_of(one: tuple[date, object]) -> date:
        return begin_of(step, one[0])

    for first, days in groupby(found.days.items(), key=step_of):
        tallies = [tally for _, tally in days]
        brought = sum((one.net for one in tallies), NOTHING)
        yield beginning(first), str(first), sum(one.closed for one in tallies), brought


def added_up(steps: Iterable[Step]) -> Iterator[Point]:
    level = NOTHING
    for at, name, closed, brought in steps:
        level += brought
        yield Point(at, name, closed, brought, level)


def drawn(step: str, points: list[Point]) -> Curve:
    """From 0, shortly before the first point, straight from one to the next."""
    first, last = points[0].at, points[-1].at
    begun = first - max(BEFORE, (last - first) / MOST_STEPS)
    scale = Scale(
        [begun, *(point.at for point in points)], [NOTHING, *(one.level for one in points)]
    )
    places = zip(map(scale.x, range(len(scale.moments))), map(scale.y, scale.values), strict=True)
    line = " ".join(f"{x:g},{y:g}" for x, y in places)
    return Curve(step, points, line, scale.y(NOTHING), money(scale.most), money(scale.least))
