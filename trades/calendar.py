"""The P&L of each day as the sheets of a calendar."""

from calendar import Calendar, day_abbr
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby, islice
from operator import itemgetter

from django.utils.safestring import SafeString

from trades.tables import money, won_or_lost
from trades.tallies import NOTHING, Tally
from web.periods import begin_of, month_after

Days = dict[date, Tally]
WEEKDAYS = list(day_abbr)
SHEETS = 12  # months that are shown day by day
MOST_MONTHS = 120  # that are named
CALENDAR = Calendar()  # weeks begin on Monday


@dataclass(frozen=True)
class Cell:
    """A day of a month; `tally` is None if nothing was closed."""

    day: date
    tally: Tally | None

    @property
    def net(self) -> str:
        """With its sign: the colour says no more."""
        return signed(self.tally.net) if self.tally else ""


@dataclass(frozen=True)
class Sheet:
    """A month: its days by the week, None where the week is in another month."""

    first: date
    total: Tally
    weeks: list[list[Cell | None]]

    @property
    def last(self) -> date:
        return month_after(self.first) - timedelta(days=1)

    @property
    def net(self) -> SafeString:
        return won_or_lost(self.total.net)


def signed(number: Decimal) -> str:
    return f"{number:+,.2f}" if round(number, 2) else money(NOTHING)


def sheets(days: Days) -> list[Sheet]:
    """The months in which something was closed, the newest first; old ones without their weeks."""
    newest_first = sorted(days.items(), reverse=True, key=itemgetter(0))
    by_month = groupby(newest_first, key=lambda one: begin_of("month", one[0]))
    found: list[Sheet] = []
    for first, of_month in islice(by_month, MOST_MONTHS):
        tallies = dict(of_month)
        weeks = weeks_of(first, tallies) if len(found) < SHEETS else []
        found.append(Sheet(first, sum(tallies.values(), Tally()), weeks))
    return found


def weeks_of(first: date, days: Days) -> list[list[Cell | None]]:
    return [
        [Cell(day, days.get(day)) if day.month == first.month else None for day in week]
        for week in CALENDAR.monthdatescalendar(first.year, first.month)
    ]
