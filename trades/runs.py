"""From fills to runs: from flat to flat, with what was paid and received. Pure arithmetic.

All of it is exact as long as the surrounding decimal context has enough digits (decimals.EXACT).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from trades.decimals import storable
from trades.fills import Fill, Fills
from trades.integrity import Finding, Terms, Watch
from trades.stated import stated_position

NOTHING = Decimal(0)


@dataclass(slots=True)
class Run:
    """Fills from flat to flat; `closed_at` is None while something is held.

    Values are price times quantity. `cost` is what is held now has cost, entries by their average;
    `gained` what the exits brought above theirs: above 0 is a profit, whichever the direction.
    """

    is_long: bool
    opened_at: datetime
    watch: Watch
    closed_at: datetime | None = None
    held: Decimal = NOTHING
    peak: Decimal = NOTHING
    entry_quantity: Decimal = NOTHING
    entry_value: Decimal = NOTHING
    exit_quantity: Decimal = NOTHING
    exit_value: Decimal = NOTHING
    cost: Decimal = NOTHING
    gained: Decimal = NOTHING
    commission: Decimal = NOTHING
    trade_ids: list[int] = field(default_factory=list)
    quantities: list[Decimal] = field(default_factory=list)
    commissions: list[Decimal] = field(default_factory=list)

    def enter(self, fill: Fill) -> None:
        """Hold more."""
        value = fill.price * fill.quantity
        self.held += fill.quantity
        self.peak = max(self.peak, self.held)
        self.entry_quantity += fill.quantity
        self.entry_value += value
        self.cost += value
        self.take(fill)

    def leave(self, fill: Fill) -> None:
        """Hold less, or nothing."""
        value = fill.price * fill.quantity
        self.exit_quantity += fill.quantity
        self.exit_value += value
        if fill.quantity == self.held:
            self.close(fill.executed_at)
        else:
            cost = self.cost * fill.quantity / self.held
            self.gained += value - cost if self.is_long else cost - value
            self.cost -= cost
            self.held -= fill.quantity
        self.take(fill)

    def close(self, moment: datetime) -> None:
        # Of the whole run, without what divisions have rounded.
        won = self.exit_value - self.entry_value
        self.gained = won if self.is_long else -won
        self.held = self.cost = NOTHING
        self.closed_at = moment

    def take(self, fill: Fill) -> None:
        self.trade_ids.append(fill.trade_id)
        self.quantities.append(fill.quantity)
        self.commissions.append(fill.commission)
        self.commission += fill.commission

    @property
    def net(self) -> Decimal:
        return self.held if self.is_long else -self.held

    @property
    def has_stated(self) -> bool:
        """Whether the broker states anything but "flat" after one of its fills."""
        last = self.watch.moment
        return self.watch.has_stated or any(stated_position(one.broker_position) for one in last)

    def findings(self) -> list[Finding]:
        return self.watch.findings(is_open=self.closed_at is None)


def runs(fills: Fills, terms: Terms) -> Iterator[Run]:
    """The runs of these fills, in their order; only the last may be open.

    A fill that takes more than is held is split between the run that it ends and the next one.
    """
    run: Run | None = None
    while fill := fills.take(run.net if run else NOTHING):
        if run is None:
            run = opened_by(fill, terms)
        elif fill.is_buy == run.is_long:
            run.enter(fill)
            run.watch.opens(fill)
        elif fill.quantity <= run.held:
            run.leave(fill)
        else:
            run.watch.arrives(fill)
            ending, fill = split(fill, run.held)
            run.leave(ending)
            yield run
            run = opened_by(fill, terms)
        run.watch.after(fill, run.net)
        if run.closed_at is not None:
            yield run
            run = None
    if run is not None:
        yield run


def opened_by(fill: Fill, terms: Terms) -> Run:
    run = Run(fill.is_buy, fill.executed_at, Watch(terms, fill))
    run.enter(fill)
    run.watch.opens(fill)
    return run


def split(fill: Fill, quantity: Decimal) -> tuple[Fill, Fill]:
    """A fill of that quantity and one of the rest; their commissions add up to the whole."""
    commission = storable(fill.commission * quantity / fill.quantity)
    rest = {"quantity": fill.quantity - quantity, "commission": fill.commission - commission}
    return fill._replace(quantity=quantity, commission=commission), fill._replace(
        **rest, is_rest=True
    )
