"""What becomes of each line of a chunk: taken in, skipped as known, or failed with its reasons."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from imports.lines import Execution, Line
from imports.models import ImportedExecution
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
    account_id: int | None = None
    instrument_id: int | None = None

    @property
    def message(self) -> str:
        sentences = [problem.at(self.line.number) for problem in self.problems]
        return "; ".join([*sentences, self.line.remark] if self.line.remark else sentences)

    @property
    def category(self) -> str:
        return self.problems[0].category if self.problems else ""


def settle(lines: list[Line], places: Places) -> list[Outcome]:
    """Decide about every line. Asks the database once which of the identities it knows."""
    places.learn(line.execution for line in lines if line.execution)
    keys = [
        line.execution and (places.account(line.execution), line.execution_id) for line in lines
    ]
    known = known_executions({key for key in keys if key})
    return [settle_one(line, key, known, places) for line, key in zip(lines, keys, strict=True)]


def settle_one(line: Line, key: Key | None, known: dict[Key, Known], places: Places) -> Outcome:
    if key is None:
        return Outcome(line, RowStatus.FAILED, line.problems)
    before = known.get(key)
    if before is None:
        known[key] = Known(line_number=line.number, content=content_of(line.execution))
        instrument_id = places.instrument(line.execution)
        return Outcome(line, RowStatus.SUCCESS, [], known[key], key[0], instrument_id)
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


def known_executions(keys: set[Key]) -> dict[Key, Known]:
    """Those identities that the ledger has, each with the content of its trade if there is one."""
    known: dict[Key, Known] = {}
    for account_id, group in groupby(sorted(keys), key=lambda key: key[0]):
        rows = ImportedExecution.objects.filter(
            account_id=account_id, execution_id__in=[execution_id for _, execution_id in group]
        ).values_list("execution_id", "trade_id")
        known |= {(account_id, execution_id): Known(trade_id) for execution_id, trade_id in rows}
    contents = contents_of_trades(one.trade_id for one in known.values())
    for one in known.values():
        one.content = contents.get(one.trade_id)
        if one.content is None:
            one.trade_id = None
    return known


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
