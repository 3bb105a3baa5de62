"""Families of lines, and the files that are made of them: good, bad, twins, repeated, in conflict.

Every line has an order ID that no line of another kind or family has. By it trades are found again,
whatever identity the product gives them.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bench.generate import HEADER

ACCOUNTS = [f"Soak-{number:02}" for number in range(1, 13)]
INSTRUMENTS = ("MNQ 03-26", "MES 03-26", "CL 02-26", "AAPL")
COLUMNS = HEADER.split(",")
BEGINNING = datetime(2026, 1, 5, 6, tzinfo=UTC)
GOOD, TWIN, REPEATED, BAD, CONFLICT = "good", "twin", "repeated", "bad", "conflict"


@dataclass(frozen=True)
class Line:
    """`key` is the execution that it tells of, if it can be read; repeated lines share it."""

    kind: str
    key: str
    order: str
    account: str
    instrument: str
    side: str
    quantity: str
    price: Decimal
    moment: datetime

    @property
    def native_id(self) -> str:
        return "" if self.kind == TWIN else f"exec-{self.order}"

    @property
    def text(self) -> str:
        cells = {
            "Instrument": self.instrument,
            "Action": self.side,
            "Quantity": self.quantity,
            "Price": str(self.price),
            "Time": f"{self.moment:%m/%d/%Y %I:%M:%S %p}",
            "ID": self.native_id,
            "Order ID": self.order,
            "Commission": "$0.52",
            "Account": self.account,
        }
        return ",".join(cells.get(name, "") for name in COLUMNS)

    @property
    def mended(self) -> "Line":
        return replace(self, kind=GOOD, quantity="1")

    @property
    def in_a_backup(self) -> dict[str, str]:
        return {
            "account": self.account,
            "instrument": self.instrument,
            "execution_id": self.native_id,
            "side": self.side.lower(),
            "quantity": self.quantity,
            "price": str(self.price),
            "commission": "0.52",
            "executed_at": f"{self.moment:%Y-%m-%dT%H:%M:%SZ}",
            "order_id": self.order,
        }


def make_lines(name: str, number: int, count: int, chance: random.Random) -> list[Line]:
    """About so many lines. Buys and sells take turns, so that positions become flat again."""
    lines: list[Line] = []
    beginning = BEGINNING + timedelta(minutes=5 * number)
    account, instrument = chance.choice(ACCOUNTS), chance.choice(INSTRUMENTS)
    while len(lines) < count:
        place = len(lines)
        if place % 20 == 0:
            account, instrument = chance.choice(ACCOUNTS), chance.choice(INSTRUMENTS)
        order = f"{name}-{place}"
        line = Line(
            kind=GOOD,
            key=order,
            order=order,
            account=account,
            instrument=instrument,
            side="Sell" if place % 2 else "Buy",
            quantity="1",
            price=Decimal(chance.randrange(10_000, 20_000)) / 4,
            moment=beginning + timedelta(seconds=place),
        )
        lines += as_lines(line, lines, chance)
    return lines


def as_lines(line: Line, before: Sequence[Line], chance: random.Random) -> list[Line]:
    """The line as it is, or with something the matter."""
    dice = chance.random()
    if dice < 0.03:
        return [replace(line, kind=BAD, quantity="abc")]
    if dice < 0.08:
        return [replace(line, kind=TWIN, key=f"{line.key}:{one}") for one in (1, 2)]
    if dice < 0.11 and (good := [one for one in before[-50:] if one.kind == GOOD]):
        return [replace(chance.choice(good), kind=REPEATED)]
    if dice < 0.12 and (good := [one for one in before[-50:] if one.kind == GOOD]):
        return [replace(chance.choice(good), kind=CONFLICT, quantity="7")]
    return [line]


def part_of(lines: Sequence[Line], chance: random.Random) -> list[Line]:
    """The lines from a place on, as of a later export; twins stay together.

    What is in conflict stays away, for the line that it contradicts may not be there.
    """
    first = chance.randrange(len(lines))
    while lines[first].kind == TWIN and first:
        first -= 1
    return [line for line in lines[first:] if line.kind != CONFLICT]


def file_of(lines: Iterable[Line]) -> bytes:
    """As NinjaTrader writes it."""
    return "".join(f"{text}\r\n" for text in (HEADER, *(line.text for line in lines))).encode()
