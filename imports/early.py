"""What can be done for a chunk before its turn: in the reader's thread, while others write."""

from collections.abc import Iterable, Iterator

from django.db import DatabaseError, InterfaceError, connection

from imports.asking import known_executions
from imports.chunks import Chunk
from imports.inserting import reserve_ids
from imports.models import ImportRowLog
from imports.places import Places
from imports.rows import prepared
from trades.models import Trade


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
            ask_early(chunk, places)
        before = ids
        yield chunk


def ask_early(chunk: Chunk, places: Places) -> None:
    """Let the chunk know what the ledger has of it, and the ids of its rows; a few stay unused."""
    accounts = places.accounts
    if not set(chunk.columns["account"]) - {None} <= accounts.keys():
        return
    try:
        chunk.answer = known_executions(chunk.keys(accounts))
        chunk.row_log_ids = reserve_ids(ImportRowLog, len(chunk.rows))
        chunk.trade_ids = reserve_ids(Trade, len(chunk.rows))
    except (DatabaseError, InterfaceError):
        connection.close()  # whoever writes the chunk asks again, and sees what is wrong
