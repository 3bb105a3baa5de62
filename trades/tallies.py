"""What was closed within some time, and the figures that follow from it."""

from dataclasses import dataclass, fields
from decimal import Decimal

NOTHING = Decimal(0)


@dataclass
class Tally:
    """What was closed within some time, of known P&L; `held` is in seconds."""

    closed: int = 0
    wins: int = 0
    losses: int = 0
    gross: Decimal = NOTHING
    net: Decimal = NOTHING
    won: Decimal = NOTHING
    held: float = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, name) + getattr(other, name) for name in COUNTED))

    @property
    def commission(self) -> Decimal:
        return self.gross - self.net

    @property
    def lost(self) -> Decimal:
        """Not above 0."""
        return self.net - self.won

    @property
    def even(self) -> int:
        return self.closed - self.wins - self.losses

    @property
    def win_rate(self) -> Decimal | None:
        """In percent."""
        decided = self.wins + self.losses
        return Decimal(100 * self.wins) / decided if decided else None

    @property
    def profit_factor(self) -> Decimal | None:
        return self.won / -self.lost if self.lost else None

    @property
    def average_win(self) -> Decimal | None:
        return self.won / self.wins if self.wins else None

    @property
    def average_loss(self) -> Decimal | None:
        return self.lost / self.losses if self.losses else None

    @property
    def holding_time(self) -> float | None:
        """Seconds."""
        return self.held / self.closed if self.closed else None


COUNTED = tuple(one.name for one in fields(Tally))
