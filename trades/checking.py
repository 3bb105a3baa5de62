"""Positions as they stand beside those that the trades would give from nothing: what differs."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, localcontext
from itertools import chain

from trades.decimals import EXACT, plain
from trades.fills import Fills
from trades.models import Account, Instrument, Position
from trades.positionrows import COMPUTED, Change, Part, Worth, is_later, parts_of, row_of
from trades.positions import (
    Flat,
    Progress,
    fills_behind,
    positions_of,
    take_runs,
    terms_of,
    worth_of,
)
from trades.runs import Run, runs
from trades.touched import BEGINNING, Pair


def differences(pair: Pair, on_progress: Progress = lambda fills: None) -> Iterator[str]:
    """A sentence for each position that is missing, too many or wrong. Writes nothing."""
    fills = Fills(fills_behind(pair, Flat()))
    all_runs = runs(fills, terms_of(pair))
    worth, begin, more = worth_of(pair), BEGINNING, True
    name = name_of(pair)
    while more:
        with localcontext(EXACT):
            found, until = take_runs(all_runs, fills)
            sentences = list(compare(pair, found, standing(pair, begin, until), worth))
        yield from (f"{name}: {sentence}" for sentence in sentences)
        on_progress(sum(len(run.trade_ids) for run in found))
        begin, more = until or begin, until is not None


def name_of(pair: Pair) -> str:
    account = Account.objects.filter(pk=pair.account_id).first()
    instrument = Instrument.objects.filter(pk=pair.instrument_id).first()
    return f"{account or pair.account_id}, {instrument or pair.instrument_id}"


def standing(pair: Pair, begin: datetime, until: datetime | None) -> list[Position]:
    """The positions that there are of such a slice."""
    rows = positions_of(pair).filter(opened_at__gte=begin)
    rows = rows.filter(opened_at__lte=until) if until else rows
    return [
        one
        for one in rows.order_by("opened_at", "pk")
        if not is_later(one, until) and (one.opened_at > begin or is_later(one, begin))
    ]


def compare(pair: Pair, found: list[Run], olds: list[Position], worth: Worth) -> Iterator[str]:
    there = {old.first_trade_id: old for old in reversed(olds)}
    surplus = [old for old in olds if there[old.first_trade_id] is not old]
    parts = parts_of(olds)
    for run in found:
        row = row_of(pair, run, worth)
        old = there.pop(row.first_trade_id, None)
        if old is None:
            yield f"the position opened at {row.opened_at} is missing."
        else:
            yield from wrong(Change(run, row, old), parts[old.pk])
    for old in chain(there.values(), surplus):
        yield f"position {old.pk}, opened at {old.opened_at}, has no such trades."


def wrong(change: Change, parts: list[Part]) -> Iterator[str]:
    run, row, old = change.run, change.row, change.old
    for name in COMPUTED:
        if getattr(row, name) != getattr(old, name):
            is_, must = in_words(getattr(old, name)), in_words(getattr(row, name))
            yield f"position {old.pk}, {name.replace('_', ' ')} is {is_}, must be {must}."
    if parts != list(zip(run.trade_ids, run.quantities, run.commissions, strict=True)):
        yield f"position {old.pk} is made of other parts of fills."


def in_words(value: object) -> str:
    if value is None:
        return "unknown"
    return plain(value) if isinstance(value, Decimal) else str(value)
