"""Positions and their issues as they stand beside those that the trades would give from nothing."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, localcontext
from itertools import chain

from trades.decimals import EXACT, plain
from trades.fills import Fills
from trades.findings import WRITTEN, issue_of, issues_of
from trades.models import Account, Instrument, IntegrityIssue, Position
from trades.positionrows import COMPUTED, Change, Part, Worth, is_later, parts_of, row_of
from trades.positions import (
    Flat,
    Progress,
    account_of,
    fills_behind,
    positions_of,
    take_runs,
    terms_of,
    worth_of,
)
from trades.runs import Run, runs
from trades.touched import BEGINNING, Pair
from trades.trusting import heed, is_trusted


def differences(pair: Pair, on_progress: Progress = lambda fills: None) -> Iterator[str]:
    """A sentence for each position or issue that is missing, too many or wrong. Writes nothing."""
    fills = Fills(fills_behind(pair, Flat()))
    all_runs = runs(fills, terms_of(pair))
    account = account_of(pair)
    worth, begin, more = worth_of(pair, account), BEGINNING, True
    name = name_of(pair, account)
    while more:
        with localcontext(EXACT):
            found, until = take_runs(all_runs, fills)
            heed(found, is_trusted(account))
            sentences = list(compare(pair, found, standing(pair, begin, until), worth))
        if until is None:
            sentences += [f"{told(one)} is of no position." for one in of_no_position(pair)]
        yield from (f"{name}: {sentence}" for sentence in sentences)
        on_progress(sum(len(run.trade_ids) for run in found))
        begin, more = until or begin, until is not None


def name_of(pair: Pair, account: Account | None) -> str:
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
    parts, issues = parts_of(olds), found_issues(pair, olds)
    for run in found:
        row = row_of(pair, run, worth)
        old = there.pop(row.first_trade_id, None)
        if old is None:
            yield f"the position opened at {row.opened_at} is missing."
        else:
            yield from wrong(Change(run, row, old), parts[old.pk])
            yield from wrong_issues(pair, run, old, issues[old.pk])
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


# --- Issues


def found_issues(pair: Pair, positions: list[Position]) -> dict[int, list[IntegrityIssue]]:
    """By position, those that are found now."""
    found: dict[int, list[IntegrityIssue]] = defaultdict(list)
    for issue in issues_of(pair, [one.pk for one in positions]):
        if issue.position_id and issue.resolved_at is None:
            found[issue.position_id].append(issue)
    return found


def of_no_position(pair: Pair) -> list[IntegrityIssue]:
    return [one for one in issues_of(pair, []) if one.resolved_at is None]


def wrong_issues(
    pair: Pair, run: Run, position: Position, issues: list[IntegrityIssue]
) -> Iterator[str]:
    there = {(one.kind, one.key): one for one in issues}
    for finding in run.findings():
        issue = issue_of(pair, finding, position.pk)
        old = there.pop((issue.kind, issue.key), None)
        if old is None:
            yield f"position {position.pk} lacks {told(issue)}."
        elif any(getattr(old, name) != getattr(issue, name) for name in WRITTEN):
            yield f"position {position.pk}: {told(old)} must be {told(issue)}."
    for old in there.values():
        yield f"position {position.pk} has {told(old)}, which is not found."


def told(issue: IntegrityIssue) -> str:
    return f"the issue {issue.kind}: {issue.message}"
