"""What each account has closed on each day, added up when positions change, for the dashboard.

The totals change in the transaction that writes the positions (positionrows.py): what a position
was is taken off, what it is is added. Both are exact, so they never part from what the positions
add up to; `rebuild_positions --check` compares them.

A day is one of the zone of the pages. The totals say which zone that was: for another they are not
used, nor when a process of another zone has added to them, until all of them are counted anew.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from operator import attrgetter, itemgetter
from typing import Any, Protocol

from django.db import connection, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from django.utils import timezone

from trades.bulk import insert
from trades.decimals import EXACT, STORED, SumField
from trades.positionmodels import Position
from trades.tallies import Tally
from web.periods import Period

MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
AT_ONCE = 5_000  # positions fetched


class ExactSumField(SumField):
    """A sum that is added to: exact in SQLite as well, which has it as a text."""

    def get_internal_type(self) -> str:
        return "ExactSumField"  # not that of which SQLite keeps 15 digits

    def db_type(self, connection: Any) -> str:
        return "text" if connection.vendor == "sqlite" else "numeric(60, 10)"

    def from_db_value(self, value: Any, *_: object) -> Decimal | None:
        if isinstance(value, float):  # what SQLite has added up itself
            return STORED.create_decimal_from_float(value)
        return None if value is None else Decimal(value)


class DayTotal(models.Model):
    """What an account has closed on a day in one currency; `held` is in microseconds.

    `positions` is the number of all; what else is counted is of those of known P&L.
    """

    account = models.ForeignKey(
        "trades.Account", models.CASCADE, db_index=False, related_name="day_totals"
    )
    currency = models.CharField(max_length=3, blank=True)
    day = models.DateField()
    positions = models.BigIntegerField()
    closed = models.BigIntegerField()
    wins = models.BigIntegerField()
    losses = models.BigIntegerField()
    gross = ExactSumField()
    net = ExactSumField()
    won = ExactSumField()
    held = models.BigIntegerField()

    class Meta:
        db_table = "day_totals"
        default_permissions = ()  # who sees positions sees them
        constraints = [
            models.UniqueConstraint(
                fields=["account", "currency", "day"], name="day_totals_once_a_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id}, {self.day}: {self.net} {self.currency}"


class DayZone(models.Model):
    """The zone of the days of the totals, in one row; none, or '', if they must be counted."""

    zone = models.CharField(max_length=64)

    class Meta:
        db_table = "day_zones"
        default_permissions = ()

    def __str__(self) -> str:
        return self.zone


class Closing(Protocol):
    """What is counted of a position."""

    account_id: int
    opened_at: datetime
    closed_at: datetime | None
    currency: str
    gross_pnl: Decimal | None
    net_pnl: Decimal | None


@dataclass
class Sums(Tally):
    """The numbers of a DayTotal, under the names of its fields: `held` is in microseconds."""

    positions: int = 0

    def add(self, one: Closing, sign: int) -> None:
        self.positions += sign
        net = one.net_pnl
        if net is None:
            return
        self.closed += sign
        self.gross += sign * one.gross_pnl
        self.net += sign * net
        self.held += sign * ((one.closed_at - one.opened_at) // MICROSECOND)
        if net > 0:
            self.wins += sign
            self.won += sign * net
        elif net < 0:
            self.losses += sign


Key = tuple[int, str, date]  # account_id, currency, day
KEY = ("account_id", "currency", "day")
SUMMED = tuple(one.name for one in fields(Sums))
MONEY = ("gross", "net", "won")
values_of = attrgetter(*SUMMED)


def add_up(totals: dict[Key, Sums], closings: Iterable[Closing], sign: int = 1) -> None:
    """Add what was closed of these to the totals; with a sign of -1, take it off."""
    zone = timezone.get_current_timezone()
    for one in closings:
        if one.closed_at is not None:
            day = one.closed_at.astimezone(zone).date()
            totals[one.account_id, one.currency, day].add(one, sign)


# --- As positions change


def follow_closings(before: Iterable[Closing], after: Iterable[Closing]) -> None:
    """Have the totals follow a change of positions, in its transaction."""
    totals: dict[Key, Sums] = defaultdict(Sums)
    add_up(totals, before, -1)
    add_up(totals, after)
    # In one order: of two who change the same ones, one waits, and neither for the other.
    rows = [row for row in rows_of(totals) if any(row[len(KEY) :])]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.executemany(addition(), rows)
    # Not before: who counts all anew waits for what we have added, or has not begun.
    DayZone.objects.exclude(zone__in=["", here()]).update(zone="")


def rows_of(totals: dict[Key, Sums]) -> list[tuple]:
    return [
        (account_id, currency, day.isoformat(), *values_of(sums))
        for (account_id, currency, day), sums in sorted(totals.items(), key=itemgetter(0))
    ]


def addition() -> str:
    """A statement that adds the numbers of a row to those that there are."""
    names = (*KEY, *SUMMED)
    adds = (
        f"{one} = add_exactly(day_totals.{one}, excluded.{one})"
        if one in MONEY and connection.vendor == "sqlite"
        else f"{one} = day_totals.{one} + excluded.{one}"
        for one in SUMMED
    )
    return (
        f"INSERT INTO day_totals ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))}) "
        f"ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET {', '.join(adds)}"
    )


@receiver(connection_created)
def teach_addition(connection: BaseDatabaseWrapper, **_: object) -> None:
    """At the start of a connection: while it reads anything, SQLite changes no function."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("add_exactly", 2, added, deterministic=True)


