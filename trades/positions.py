"""Bring positions up to date with their trades. Read this first.

A change of trades leaves a mark (touched.py) that says since when the positions of an account and
instrument are wrong. Here they are computed anew: from the last moment before it at which nothing
was held, so that one more fill costs as much in a log of a million as in an empty one. The work is
done in slices, each a transaction, in which the mark goes, or moves on, together with what is
written; whoever dies in between leaves it for the next. Of two who want the same pair, one waits.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import localcontext
from itertools import chain, starmap

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Min, Q, QuerySet, Sum

from trades.decimals import EXACT
from trades.fills import FIELDS, Fill, Fills, Share, in_order, without
from trades.integrity import Terms
from trades.models import Account, Instrument, Position, PositionTrade, TouchedPair, Trade
from trades.positionrows import Worth, write
from trades.runs import Run, runs
from trades.touched import Pair, mark_wholly, tell_imports, touched_pairs
from trades.trusting import trust

logger = logging.getLogger(__name__)

SLICE = 20_000  # fills in one transaction; more only while a run goes on
AT_ONCE = 2_000  # rows fetched
A_WHILE = 30  # seconds
TICK = timedelta(microseconds=1)

Progress = Callable[[int], None]  # fills that were looked at since the last call


@dataclass(frozen=True)
class Flat:
    """A moment at which nothing was held, and what positions before it have of its fills."""

    moment: datetime | None = None
    taken: dict[int, Share] | None = None


@dataclass(frozen=True)
class Slice:
    """What was looked at: so many fills; and whether the pair has more."""

    fills: int
    is_last: bool


def recompute_touched(
    *,
    account_id: int | None = None,
    within: float | None = None,
    on_progress: Progress = lambda fills: None,
) -> bool:
    """Compute anew what is marked, all of it or that of an account; whether all of it is done.

    `within` so many seconds, or a little more; else however long it takes.
    """
    over_at = None if within is None else time.monotonic() + within
    while pairs := touched_pairs(account_id):
        for one in chain.from_iterable(map(slices_of, pairs)):
            on_progress(one.fills)
            if over_at and time.monotonic() > over_at:
                return not touched_pairs(account_id)
    return True


def recompute_for_a_while(seconds: float = A_WHILE) -> None:
    """Compute anew what is marked, but let nobody wait too long for the rest.

    That, and all of it should the database be away, is left to the job of the minute.
    """
    try:
        if not recompute_touched(within=seconds):
            logger.info("The positions of %s pairs are left to a worker.", len(touched_pairs()))
    except (OperationalError, InterfaceError) as problem:
        logger.warning("The positions are left to a worker: %s", str(problem).strip())


def recompute(pair: Pair) -> None:
    """Compute anew what is marked of one pair."""
    for _ in slices_of(pair):
        pass


def slices_of(pair: Pair) -> Iterator[Slice]:
    while one := recompute_slice(pair):
        yield one
        if one.is_last:
            return


def recompute_slice(pair: Pair) -> Slice | None:
    """Compute anew some thousand fills' worth of positions; None if nothing is marked."""
    with transaction.atomic(), localcontext(EXACT):
        # Who waits here for another finds the marks gone, or those that came meanwhile.
        marks = list(marks_of(pair).select_for_update().order_by("pk"))
        if not marks:
            return None
        since = min(mark.since for mark in marks)
        flat = last_flat(pair, since)
        fills = Fills(fills_behind(pair, flat))
        found, until = take_runs(runs(fills, terms_of(pair)), fills)
        account = account_of(pair)
        trust(pair, account, found, has_earlier=flat.moment is not None)
        stale = stale_positions(pair, since, flat, until)
        tell_imports(marks, write(pair, found, stale, until, worth_of(pair, account)))
        settle(marks, until)
    return Slice(sum(len(run.trade_ids) for run in found), is_last=until is None)


def marks_of(pair: Pair) -> QuerySet[TouchedPair]:
    return TouchedPair.objects.filter(account=pair.account_id, instrument=pair.instrument_id)


