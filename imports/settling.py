"""What becomes of each line of a chunk: taken in, skipped as known, or failed with its reasons."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from imports.chunks import Chunk
from imports.lines import Execution, Line
from imports.places import Places
from imports.problems import Problem
from imports.states import Category, RowStatus
from trades.models import Trade, plain

Key = tuple[int, str]  # account, execution_id: an identity


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


@dataclass(slots=True)
class Outcome:
    """What becomes of a line. `known` is the execution it made, or the one it repeats."""

    line: Line
    status: RowStatus
    problems: list[Problem] = field(default_factory=list)
    known: Known | None = None

    @property
    def message(self) -> str:
        sentences = [problem.at(self.line.number) for problem in self.problems]
        return "; ".join([*sentences, self.line.remark] if self.line.remark else sentences)

    @property
    def category(self) -> str:
        return self.problems[0].category if self.problems else ""


@dataclass(slots=True)
class Settled:
    """A chunk whose lines are decided about: which are `taken`, in the order of its records.

    `outcomes` has, by place, what becomes of those lines that are not simply taken in.
    """

    chunk: Chunk
    taken: list[bool]
    outcomes: dict[int, Outcome]
    account_ids: list[int | None] = field(default_factory=list)
    instrument_ids: list[int | None] = field(default_factory=list)
    trade_ids: list[int | None] = field(default_factory=list)


def settle(chunk: Chunk, places: Places) -> Settled:
    """Decide about every line. Asks the database once which of the identities it knows.

    Plain lines that nobody knows are taken in; the others are looked at one by one.
    """
    accounts, symbols, ids = (chunk.columns[name] for name in ("account", "symbol", "execution_id"))
    places.learn(set(accounts) - {None}, chunk.symbols)
    account_ids = list(map(places.accounts.get, accounts))
    keys = list(zip(account_ids, ids, strict=True))
    known = known_executions([key for key in keys if key[1] is not None])
    # By the ids alone, which costs less; an id that only another account has is no harm.
    special = {key[1] for key in known} | repeated(ids)
    odd = chunk.lines.keys() | {place for place, one in enumerate(ids) if one in special}
    taken = [True] * len(keys)
    outcomes = {}
    for place in sorted(odd):
        outcomes[place] = settle_one(chunk.line(place), keys[place], known)
        taken[place] = outcomes[place].status == RowStatus.SUCCESS
    return Settled(chunk, taken, outcomes, account_ids, list(map(places.instruments.get, symbols)))


def repeated(ids: list[str | None]) -> set[str]:
    if len(set(ids)) + ids.count(None) - (None in ids) == len(ids):
        return set()
    return {one for one, times in Counter(ids).items() if times > 1 and one is not None}


def settle_one(line: Line, key: Key, known: dict[Key, Known]) -> Outcome:
    if line.execution is None:
        return Outcome(line, RowStatus.FAILED, line.problems)
    before = known.get(key)
    if before is None:
        known[key] = Known(line_number=line.number, content=content_of(line.execution))
        return Outcome(line, RowStatus.SUCCESS, [], known[key])
    differences = list(differing(line.execution, before.content))
    if differences:
        return Outcome(line, RowStatus.FAILED, [conflict(line, before, differences)], before)
    return Outcome(line, RowStatus.SKIPPED, [duplicate(before)], before)


def duplicate(before: Known) -> Problem:
    if before.line_number is not None:
        sentence = f"repeats line {before.line_number} of this file; skipped"
    elif before.content is None:
        sentence = "was taken in before and its trade was deleted by a user; skipped"
    else:
        sentence = f"is known already as trade {before.trade_id}; skipped"
    return Problem("", "duplicate", sentence, Category.DUPLICATE)


def conflict(line: Line, before: Known, differences: list[str]) -> Problem:
    where = f"trade {before.trade_id}"
    if before.line_number is not None:
        where = f"line {before.line_number} of this file"
    more = f" and {len(differences) - 2} more" if len(differences) > 2 else ""
    sentence = f"the id {line.execution_id} is known from {where} with {'; '.join(differences[:2])}"
    return Problem("ID", "conflict", sentence + more, Category.BUSINESS_LOGIC)


def content_of(execution: Execution) -> Content:
    return Content(
        execution.symbol.symbol,
        execution.side,
        execution.quantity,
        execution.price,
        execution.executed_at,
        execution.commission,
    )


def differing(execution: Execution, known: Content | None) -> Iterator[str]:
    """What contradicts the known execution, in words: "price 68.31, not 1".

    A field that the file does not have contradicts nothing; neither does a time that is merely
    less precise, as in files that a spreadsheet has saved again. Without an id of the broker's
    the identity is the content.
    """
    if known is None or not execution.native_id:
        return
    for name, here, there in zip(Content._fields, content_of(execution), known, strict=True):
        if here != there and not is_less_precise(here, there) and name in execution.given:
            yield f"{name.replace('_', ' ')} {in_words(there)}, not {in_words(here)}"


def is_less_precise(one: object, other: object) -> bool:
    """Whether two times are the same but for seconds, or parts of one, that one of them lacks."""
    if not (isinstance(one, datetime) and isinstance(other, datetime)):
        return False
    if 0 in (one.microsecond, other.microsecond):
        one, other = one.replace(microsecond=0), other.replace(microsecond=0)
    if 0 in (one.second, other.second):
        one, other = one.replace(second=0), other.replace(second=0)
    return one == other


def in_words(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    return plain(value) if isinstance(value, Decimal) else str(value)


def known_executions(keys: Iterable[Key]) -> dict[Key, Known]:
    """Those identities that the ledger has, each with the content of its trade if there is one."""
    by_account: dict[int, list[str]] = defaultdict(list)
    for account_id, execution_id in keys:
        by_account[account_id].append(execution_id)
    known = {
        (account_id, execution_id): Known(trade_id)
        for account_id, execution_ids in by_account.items()
        for execution_id, trade_id in in_ledger(account_id, execution_ids)
    }
    contents = contents_of_trades(one.trade_id for one in known.values())
    for one in known.values():
        one.content = contents.get(one.trade_id)
        if one.content is None:
            one.trade_id = None
    return known


def in_ledger(account_id: int, execution_ids: list[str]) -> list[tuple[str, int | None]]:
    """Those of an account's identities that the ledger has, with their trades.

    They are handed over as one text: thousands of parameters take longer than the answer.
    """
    among = {
        "postgresql": "= ANY (ARRAY(SELECT json_array_elements_text(%s)))",
        "sqlite": "IN (SELECT value FROM json_each(%s))",
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT execution_id, trade_id FROM imported_executions "
            f"WHERE account_id = %s AND execution_id {among}",
            [account_id, json.dumps(execution_ids, ensure_ascii=False)],
        )
        return cursor.fetchall()


def contents_of_trades(trade_ids: Iterable[int | None]) -> dict[int, Content]:
    rows = Trade.objects.filter(pk__in=[pk for pk in trade_ids if pk]).values_list(
        "pk",
        "instrument__symbol",
        "side",
        "quantity",
        "price",
        "executed_at",
        "commission",
    )
    return {pk: Content(*content) for pk, *content in rows}
