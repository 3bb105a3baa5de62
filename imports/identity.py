"""The identity of an execution: what makes it known when it comes again.

The broker's own id where there is one. Else the content and the number of its occurrence among
the identical lines of its file: the second of two genuine twins is "the second such fill" however
often the file is read, so twins survive and reading again changes nothing.
"""

import hashlib
import sqlite3
from collections.abc import Iterable

from imports.lines import Execution, Line
from trades.models import plain


def give_identities(lines: Iterable[Line], twins: "TwinCounter") -> None:
    """Set the execution_id of every line that holds an execution."""
    nameless = []
    for line in lines:
        if line.execution is None:
            continue
        line.execution_id = line.execution.native_id
        if not line.execution_id:
            nameless.append((line, digest(line.execution)))
    for (line, content), occurrence in zip(
        nameless, twins.count(content for _, content in nameless), strict=True
    ):
        line.execution_id = f"content:{content.hex()}:{occurrence}"


def digest(execution: Execution) -> bytes:
    """16 bytes of the content that every export of this fill agrees on.

    Columns that a user may hide (order, name, commission…) do not count; the spelling of numbers,
    symbol and time zone does not matter.
    """
    content = (
        execution.account,
        execution.symbol.symbol,
        execution.side,
        plain(execution.quantity),
        plain(execution.price),
        execution.executed_at.isoformat(),
    )
    return hashlib.sha256("\x1f".join(content).encode()).digest()[:16]


class TwinCounter:
    """How often each content has occurred so far in a file.

    Kept in a temporary database of its own, which spills to disk: a file of millions of lines
    without ids needs no more memory than a small one.
    """

    def __init__(self) -> None:
        self.database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self.database.execute("CREATE TABLE seen (content BLOB PRIMARY KEY, n INT) WITHOUT ROWID")

    def count(self, contents: Iterable[bytes]) -> list[int]:
        """The occurrence number of each content, counting from 1 across all calls."""
        self.database.execute("BEGIN")
        numbers = [
            self.database.execute(
                "INSERT INTO seen VALUES (?, 1) "
                "ON CONFLICT (content) DO UPDATE SET n = n + 1 RETURNING n",
                (content,),
            ).fetchall()[0][0]
            for content in contents
        ]
        self.database.execute("COMMIT")
        return numbers

    def close(self) -> None:
        self.database.close()
