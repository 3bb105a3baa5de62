"""A NinjaTrader file of any length, the same each time: what it says depends on its length alone.

Of every hundred lines one cannot be read and five are known from an earlier import.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TextIO

HEADER = (
    "Instrument,Action,Quantity,Price,Time,ID,E/X,Position,Order ID,Name,"
    "Commission,Rate,Account,Connection,"
)
ZONE = "America/Chicago"  # of the times, which stay clear of the hours that a clock change moves
ACCOUNTS = ("LIVE-7001", "LIVE-7002", "EVAL-50K-1", "EVAL-50K-2", "EVAL-150K", "Sim101")
# The last price and the tick, in hundredths.
ROOTS = {"MNQ": (2135050, 25), "MES": (601575, 25), "ES": (601575, 25), "CL": (6831, 1)}
SIDES = ("Buy", "Sell", "SellShort", "BuyToCover")
FIRST_DAY = date(2024, 1, 16)  # a day above 12, so that its date can be read in one way only
OPENING = time(8, 30)
FILLS_A_DAY = 1_000
SECONDS_BETWEEN = 23  # so a day's fills end in the early afternoon

# What is wrong with a line that cannot be read: the cell and what stands in it.
FAULTS = (
    {"quantity": "abc"},
    {"price": "n/a"},
    {"side": "Hold"},
    {"time": "13/45/2026 9:31:02 AM"},
)


@dataclass(frozen=True)
class Expected:
    """What must become of the lines of a file."""

    lines: int
    bad: int
    known: int

    @property
    def taken(self) -> int:
        return self.lines - self.bad - self.known


def write_files(folder: Path, lines: int) -> Expected:
    """Write `fills.csv` and `earlier.csv`, which holds those of its lines that are to be known."""
    bad = known = 0
    with (
        (folder / "fills.csv").open("w", encoding="utf-8-sig", newline="") as fills,
        (folder / "earlier.csv").open("w", encoding="utf-8-sig", newline="") as earlier,
    ):
        put(fills, HEADER)
        put(earlier, HEADER)
        for number, line in enumerate(fill_lines(lines)):
            put(fills, line)
            bad += is_bad(number)
            if is_known(number):
                known += 1
                put(earlier, line)
    return Expected(lines, bad, known)


def put(file: TextIO, line: str) -> None:
    file.write(f"{line}\r\n")  # as NinjaTrader ends its lines


def is_bad(number: int) -> bool:
    return number % 100 == 37


def is_known(number: int) -> bool:
    return number % 20 == 3


def fill_lines(count: int) -> Iterator[str]:
    """Lines in the order of their times, FILLS_A_DAY on each working day."""
    chance = random.Random(f"tradelog {count}")
    prices = {root: price for root, (price, _) in ROOTS.items()}
    for number in range(count):
        day, place = divmod(number, FILLS_A_DAY)
        opening = datetime.combine(working_day(day), OPENING)
        seconds = place * SECONDS_BETWEEN + chance.randrange(SECONDS_BETWEEN)
        yield fill_line(number, opening + timedelta(seconds=seconds), prices, chance)


def working_day(number: int) -> date:
    """The day of that number, counting from Tuesday, FIRST_DAY, without Saturdays and Sundays."""
    weeks, day = divmod(number + FIRST_DAY.weekday(), 5)
    return FIRST_DAY + timedelta(weeks=weeks, days=day - FIRST_DAY.weekday())


def fill_line(number: int, moment: datetime, prices: dict[str, int], chance: random.Random) -> str:
    """One line; the price of its instrument moves on by a few ticks."""
    root = chance.choice(tuple(ROOTS))
    prices[root] = max(1_000, prices[root] + chance.randint(-4, 4) * ROOTS[root][1])
    quantity = chance.randint(1, 5)
    cells = {
        "instrument": contract(root, moment),
        "side": chance.choice(SIDES),
        "quantity": str(quantity),
        "price": f"{prices[root] // 100}.{prices[root] % 100:02}",
        "time": f"{moment.month}/{moment.day}/{moment.year} {clock(moment)}",
        "id": f"{chance.getrandbits(128):032x}",
        "entry_exit": chance.choice(("Entry", "Exit")),
        "position": chance.choice(("-", "1 L", "2 L", "1 S", "2 S")),
        "order": f"{chance.getrandbits(128):032x}",
        "name": chance.choice(("Entry", "Stop1", "Target1", "Close")),
        "commission": f"${52 * quantity // 100}.{52 * quantity % 100:02}",
        "rate": "1",
        "account": chance.choice(ACCOUNTS),
        "connection": "Rithmic",
    }
    if is_bad(number):
        cells |= FAULTS[number // 100 % len(FAULTS)]
    return ",".join([*cells.values(), ""])


def contract(root: str, moment: datetime) -> str:
    """The contract of the quarter: MNQ 03-24."""
    return f"{root} {(moment.month + 2) // 3 * 3:02}-{moment:%y}"


def clock(moment: datetime) -> str:
    """9:31:02 AM, without a zero in front."""
    return f"{moment:%I:%M:%S %p}".lstrip("0")