def added(one: str, other: str) -> str:
    return f"{EXACT.add(Decimal(one), Decimal(other)):f}"


# --- All of them


def here() -> str:
    return timezone.get_current_timezone_name()


def are_kept() -> bool:
    """Whether the totals are those of the days of this zone."""
    return DayZone.objects.filter(zone=here()).exists()


def count_all() -> None:
    """Count all of them anew, for the days of this zone."""
    with transaction.atomic(), localcontext(EXACT):
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # Until then, and from then on, nobody adds to them.
                cursor.execute("LOCK TABLE day_totals IN SHARE ROW EXCLUSIVE MODE")
        DayTotal.objects.all().delete()
        insert(DayTotal, (*KEY, *SUMMED), rows_of(counted(Position.objects.all())))
        DayZone.objects.update_or_create(pk=1, defaults={"zone": here()})


def counted(positions: models.QuerySet) -> dict[Key, Sums]:
    """The totals as these positions give them."""
    totals: dict[Key, Sums] = defaultdict(Sums)
    names = ("account_id", "opened_at", "closed_at", "currency", "gross_pnl", "net_pnl")
    rows = positions.exclude(closed_at=None).order_by().values_list(*names, named=True)
    add_up(totals, rows.iterator(AT_ONCE))
    return totals


def wrong_totals(account: models.Model | None) -> Iterator[str]:
    """A sentence for each total that is not what the positions add up to.

    None while they are not kept: then nobody uses them.
    """
    if not are_kept():
        return
    totals, positions = DayTotal.objects.all(), Position.objects.all()
    if account is not None:
        totals, positions = totals.filter(account=account), positions.filter(account=account)
    with localcontext(EXACT):
        must = counted(positions)
    there = {(row.account_id, row.currency, row.day): row for row in totals}
    for key in sorted({*must, *there}):
        is_, wanted = there.get(key, Sums()), must.get(key, Sums())
        wrong = [name for name in SUMMED if getattr(is_, name) != getattr(wanted, name)]
        if wrong:
            words = (
                f"{name} is {getattr(is_, name)}, must be {getattr(wanted, name)}" for name in wrong
            )
            yield f"the totals of {in_words(key)}: {'; '.join(words)}."


def in_words(key: Key) -> str:
    account_id, currency, day = key
    account = DayTotal.account.field.related_model.objects.get(pk=account_id)
    return f"{account}, {day}, {currency or 'unknown currency'}"


# --- What the dashboard asks for


def kept(period: Period, accounts: list[int]) -> list[tuple[str, date, int, Tally]] | None:
    """By currency and day: how many positions were closed, and the tally of those of known P&L.

    Of all accounts if none are named. None: the totals are not kept for this zone.
    """
    found = DayTotal.objects.filter(period.has_day("day"))
    found = found.filter(account__in=accounts) if accounts else found
    sums = {name: models.Sum(name) for name in SUMMED}
    rows = found.order_by("currency", "day").values_list("currency", "day").annotate(**sums)
    told = [
        (code, day, number, Tally(*numbers, held / SECOND))
        for code, day, *numbers, held, number in rows
        if number
    ]
    # Not before: who adds to those of another zone says so in the same transaction.
    return told if are_kept() else None
