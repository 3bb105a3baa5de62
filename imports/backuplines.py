"""The lines of a backup, as they are written and read: one JSON object each, under its kind.

First what the file is, then accounts, instruments, deleted executions, trades, what users have
said of positions, and imports (backuplogs.py), in this order; at last how many there are, and the
SHA-256 of all bytes before that line. Version 1 had no positions, version 2 no imports.
"""

import hashlib
import json
import re
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import Any, BinaryIO
from uuid import UUID

from imports.problems import FileError
from trades.models import Account, Instrument, plain
from web.jsontext import require_shallow

NAME = "tradelog backup"
VERSION = 3
READABLE = (1, 2, VERSION)
LONGEST = 4 << 20  # bytes of a line: a trade with very long notes

FIRST, LAST = "_metadata", "_end"
DELETED, TRADE, POSITION = "deleted", "trade", "position"
IMPORT, LINES, MENDED, EXECUTIONS = "import", "lines", "mended", "executions"
OF_LOGS = (IMPORT, LINES, MENDED, EXECUTIONS)
# An execution whose trade was deleted by a user, by the fields that say which.
OF_DELETED = {
    "account": "account__name",
    "instrument": "instrument__symbol",
    "execution_id": "execution_id",
}
# Of a trade, by the name in the line: where it stands in the database.
OF_TRADES = OF_DELETED | {
    name: name
    for name in (
        "side",
        "quantity",
        "price",
        "commission",
        "executed_at",
        "order_id",
        "name",
        "entry_exit",
        "broker_position",
        "connection",
        "notes",
        "reviewed",
    )
}
HEADINGS = list(OF_TRADES)
# A position is known by its first fill; all but what users have said of it is computed.
OF_POSITIONS = {
    "account": "account__name",
    "instrument": "instrument__symbol",
    "execution_id": "first_trade__execution_id",
    "notes": "notes",
    "tags": "tags",
}
# What a restore makes if it is missing, and never changes.
SETTINGS: dict[str, tuple[type[Account] | type[Instrument], tuple[str, ...]]] = {
    "account": (Account, ("name", "broker", "currency", "timezone", "is_active")),
    "instrument": (
        Instrument,
        ("symbol", "root", "expiry", "kind", "currency", "point_value", "tick_size"),
    ),
}
# In their order; within the first and the last part it is free.
PARTS: dict[str, tuple[str, ...]] = {
    "settings": tuple(SETTINGS),
    "deleted ones": (DELETED,),
    "trades": (TRADE,),
    "positions": (POSITION,),
    "imports": OF_LOGS,
}
KINDS = tuple(chain.from_iterable(PARTS.values()))
KNOWN = {1: KINDS.index(POSITION), 2: KINDS.index(IMPORT), 3: len(KINDS)}  # so many, by version
NO_TRADES = {FIRST, LAST, *KINDS} - {TRADE}
# Of nearly every line, and of the longest: they need not be parsed to know what they are.
plain_start = re.compile(f'{{"({TRADE}|{"|".join(OF_LOGS)})"').match

# --- Writing


class BackupWriter:
    """Writes the lines of a backup, counts them, and puts the counts and the checksum at the end.

    The same content makes the same bytes.
    """

    def __init__(self, target: BinaryIO) -> None:
        self.target = target
        self.digest = hashlib.sha256()
        self.counts: Counter[str] = Counter()
        self.size = 0

    def begin(self, **metadata: object) -> None:
        self.write({FIRST: {"format": NAME, "version": VERSION} | metadata})

    def put(self, kind: str, values: object) -> None:
        self.counts[kind] += 1
        self.write({kind: values})

    def end(self) -> None:
        counts = {kind: self.counts[kind] for kind in KINDS}
        self.write({LAST: {"counts": counts, "sha256": self.digest.hexdigest()}})

    def write(self, content: dict[str, object]) -> None:
        line = f"{json.dumps(content, default=as_text)}\n".encode()
        if len(line) > LONGEST:
            raise FileError(
                f"A {next(iter(content))} takes {len(line):,} bytes; at most {LONGEST:,} fit into "
                f"a line of a backup. It begins with {line[:200].decode()}."
            )
        self.target.write(line)
        self.digest.update(line)
        self.size += len(line)


def as_text(value: object) -> str:
    """What JSON has no word for: exact numbers, days, moments in UTC."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return f"{value.replace(tzinfo=None).isoformat()}Z"
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{value!r} has no place in a backup")


# --- Reading


def parsed(line: str) -> tuple[str, Any]:
    """The kind of a line and what it says; numbers as they are written. Raises ValueError."""
    try:
        content = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(content, dict) or len(content) != 1:
        raise ValueError("no object of one kind")
    require_shallow(content)
    return next(iter(content.items()))


def kind_of(line: str) -> str:
    """The kind of a line. What is none passes for a trade, and will fail as one."""
    if plain := plain_start(line):
        return plain[1]
    try:
        kind, _ = parsed(line)
    except ValueError:
        return TRADE
    return kind if kind in NO_TRADES else TRADE


def cells_of(line: str) -> list[str]:
    """A trade as the cells below HEADINGS; the whole line as one cell if it is none.

    What has no heading follows behind, so that the line fails instead of losing it.
    """
    try:
        kind, values = parsed(line)
        if kind != TRADE or not isinstance(values, dict):
            return [line.strip()]
        cells = [as_cell(values.pop(name, None)) for name in HEADINGS]
        cells += [f"{name}: {value}" for name, value in values.items()]
        require_text("".join(cells))
    except ValueError:
        return [line.strip()]
    return cells


def as_cell(value: object) -> str:
    """A value as it would stand in a CSV file. Raises ValueError for a list or an object."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, str):
        return value or ""
    raise ValueError("no word and no number")


def require_text(text: str) -> None:
    """Raise ValueError for what no database keeps: NUL, and halves of characters."""
    text.encode()
    if "\0" in text:
        raise ValueError("a NUL character")
