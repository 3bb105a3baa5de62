"""Runs into rows: a position that is the same run keeps its row, with its id, notes and tags.

It is the same if it begins with the same fill; else, if it has a fill of a position that would
vanish. Rows that say the same already are not written.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from operator import attrgetter

from django.db.models import QuerySet

from trades.bulk import batched, insert, replace, reserve_ids
from trades.daytotals import follow_closings
from trades.decimals import storable
from trades.findings import write_findings
from trades.models import Position, PositionTrade
from trades.runs import Run
from trades.touched import Pair
from web.jsontext import JSONTextField

COMPUTED = (
    "direction",
    "status",
    "opened_at",
    "closed_at",
    "peak_quantity",
    "open_quantity",
    "entry_quantity",
    "exit_quantity",
    "average_entry",
    "average_exit",
    "average_open",
    "gross_pnl",
    "commission",
    "net_pnl",
    "currency",
    "fills",
    "first_trade_id",
)
AT_ONCE = 5_000  # rows asked for by their ids
Part = tuple[int, Decimal, Decimal]  # of a fill: its trade_id, quantity and commission


@dataclass(frozen=True)
class Worth:
    """What a point is worth (None: unknown), and in which currency ('': unknown)."""

    point_value: Decimal | None
    currency: str


@dataclass(slots=True)
class Row:
    """A position as it must be; the fields are those of the model, but `pk` for its id."""

    account_id: int
    instrument_id: int
    direction: str
    status: str
    opened_at: datetime
    closed_at: datetime | None
    peak_quantity: Decimal
    open_quantity: Decimal
    entry_quantity: Decimal
    exit_quantity: Decimal
    average_entry: Decimal
    average_exit: Decimal | None
    average_open: Decimal | None
    gross_pnl: Decimal | None
    commission: Decimal
    net_pnl: Decimal | None
    currency: str
    fills: int
    first_trade_id: int
    notes: str = ""
    tags: list[str] = field(default_factory=list)
    pk: int | None = None


WRITTEN = ("account_id", "instrument_id", *COMPUTED, "notes", "tags")
values_of = attrgetter(*COMPUTED)


@dataclass(slots=True)
class Change:
    """A run, its position as it must be, and the one that was there, if any."""

    run: Run
    row: Row
    old: Position | None = None


def write(
    pair: Pair, found: list[Run], stale: QuerySet[Position], until: datetime | None, worth: Worth
) -> int:
    """Put these runs in place of stale positions, all of them or those opened up to `until`.

    How many positions are new, say something else now, or are gone.
    """
    changes = [Change(run, row_of(pair, run, worth)) for run in found]
    begun = {one.row.first_trade_id for one in changes}
    olds = [old for old in stale if old.first_trade_id in begun or not is_later(old, until)]
    parts = parts_of(olds)
    gone = match(changes, olds, parts)
    hand_down(gone, changes, parts)
    new = [one.row for one in changes if one.old is None]
    changed = [one for one in changes if differs(one)]
    others = [as_model(one.row) for one in changed]
    create(new)
    replace(Position, others, COMPUTED)
    write_parts(changes, parts)
    write_findings(pair, [(one.run, one.row.pk) for one in changes], [old.pk for old in olds])
    delete(gone)
    follow_closings(before=[*gone, *(one.old for one in changed)], after=[*new, *others])
    return len(new) + len(others) + len(gone)


def is_later(old: Position, until: datetime | None) -> bool:
    """Whether the next slice has it: it opens at the end of this one, and goes on behind that."""
    if until is None or old.opened_at < until:
        return False
    return old.closed_at is None or old.closed_at > until


def row_of(pair: Pair, run: Run, worth: Worth) -> Row:
    """The position that a run is, without an id."""
    is_closed = run.closed_at is not None
    gross = None if worth.point_value is None else storable(run.gained * worth.point_value)
    commission = storable(run.commission)
    return Row(
        account_id=pair.account_id,
        instrument_id=pair.instrument_id,
        direction="long" if run.is_long else "short",
        status="closed" if is_closed else "open",
        opened_at=run.opened_at,
        closed_at=run.closed_at,
        peak_quantity=storable(run.peak),
        open_quantity=storable(run.held),
        entry_quantity=storable(run.entry_quantity),
        exit_quantity=storable(run.exit_quantity),
        average_entry=storable(run.entry_value / run.entry_quantity),
        average_exit=storable(run.exit_value / run.exit_quantity) if run.exit_quantity else None,
        average_open=None if is_closed else storable(run.cost / run.held),
        gross_pnl=gross,
        commission=commission,
        net_pnl=None if gross is None else storable(gross - commission),
        currency=worth.currency,
        fills=len(run.trade_ids),
        first_trade_id=run.trade_ids[0],
    )


def parts_of(olds: list[Position]) -> dict[int, list[Part]]:
    """By position, its parts of fills in their order."""
    found: dict[int, list[Part]] = defaultdict(list)
    for some in batched([old.pk for old in olds], AT_ONCE):
        rows = PositionTrade.objects.filter(position__in=some).order_by("position_id", "pk")
        for pk, *part in rows.values_list("position_id", "trade_id", "quantity", "commission"):
            found[pk].append(tuple(part))
    return found


# --- Which is which


def match(
    changes: list[Change], olds: list[Position], parts: dict[int, list[Part]]
) -> list[Position]:
    """Give each run the row of the position that it was; those that no run is any more."""
    by_first = {old.first_trade_id: old for old in olds}
    left = {old.pk: old for old in olds}
    for one in changes:
        if old := by_first.get(one.row.first_trade_id):
            take_over(one, left.pop(old.pk))
    owner = {trade_id: pk for pk in left for trade_id, *_ in parts[pk]}
    for one in changes:
        if one.old is None and left:
            pks = (owner.get(trade_id) for trade_id in one.run.trade_ids)
            if pk := next((pk for pk in pks if pk in left), None):
                take_over(one, left.pop(pk))
    return list(left.values())


def take_over(change: Change, old: Position) -> None:
    change.old, change.row.pk = old, old.pk


def hand_down(gone: list[Position], changes: list[Change], parts: dict[int, list[Part]]) -> None:
    """What a user wrote to a position that goes stands with the one that has its fills now."""
    noted = [old for old in gone if old.notes or old.tags]
    heirs = {pk: one for one in changes for pk in one.run.trade_ids} if noted else {}
    for old in noted:
        heir = next((heirs[pk] for pk, *_ in parts[old.pk] if pk in heirs), None)
        if heir is not None:
            # Those of the row itself may be of a moment ago: a user can write at any time.
            own = heir.old and Position.objects.get(pk=heir.old.pk)
            target = own or heir.row
            target.notes = "\n\n".join(filter(None, [target.notes, old.notes]))
            target.tags = sorted({*target.tags, *old.tags})
            if own:
                Position.objects.filter(pk=own.pk).update(notes=own.notes, tags=own.tags)


def differs(change: Change) -> bool:
    """Whether there is a row that says something else."""
    return change.old is not None and values_of(change.row) != values_of(change.old)


# --- Into the tables


def create(rows: list[Row]) -> None:
    """Insert new positions; they know their ids then."""
    for row, pk in zip(rows, reserve_ids(Position, len(rows)), strict=True):
        row.pk = pk
    texts = [(row.pk, *written_of(row), JSONTextField.encoded(row.tags)) for row in rows]
    insert(Position, ("id", *WRITTEN), texts)


written_of = attrgetter(*WRITTEN[:-1])


def as_model(row: Row) -> Position:
    values = {name: getattr(row, name) for name in WRITTEN}
    return Position(pk=row.pk, **values)


def write_parts(changes: list[Change], parts: dict[int, list[Part]]) -> None:
    """Each position's parts of fills; of one to which fills were added, only those."""
    rewritten: list[int] = []
    rows: list[tuple[int, int, Decimal, Decimal]] = []
    for one in changes:
        run, there = one.run, parts.get(one.row.pk, [])
        wanted = list(zip(run.trade_ids, run.quantities, run.commissions, strict=True))
        if there != wanted[: len(there)]:
            rewritten.append(one.row.pk)
            there = []
        rows += ((one.row.pk, *part) for part in wanted[len(there) :])
    for some in batched(rewritten, AT_ONCE):
        PositionTrade.objects.filter(position__in=some).delete()
    insert(PositionTrade, ("position_id", "trade_id", "quantity", "commission"), rows)


def delete(gone: list[Position]) -> None:
    for some in batched([old.pk for old in gone], AT_ONCE):
        Position.objects.filter(pk__in=some).delete()
