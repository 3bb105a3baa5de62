"""Positions beside their trades, pair by pair: as `rebuild_positions --check`, while others work.

It reads in several statements, between which a worker may write. So what counts is only what is
found twice while nothing of the pair waits to be computed anew.
"""

from typing import Any

from joblogs.findings import Check, Finding, Step, counted
from trades.checking import differences
from trades.positions import all_pairs, marks_of, recompute
from trades.touched import Pair, mark_wholly

AT_ONCE = 20_000  # fills in a step, or one pair


def look(behind: list[int] | None, mend: bool) -> Step:
    pairs = sorted(pair for pair in all_pairs() if behind is None or pair > Pair(*behind))
    findings: list[Finding] = []
    last: Any = None
    fills: list[int] = []
    for pair in pairs:
        found = standing(pair, fills)
        if found:
            findings.append(about(pair, found, mend))
        last = list(pair)
        if sum(fills) > AT_ONCE:
            break
    return Step(findings, last)


def standing(pair: Pair, fills: list[int]) -> list[str]:
    """The differences of a pair that nobody is about to put right."""
    found = look_once(pair, fills)
    if not found:
        return []
    again = set(look_once(pair, fills) or ())
    return [sentence for sentence in found if sentence in again]


def look_once(pair: Pair, fills: list[int]) -> list[str] | None:
    """None while a mark says that its positions are not those of its trades."""
    if marks_of(pair).exists():
        return None
    found = list(differences(pair, fills.append))
    return None if marks_of(pair).exists() else found


def about(pair: Pair, found: list[str], mend: bool) -> Finding:
    more = f", and {counted(len(found) - 1, 'more difference')}" if len(found) > 1 else ""
    words = f"{found[0].rstrip('.')}{more}"
    if not mend:
        return Finding(words, "--fix computes them anew, and so does rebuild_positions")
    mark_wholly([pair])
    recompute(pair)
    return Finding(words, "computed anew from the trades", is_mended=True)


CHECK = Check("positions", look)
