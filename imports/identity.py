"""The identity of an execution: what makes it known when it comes again.

The broker's own id where there is one. Else the content and the number of its occurrence among
the identical lines of its file: the second of two genuine twins is "the second such fill" however
often the file is read, so twins survive and reading again changes nothing.
"""

import hashlib
import json
import sqlite3
from collections import Counter
from decimal import Decimal
from functools import lru_cache

from trades.models import plain


def identities(columns: dict[str, list[str | None]], twins: "TwinCounter") -> list[str | None]:
    """The identity of each execution in these columns; None where the native_id is None."""
    ids = list(columns["native_id"])
    nameless = [place for place, native_id in enumerate(ids) if native_id == ""]
    if nameless:
        contents = list(zip(*(columns[name] for name in CONTENT), strict=True))
        digests = [digest(*contents[place]) for place in nameless]
        for place, content, occurrence in zip(nameless, digests, twins.count(digests), strict=True):
            ids[place] = f"content:{content}:{occurrence}"
    return ids


CONTENT = ("account", "symbol", "side", "quantity", "price", "executed_at")


def digest(
    account: str, symbol: str, side: str, quantity: str, price: str, executed_at: str
) -> str:
    """16 bytes, in hex, of the content that every export of this fill agrees on.

    Columns that a user may hide (order, name, commission…) do not count; the spelling of numbers,
    symbol and time zone does not matter.
    """
    moment = f"{executed_at.replace(' ', 'T')}+00:00"
    content = (account, symbol, side, shortest(quantity), shortest(price), moment)
    return hashlib.sha256("\x1f".join(content).encode()).hexdigest()[:32]


@lru_cache(20_000)
def shortest(number: str) -> str:
    return plain(Decimal(number))


class TwinCounter:
    """How often each content has occurred so far in a file.

    Kept in a temporary database of its own, which spills to disk: a file of millions of lines
    without ids needs no more memory than a small one.
    """

    def __init__(self) -> None:
        self.database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self.database.execute("CREATE TABLE seen (content TEXT PRIMARY KEY, n INT) WITHOUT ROWID")

    def count(self, contents: list[str]) -> list[int]:
        """The occurrence number of each content, counting from 1 across all calls."""
        fresh = json.dumps(Counter(contents))
        seen = Counter(
            dict(
                self.database.execute(
                    "SELECT content, n FROM seen WHERE content IN (SELECT key FROM json_each(?))",
                    (fresh,),
                )
            )
        )
        self.database.execute(
            "INSERT INTO seen SELECT key, value FROM json_each(?) WHERE true "
            "ON CONFLICT (content) DO UPDATE SET n = n + excluded.n",
            (fresh,),
        )
        numbers = []
        for content in contents:
            seen[content] += 1
            numbers.append(seen[content])
        return numbers

    def close(self) -> None:
        self.database.close()
