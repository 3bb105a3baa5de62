"""What can be done for a chunk before its turn: in the reader's thread, while others write."""

from collections.abc import Iterable, Iterator

from django.db import DatabaseError, InterfaceError, connection

from imports.asking import Key, Known, known_executions
from imports.chunks import Chunk
from imports.places import Places
from imports.rows import prepared


def may_ask_early() -> bool:
    """Whether another connection sees what this one has committed, and can ask while it writes.

    SQLite has its database in this process and would gain nothing.
    """
    return connection.vendor == "postgresql" and not connection.in_atomic_block


def made_ready(chunks: Iterable[Chunk], places: Places, *, ask: bool) -> Iterator[Chunk]:
    """The chunks, ready to be written, and with the ledger's answer if one can `ask` so early.

    The chunk before is not committed yet when the ledger answers, so one that repeats an identity
    of it has to ask in its turn. What a rival takes in meanwhile, the unique ledger refuses.
    """
    before: set[str | None] = set()
    for chunk in chunks:
        prepared(chunk)
        ids = set(chunk.columns["execution_id"]) - {None}
        if ask and before.isdisjoint(ids):
            chunk.answer = early_answer(chunk, places)
        before = ids
        yield chunk


def early_answer(chunk: Chunk, places: Places) -> dict[Key, Known] | None:
    accounts = places.accounts
    if not set(chunk.columns["account"]) - {None} <= accounts.keys():
        return None
    try:
        return known_executions(chunk.keys(accounts))
    except (DatabaseError, InterfaceError):
        connection.close()  # whoever writes the chunk asks again, and sees what is wrong
        return None
