"""Which executions of a chunk are known: the question to the ledger, and its answer."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

QUOTED = str.maketrans({"\\": "\\\\", '"': '\\"'})
PIECE = 1_000  # rows
Key = tuple[int | None, str | None]  # account, execution_id: an identity, or none


class Uncertain(Exception):
    """Something that the chunk relies on has changed meanwhile; ask again."""


class Content(NamedTuple):
    """What two reports of one execution must agree on."""

    instrument: str
    side: str
    quantity: Decimal
    price: Decimal
    executed_at: datetime
    commission: Decimal


@dataclass(slots=True)
class Known:
    """An execution that the ledger, or an earlier line of the chunk, has.

    `content` is None once a user has deleted the trade; only its identity is kept then.
    """

    trade_id: int | None = None
    line_number: int | None = None
    content: Content | None = None


class Snapshot:
    """The identities that some accounts had when an import met them first, if they are few.

    It spares most lines the question whether they are known. Who has come since, an earlier line of
    the file or a rival, is refused by the unique ledger; then every line has to ask again. Hashes
    of them do, and need less memory: who has the same one as another asks in vain.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.account_ids: set[int] = set()
        self.hashes: set[int] = set()

    def learn(self, account_ids: set[int]) -> None:
        for account_id in account_ids - self.account_ids:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT execution_id FROM imported_executions WHERE account_id = %s LIMIT %s",
                    [account_id, self.most + 1],
                )
                while rows := cursor.fetchmany(PIECE):
                    self.hashes.update(hash(row[0]) for row in rows)
            self.account_ids.add(account_id)

    def unsure(self, account_ids: Sequence[int | None], ids: Sequence[str | None]) -> Sequence[int]:
        """The places of those identities, given in columns, that the ledger must be asked for."""
        self.learn(set(account_ids) - {None})
        if len(self.hashes) > self.most:
            return range(len(ids))
        return [place for place, one in enumerate(map(hash, ids)) if one in self.hashes]


def known_executions(keys: Iterable[Key]) -> dict[Key, Known]:
    """Those identities that the ledger has, each with the content of its trade if there is one.

    Raises Uncertain if one was rolled back between the two questions: it is not known any more.
    """
    trade_ids = trades_in_ledger(keys)
    contents = contents_of_trades([one for one in trade_ids.values() if one])
    deleted = {key: one for key, one in trade_ids.items() if one not in contents}
    if deleted and trades_in_ledger(deleted) != deleted:
        raise Uncertain("a trade that is repeated here was rolled back meanwhile")
    return {
        key: Known() if key in deleted else Known(one, content=contents[one])
        for key, one in trade_ids.items()
    }


def trades_in_ledger(keys: Iterable[Key]) -> dict[Key, int | None]:
    """Those identities that the ledger has, with their trades, of which some may be gone."""
    by_account: dict[int, list[str]] = defaultdict(list)
    for account_id, execution_id in keys:
        if execution_id is not None:
            by_account[account_id].append(execution_id)
    return {
        (account_id, execution_id): trade_id
        for account_id, execution_ids in by_account.items()
        for execution_id, trade_id in in_ledger(account_id, execution_ids)
    }


def in_ledger(account_id: int, execution_ids: list[str]) -> list[tuple[str, int | None]]:
    """Those of an account's identities that the ledger has, with their trades.

    They are handed over as one text: thousands of parameters take longer than the answer. The
    LIMIT makes PostgreSQL look for each of them by the index; while its statistics lag behind,
    as in the middle of an import, it would rather read all of the account.
    """
    if connection.vendor == "postgresql":
        return answer(
            "SELECT execution_id, trade_id FROM unnest(%s::text[]) AS asked (one) CROSS JOIN "
            "LATERAL (SELECT execution_id, trade_id FROM imported_executions "
            "WHERE account_id = %s AND execution_id = one LIMIT 1) AS found",
            [as_array(execution_ids), account_id],
        )
    return answer(
        "SELECT execution_id, trade_id FROM json_each(%s) CROSS JOIN imported_executions "
        "WHERE account_id = %s AND execution_id = value",
        [json.dumps(execution_ids, ensure_ascii=False), account_id],
    )


def as_array(words: list[str]) -> str:
    """A literal of PostgreSQL."""
    text = '","'.join(words)
    if "\\" in text or text.count('"') > 2 * len(words) - 2:
        text = '","'.join(word.translate(QUOTED) for word in words)
    return f'{{"{text}"}}'


def contents_of_trades(trade_ids: list[int]) -> dict[int, Content]:
    """What these trades say; until the transaction ends, nobody deletes one of them.

    PostgreSQL locks them in ascending order, like everybody who deletes many, so that nobody locks
    the other out. SQLite has one writer at a time, which is us.
    """
    each = ", ".join(map(str, sorted(trade_ids)))
    if connection.vendor == "postgresql":
        found = (
            "unnest(%s::bigint[]) AS asked (one) CROSS JOIN LATERAL "
            "(SELECT * FROM trades WHERE id = one LIMIT 1 FOR KEY SHARE) AS trade"
        )
        parameter = f"{{{each}}}"
    else:
        found = "json_each(%s) AS asked CROSS JOIN trades AS trade ON trade.id = asked.value"
        parameter = f"[{each}]"
    rows = answer(
        "SELECT trade.id, symbol, side, quantity, price, executed_at, commission "
        f"FROM {found} JOIN instruments ON instruments.id = instrument_id",
        [parameter],
    )
    return {
        trade_id: Content(
            symbol, side, exact(quantity), exact(price), in_utc(at), exact(commission)
        )
        for trade_id, symbol, side, quantity, price, at, commission in rows
    }


def answer(question: str, parameters: list[object]) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(question, parameters)
        return cursor.fetchall()


def exact(number: Decimal | float) -> Decimal:
    """A number as it was written: SQLite keeps its up to 15 digits as a float."""
    return number if isinstance(number, Decimal) else Decimal(str(number))


def in_utc(moment: datetime) -> datetime:
    """A moment of the tables, which SQLite keeps without a zone."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
