"""What positions have brought, added up by the database: by day, by instrument, at the worst.

How it is counted:

- Counted are closed positions whose P&L is known, by the day of their closing in the zone of the
  pages. What was exited of an open position is not in it, nor what is of unknown P&L; how many
  positions those are is said beside it.
- Currencies are never added up, as nothing is converted.
- A position won if its net P&L, after commission, is above 0, and lost if it is below; at 0 it is
  even. The win rate is wins / (wins + losses): even positions are in neither. The average win and
  the average loss are those of net P&L. The profit factor is what was won divided by what was
  lost; it is None while nothing was lost.
- The largest drawdown is the farthest that the sum of net P&L, which begins at 0, was below its
  highest level before: position by position, in the order of their closing, not day by day.
- The holding time is the average from opening to closing.

The sums of days are kept (daytotals.py), and so is each exact. Where SQLite adds those of several
accounts, or the positions of an instrument, it does so with 15 digits, of which Django keeps those
that can be trusted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, Count, F, Func, Q, QuerySet, Sum, Window
from django.db.models.expressions import RowRange
from django.db.models.functions import Abs
from django.utils import timezone

from trades.daytotals import kept
from trades.decimals import storable
from trades.models import Instrument, Position
from trades.tallies import COUNTED, Tally
from web.clock import SecondsBetween, local_day
from web.periods import Period

KNOWN = Q(net_pnl__isnull=False)
WON, LOST = Q(net_pnl__gt=0), Q(net_pnl__lt=0)
LARGEST_WHOLE = Decimal(9 * 10**18)  # that fits into 64 bits
MOST_DECIMALS = 10


# As long as the P&L is unknown, both gross and net are null, and nothing adds or counts them.
SUMS = {
    "closed": Count("net_pnl"),
    "wins": Count("pk", filter=WON),
    "losses": Count("pk", filter=LOST),
    "gross": Sum("gross_pnl"),
    "net": Sum("net_pnl"),
    "won": Sum("net_pnl", filter=WON),
    "held": Sum(SecondsBetween("opened_at", "closed_at"), filter=KNOWN),
}


@dataclass
class InCurrency:
    """All that was closed in one currency ('' is unknown), by day, the earliest first.

    `unknown` closed positions of unknown P&L, and `open` ones, are not in it.
    """

    currency: str
    days: dict[date, Tally] = field(default_factory=dict)
    unknown: int = 0
    open: int = 0

    def __post_init__(self) -> None:
        self.total = sum(self.days.values(), Tally())


def chosen_positions(period: Period, accounts: Iterable[int] = ()) -> QuerySet[Position]:
    """Those that were closed in a period, in these accounts if any are named."""
    found = Position.objects.closed().filter(period.has("closed_at")).order_by()
    return found.filter(account_id__in=list(accounts)) if accounts else found


def by_currency(period: Period, accounts: Iterable[int] = ()) -> list[InCurrency]:
    """Of each currency the sums of each day; the currency with the most positions comes first."""
    accounts = list(accounts)
    rows = kept(period, accounts)
    if rows is None:
        rows = counted_now(chosen_positions(period, accounts))
    days: dict[str, dict[date, Tally]] = {}
    unknown: dict[str, int] = {}
    for code, day, number, tally in rows:
        unknown[code] = unknown.get(code, 0) + number - tally.closed
        of_code = days.setdefault(code, {})
        if tally.closed:
            of_code[day] = tally
    found = [InCurrency(code, of_code, unknown[code]) for code, of_code in days.items()]
    return sorted(found, key=lambda one: (-one.total.closed, -one.unknown, one.currency))


def counted_now(closed: QuerySet[Position]) -> Iterator[tuple[str, date, int, Tally]]:
    """The same as daytotals.kept, by adding up the positions."""
    rows = closed.values(code=F("currency"), day=local_day("closed_at", closed))
    rows = rows.annotate(**SUMS, number=Count("pk")).order_by("code", "day")
    for code, day, number, *sums in rows.values_list("code", "day", "number", *COUNTED):
        yield code, day, number, Tally(*(one or 0 for one in sums))


def by_instrument(closed: QuerySet[Position], code: str, most: int) -> list[tuple[str, Tally]]:
    """The instruments of a currency that made the most difference, the largest gain first."""
    rows = closed.filter(KNOWN, currency=code).values_list("instrument")
    sums = {name: SUMS[name] for name in ("closed", "wins", "losses", "net")}
    found = rows.annotate(**sums).order_by(Abs("net").desc(), "instrument")[:most]
    tallies = {key: Tally(**dict(zip(sums, numbers, strict=True))) for key, *numbers in found}
    named = Instrument.objects.in_bulk(tallies)
    told = [(named[key].symbol, tally) for key, tally in tallies.items() if key in named]
    return sorted(told, key=lambda one: (-one[1].net, one[0]))


# --- The largest drawdown


@dataclass(frozen=True)
class Drawdown:
    """`amount` is above 0; the bottom was reached when a position was closed at `at`."""

    amount: Decimal
    at: datetime


# Of the positions in their order: the sum until then, and how far it lies below its peak. The row
# order of the inner query is that of both windows.
DEEPEST = """
    SELECT closed_at, CASE WHEN peak > 0 THEN peak ELSE 0 END - level AS depth FROM (
        SELECT closed_at, id, level, MAX(level) OVER (
            ORDER BY closed_at, id ROWS UNBOUNDED PRECEDING
        ) AS peak FROM ({levels}) levels
    ) peaks ORDER BY depth DESC, closed_at, id LIMIT 1
"""


def largest_drawdown(closed: QuerySet[Position], code: str, total: Tally) -> Drawdown | None:
    """Of one currency, exact to the last decimal; None if there was none."""
    decimals = decimals_within(max(total.won, -total.lost))
    amount: Any = F("net_pnl")
    if connection.vendor == "sqlite":
        # It adds decimals as floats, which err a little more with each; whole numbers do not.
        amount = Func(
            amount,
            template=f"CAST(ROUND(%(expressions)s * {10**decimals}) AS INTEGER)",
            output_field=BigIntegerField(),
        )
    frame = RowRange(start=None, end=0)
    level = Window(Sum(amount), order_by=["closed_at", "pk"], frame=frame)
    levels = closed.filter(KNOWN, currency=code).annotate(level=level)
    inner, values = levels.values("closed_at", "id", "level").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(DEEPEST.format(levels=inner), values)
        row = cursor.fetchone()
    if row is None or not row[1]:
        return None
    depth = row[1]
    if connection.vendor == "sqlite":
        depth = storable(Decimal(depth).scaleb(-decimals))
    return Drawdown(depth, aware(row[0]))


def decimals_within(largest: Decimal) -> int:
    """How many decimals a sum that may become so large has room for, as a whole number."""
    fitting = (one for one in range(MOST_DECIMALS, 0, -1) if largest.scaleb(one) < LARGEST_WHOLE)
    return next(fitting, 0)


def aware(moment: datetime) -> datetime:
    """SQLite keeps moments without their zone, which is UTC."""
    return moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)
