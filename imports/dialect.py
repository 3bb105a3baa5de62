"""How a file writes numbers and dates, decided once from the whole file, never cell by cell.

`1,234` may be a thousand or a little more than one, `1/5/2026` a day in May or in January. Cells
that can be read in one way only are the witnesses; the majority of them decides. Only if there is
none does the file's culture decide: a decimal comma or a semicolon goes with the day first.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from imports.reading import ENCODING_NAMES

LEAD_ENOUGH = 50  # witnesses; behind such a lead the rest of the file is not asked

DATE = re.compile(
    r"\s*(\d{1,2})([-/])(\d{1,2})[-/](?:\d{4}|\d{2})\b(.*)", re.ASCII | re.DOTALL
).match
DIGITS_AND_MARKS = re.compile(r"[^\d.,]")
HALF_OF_DAY = re.compile(r"[AP]\.?M", re.IGNORECASE).search


@dataclass(frozen=True)
class Dialect:
    """`decimal` is "." or ","; `day_first` says how 1/5/2026 is read.

    `dates_tell` is False if no date of the file could be read in one way only.
    """

    decimal: str = "."
    day_first: bool = False
    dates_tell: bool = field(default=True, compare=False)

    def as_json(self) -> dict[str, str | bool]:
        return asdict(self)


class Witnesses:
    """Counts what the cells of a file say about its numbers and dates."""

    def __init__(self, delimiter: str) -> None:
        self.delimiter = delimiter
        self.decimals: Counter[str] = Counter()
        self.day_first: Counter[bool] = Counter()
        self.half_days = 0  # times with AM or PM
        self.dates = 0  # of those that a day or a month could begin
        self.padded: Counter[tuple[bool, bool]] = Counter()  # 01/05 is (True, True)

    @property
    def suffice(self) -> bool:
        return lead(self.decimals) >= LEAD_ENOUGH and lead(self.day_first) >= LEAD_ENOUGH

    def hear(self, numbers: Iterable[str], moments: Iterable[str]) -> None:
        for cell in numbers:
            if sign := decimal_sign(cell):
                self.decimals[sign] += 1
        for cell in moments:
            self.hear_moment(cell)

    def hear_moment(self, cell: str) -> None:
        match = DATE(cell)
        if match is None:
            return
        self.dates += 1
        first, _, second, rest = match.groups()
        self.half_days += HALF_OF_DAY(rest) is not None
        if int(first) < 10 and int(second) < 10:
            self.padded[len(first) == 2, len(second) == 2] += 1
        if int(first) > 12 >= int(second) and int(first) <= 31:
            self.day_first[True] += 1
        if int(second) > 12 >= int(first) and int(second) <= 31:
            self.day_first[False] += 1

    def verdict(self) -> Dialect:
        decimal = majority(self.decimals, "," if self.delimiter == ";" else ".")
        return Dialect(
            decimal,
            majority(self.day_first, self.culture_puts_day_first(decimal)),
            dates_tell=bool(self.day_first) or not self.dates,
        )

    def culture_puts_day_first(self, decimal: str) -> bool:
        """Without a date that tells: Australians write 1/05/2026, Americans 1/5/2026 or AM and PM.

        Nobody writes a month without and a day with a zero.
        """
        if self.padded[False, True]:
            return True
        if self.half_days:
            return False
        both, neither = self.padded[True, True], self.padded[False, False]
        return decimal == "," or self.delimiter == ";" or both > neither


def lead(votes: Counter) -> int:
    first, second = [*(count for _, count in votes.most_common(2)), 0, 0][:2]
    return first - second


def majority(votes: Counter, otherwise: object) -> object:
    ranking = votes.most_common(2)
    if not ranking or (len(ranking) == 2 and ranking[0][1] == ranking[1][1]):
        return otherwise
    return ranking[0][0]


def decimal_sign(cell: str) -> str | None:
    """The decimal sign of a number that can be read in one way only; None for 1,234 or 12."""
    marks = DIGITS_AND_MARKS.sub("", cell)
    points, commas = marks.count("."), marks.count(",")
    if points and commas:
        return "." if marks.rfind(".") > marks.rfind(",") else ","
    if points + commas == 0:
        return None
    sign, other = (".", ",") if points else (",", ".")
    if points + commas > 1:
        return other  # 1.234.567: that mark parts thousands
    whole, _, part = marks.partition(sign)
    could_be_thousands = len(part) == 3 and 1 <= len(whole) <= 3 and whole[0] != "0"
    return None if could_be_thousands else sign


def in_words(stored: dict[str, str | bool]) -> str:
    """What an import remembers of its file's dialect, for a reader."""
    delimiter = {",": "comma", ";": "semicolon", "\t": "tab"}.get(stored["delimiter"], "bar")
    sign = {".": "point", ",": "comma"}[stored["decimal"]]
    order = "day/month" if stored["day_first"] else "month/day"
    doubt = "" if stored.get("dates_tell", True) else " (by its culture; no date in it tells)"
    encoding = ENCODING_NAMES[stored["encoding"]]
    return f"{encoding}, {delimiter} between cells, decimal {sign}, {order}{doubt}"
