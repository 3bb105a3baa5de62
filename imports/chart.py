"""The bars of the imports by day, laid out for a drawing (SVG)."""

from dataclasses import dataclass

from imports.statistics import Day

HEIGHT = 80  # of the highest bar, in the units of the drawing
STEP = 20  # from one day to the next
GAP = 4
# From the bottom up; what went wrong stands on top, where the eye falls.
STACK = ("success", "other", "partial", "failed")


@dataclass(frozen=True)
class Piece:
    """A part of a day's bar: the imports of one outcome. `words` say what it stands for."""

    outcome: str
    words: str
    x: int
    y: float
    height: float


@dataclass(frozen=True)
class Chart:
    """A drawing of `width` × `height`; `most` imports are as high as it."""

    days: list[Day]
    pieces: list[Piece]
    most: int
    width: int
    height: int = HEIGHT
    bar: int = STEP - GAP


def chart(days: list[Day]) -> Chart:
    most = max((day.total for day in days), default=0)
    pieces = [
        piece for number, day in enumerate(days) for piece in bar(day, STEP * number, most or 1)
    ]
    return Chart(days, pieces, most, STEP * len(days))


def bar(day: Day, x: int, most: int) -> list[Piece]:
    pieces, foot = [], float(HEIGHT)
    for outcome in STACK:
        number = getattr(day, outcome)
        if number:
            height = HEIGHT * number / most
            foot -= height
            words = f"{day.date}: {number:,} {outcome}"
            pieces.append(Piece(outcome, words, x, round(foot, 2), round(height, 2)))
    return pieces
