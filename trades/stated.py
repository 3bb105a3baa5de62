"""What a broker's own column says is held after a fill."""

import re
from decimal import Decimal
from functools import lru_cache

NOTHING = Decimal(0)

# 2 L, 3 S, - as NinjaTrader writes it; 2 and -3 as Sierra Chart does; 0,5 L where commas part.
STATED = re.compile(
    r"([+-]?[0-9]{1,15})(?:[.,]([0-9]{1,10}))? *(L|S|LONG|SHORT)?", re.IGNORECASE
).fullmatch


@lru_cache(1_000)
def stated_position(text: str) -> Decimal | None:
    """Below 0 if short; None if it says nothing, or may mean two things, as `1.000 L` does."""
    if text == "-":
        return NOTHING
    match = STATED(text)
    if match is None:
        return None
    whole, decimals, side = match.groups()
    if decimals and len(decimals) == 3 and int(whole):
        return None
    number = Decimal(f"{whole}.{decimals or 0}").normalize()
    return -number if side and side[0] in "sS" else number
