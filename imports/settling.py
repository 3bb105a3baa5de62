"""What becomes of each line of a chunk: taken in, skipped as known, or failed with its reasons."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import compress, islice
from operator import ge

from imports.asking import Content, Key, Known, contents_of_trades, known_executions
from imports.chunks import Chunk
from imports.lines import Execution, Line
from imports.places import Places
from imports.problems import Problem
from imports.states import Category, RowStatus
from imports.wallclock import as_text
from trades.models import plain


@dataclass(slots=True)
class Outcome:
    """What becomes of a line. `known` is the execution it made, or the one it repeats."""

    number: int  # of the line
    status: RowStatus
    problems: list[Problem] = field(default_factory=list)
    known: Known | None = None
    remark: str = ""

    @property
    def message(self) -> str:
        sentences = [problem.at(self.number) for problem in self.problems]
        return "; ".join([*sentences, self.remark] if self.remark else sentences)

    @property
    def category(self) -> str:
        return self.problems[0].category if self.problems else ""


@dataclass(slots=True)
class Settled:
    """A chunk whose lines are decided about, in the order of its records.

    The lines at `odd` places are looked at one by one, when `decide` is called, which asks no
    database; all others are taken in. `outcomes` has, by place, what becomes of the odd ones, and
    `touched`, by account and instrument, the first moment of what is taken in.
    """

    chunk: Chunk
    odd: set[int]
    look_at: Callable[[int], Outcome]
    account_ids: list[int | None] = field(default_factory=list)
    instrument_ids: list[int | None] = field(default_factory=list)
    most: int = 0  # that may be taken in
    taken: list[bool] = field(default_factory=list)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    trade_ids: list[int | None] = field(default_factory=list)
    touched: dict[tuple[int, int], datetime] = field(default_factory=dict)

    def decide(self, trade_ids: Iterable[int]) -> None:
        """About each line; those that are taken in get the first of these ids.

        In the order of lines, as fills of one moment go by it (trades/fills.py); of a list with
        the newest on top, from below.
        """
        self.taken = [True] * len(self.chunk.rows)
        for place in sorted(self.odd):
            outcome = self.outcomes[place] = self.look_at(place)
            self.taken[place] = outcome.status == RowStatus.SUCCESS
        ids = list(islice(trade_ids, sum(self.taken)))
        moments = list(compress(self.chunk.columns["executed_at"], self.taken))
        ids = reversed(ids) if is_newest_first(moments) else iter(ids)
        self.trade_ids = [next(ids) if taken else None for taken in self.taken]
        for place, outcome in self.outcomes.items():
            if self.taken[place]:
                outcome.known.trade_id = self.trade_ids[place]
        self.touched = self.first_moments()

    def first_moments(self) -> dict[tuple[int, int], datetime]:
        first: dict[tuple[int, int], str] = {}
        pairs = zip(self.account_ids, self.instrument_ids, strict=True)
        moments = zip(pairs, self.chunk.columns["executed_at"], strict=True)
        for pair, moment in compress(moments, self.taken):
            if moment < first.setdefault(pair, moment):
                first[pair] = moment
        return {
            pair: datetime.fromisoformat(moment).replace(tzinfo=UTC)
            for pair, moment in first.items()
        }


def settle(chunk: Chunk, places: Places) -> Settled:
    """Ask the ledger which of the identities it knows, and see which lines are not simply new.

    Plain lines that nobody knows are taken in; the others are looked at one by one.
    """
    accounts, symbols, ids = (chunk.columns[name] for name in ("account", "symbol", "execution_id"))
    places.learn(set(accounts) - {None}, chunk.symbols)
    account_ids = list(map(places.accounts.get, accounts))
    unsure = places.snapshot.unsure(account_ids, ids) if places.snapshot else range(len(ids))
    known = known_executions((account_ids[place], ids[place]) for place in unsure)
    mended = trades_of_refused(chunk)
    # By the ids alone, which costs less; an id that only another account has is no harm.
    special = {key[1] for key in known}
    odd = chunk.repeated.union(chunk.lines, (place for place in unsure if ids[place] in special))
    odd_keys = {place: (account_ids[place], ids[place]) for place in odd}
    new = [key for key in odd_keys.values() if key[1] is not None and key not in known]
    return Settled(
        chunk,
        odd,
        lambda place: settle_at(chunk, place, odd_keys[place], known, mended),
        account_ids,
        list(map(places.instruments.get, symbols)),
        most=len(ids) - len(odd) + len(new),
    )


def is_newest_first(moments: list[str]) -> bool:
    """Whether none of them is later than the one before it, and not all are the same."""
    return moments[:1] > moments[-1:] and all(map(ge, moments, moments[1:]))


def trades_of_refused(chunk: Chunk) -> dict[int, Known]:
    """By number, the trades that were made before of lines that come again, if they exist."""
    refusals = [line.refusal for line in chunk.lines.values() if line.refusal]
    ids = {one.trade_id for one in refusals} - {None}
    return {pk: Known(pk) for pk in contents_of_trades(list(ids))} if ids else {}


def settle_at(
    chunk: Chunk, place: int, key: Key, known: dict[Key, Known], mended: dict[int, Known]
) -> Outcome:
    line = chunk.lines.get(place)
    if line and line.refusal:
        status = RowStatus.SKIPPED if line.refusal.is_known else RowStatus.FAILED
        trade = mended.get(line.refusal.trade_id)
        return Outcome(line.number, status, line.problems, trade)
    before = known.get(key)
    if before is None or place in chunk.lines or not agrees(chunk, place, before.content):
        return settle_one(chunk.line(place), key, known)
    return Outcome(chunk.rows.numbers[place], RowStatus.SKIPPED, [duplicate(before)], before)


def agrees(chunk: Chunk, place: int, known: Content | None) -> bool:
    """Whether a plain line says just what is known. Else it is worth a closer look."""
    read = chunk.columns
    return known is None or (
        known.instrument == read["symbol"][place]
        and known.side == read["side"][place]
        and known.quantity == Decimal(read["quantity"][place])
        and known.price == Decimal(read["price"][place])
        and as_text(known.executed_at) == read["executed_at"][place]
        and known.commission == Decimal(read["commission"][place])
    )


def settle_one(line: Line, key: Key, known: dict[Key, Known]) -> Outcome:
    if line.execution is None:
        return Outcome(line.number, RowStatus.FAILED, line.problems, None, line.remark)
    before = known.get(key)
    if before is None:
        known[key] = Known(line_number=line.number, content=content_of(line.execution))
        return Outcome(line.number, RowStatus.SUCCESS, [], known[key], line.remark)
    differences = list(differing(line.execution, before.content))
    if differences:
        problems = [conflict(line, before, differences)]
        return Outcome(line.number, RowStatus.FAILED, problems, before, line.remark)
    return Outcome(line.number, RowStatus.SKIPPED, [duplicate(before)], before, line.remark)


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
