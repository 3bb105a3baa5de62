"""A file of instructions of any length, the same each time, as a batch is staged from."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.generate import ACCOUNTS, ROOTS

HEADER = "Account,Instrument,Side,Quantity,Price,Commission,Time,Order ID\n"
SIDES = ("buy", "sell")
FIRST = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)


def write_file(folder: Path, lines: int) -> None:
    """A file of so many good lines, the same each time, of several accounts and instruments."""
    roots = list(ROOTS.items())
    with (folder / "batch.csv").open("w", encoding="utf-8") as file:
        file.write(HEADER)
        for number in range(lines):
            root, (cents, tick) = roots[number % len(roots)]
            price = cents + number % 400 * tick
            moment = FIRST + timedelta(seconds=7 * number)
            cells = [
                ACCOUNTS[number % len(ACCOUNTS)],
                f"{root} 03-26",
                SIDES[number % 2],
                str(1 + number % 3),
                f"{price // 100}.{price % 100:02}",
                "0.52",
                moment.isoformat(),
                f"O-{number}",
            ]
            file.write(",".join(cells) + "\n")