def settle(marks: list[TouchedPair], until: datetime | None) -> None:
    """The positions are right up to `until`, or to the end."""
    kept = {} if until is None else {mark.import_log_id: mark.pk for mark in marks}
    if until:
        TouchedPair.objects.filter(pk__in=kept.values()).update(since=until + TICK)
    TouchedPair.objects.filter(pk__in={mark.pk for mark in marks} - {*kept.values()}).delete()


# --- Where to begin


def positions_of(pair: Pair) -> QuerySet[Position]:
    return Position.objects.filter(account=pair.account_id, instrument=pair.instrument_id)


def trades_of(pair: Pair) -> QuerySet[Trade]:
    return Trade.objects.filter(account=pair.account_id, instrument=pair.instrument_id)


def last_flat(pair: Pair, since: datetime) -> Flat:
    """The end of the last position that was closed before `since`; those up to there stay."""
    closed = positions_of(pair).filter(closed_at__lt=since).order_by("-closed_at")
    moment = closed.values_list("closed_at", flat=True).first()
    if moment is None:
        return Flat()
    at_that_moment = trades_of(pair).filter(executed_at=moment).values("pk")
    parts = PositionTrade.objects.filter(trade__in=at_that_moment, position__closed_at=moment)
    sums = parts.order_by().values_list("trade").annotate(Sum("quantity"), Sum("commission"))
    return Flat(moment, {pk: Share(*share) for pk, *share in sums})


def fills_behind(pair: Pair, flat: Flat) -> Iterator[Fill]:
    """The fills that the positions up to there do not have, in order."""
    rows = trades_of(pair).order_by("executed_at", "pk")
    if flat.moment:
        rows = rows.filter(executed_at__gte=flat.moment)
    read = starmap(Fill, rows.values_list(*FIELDS).iterator(AT_ONCE))
    return without(in_order(read), flat.taken or {})


def stale_positions(
    pair: Pair, since: datetime, flat: Flat, until: datetime | None
) -> QuerySet[Position]:
    """The positions from there on, as they were; with an end, those opened up to it."""
    stale = positions_of(pair).filter(Q(closed_at__gte=since) | Q(closed_at=None))
    if flat.moment:
        stale = stale.filter(opened_at__gte=flat.moment)
    return stale.filter(opened_at__lte=until) if until else stale


def take_runs(all_runs: Iterator[Run], fills: Fills) -> tuple[list[Run], datetime | None]:
    """The runs of a slice, and the moment at which it ends if there are more fills."""
    found: list[Run] = []
    count = 0
    for run in all_runs:
        found.append(run)
        count += len(run.trade_ids)
        # Never in the middle of a moment: the next slice begins behind it.
        if count >= SLICE and fills.next and fills.next.executed_at > run.closed_at:
            return found, run.closed_at
    return found, None


# --- What there is to know of a pair


def terms_of(pair: Pair) -> Terms:
    told = trades_of(pair).filter(side__in=[Trade.Side.SELL_SHORT, Trade.Side.BUY_TO_COVER])
    first = told.aggregate(first=Min("executed_at"))["first"]
    kind = Instrument.objects.filter(pk=pair.instrument_id).values_list("kind", flat=True).first()
    return Terms(has_sessions=kind != Instrument.Kind.CRYPTO, tells_shorts_from=first)


def account_of(pair: Pair) -> Account | None:
    return Account.objects.filter(pk=pair.account_id).first()


def worth_of(pair: Pair, account: Account | None) -> Worth:
    instrument = Instrument.objects.filter(pk=pair.instrument_id).first()
    currencies = [one.currency for one in (instrument, account) if one and one.currency]
    return Worth(instrument and instrument.point_value, currencies[0] if currencies else "")


# --- All of them


def all_pairs(account: Account | None = None) -> set[Pair]:
    """The pairs that have trades, or positions, or marks; of one account if it is given."""
    pairs: set[Pair] = set()
    for model in (Trade, Position, TouchedPair):
        rows = model.objects.filter(account=account) if account else model.objects.all()
        names = rows.order_by().values_list("account_id", "instrument_id").distinct()
        pairs.update(Pair(*names_of) for names_of in names.iterator())
    return pairs


def mark_all(account: Account | None = None) -> int:
    """Have all positions computed anew; of how many pairs."""
    pairs = all_pairs(account)
    mark_wholly(sorted(pairs))
    return len(pairs)
