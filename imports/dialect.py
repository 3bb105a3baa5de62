"""How a file writes numbers and dates, decided once from the whole file, never cell by cell.

`1,234` may be a thousand or a little more than one, `1/5/2026` a day in May or in January. Cells
that can be read in one way only are the witnesses; the majority of them decides. Only if there is
none does the file's culture decide: AM and PM are American, a contract is not traded after it has
expired, and a decimal comma or a semicolon goes with the day first.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date

from imports.textfile import ENCODING_NAMES
from trades.symbols import UnknownSymbol, parse_symbol

LEAD_ENOUGH = 50  # witnesses; behind such a lead the rest of the file is not asked

DATE = re.compile(
    r"\s*(\d{1,2})([-/])(\d{1,2})[-/](?P<year>\d{4}|\d{2})\b(.*)", re.ASCII | re.DOTALL
).match
YEAR_FIRST = re.compile(r"\s*\d{4}[-/.]", re.ASCII).match
FULL_STOPS = re.compile(r"\s*\d{1,2}\.\d{1,2}\.\d", re.ASCII).match
DIGITS_AND_MARKS = re.compile(r"[^\d.,]")
HALF_OF_DAY = re.compile(r"[AP]\.?M", re.IGNORECASE).search


@dataclass(frozen=True)
class Dialect:
    """`decimal` is "." or ","; `day_first` says how 1/5/2026 is read.

    `numbers_tell` and `dates_tell` are False if no number or date of the file could be read in one
    way only, although some could be read in two.
    """

    decimal: str = "."
    day_first: bool = False
    numbers_tell: bool = field(default=True, compare=False)
    dates_tell: bool = field(default=True, compare=False)

    def as_json(self) -> dict[str, str | bool]:
        return asdict(self)


class Witnesses:
    """Counts what the cells of a file say about its numbers and dates."""

    def __init__(self, delimiter: str) -> None:
        self.delimiter = delimiter
        self.decimals: Counter[str] = Counter()
        self.day_first: Counter[bool] = Counter()
        self.contracts: Counter[bool] = Counter()  # the readings by which they had not expired
        self.doubtful_numbers = 0  # 1,234
        self.half_days = 0  # times with AM or PM
        self.year_first = 0
        self.full_stops = 0  # 05.01.2026
        self.dates = 0  # of those that a day or a month could begin
        self.padded: Counter[tuple[bool, bool]] = Counter()  # 01/05 is (True, True)

    @property
    def suffice(self) -> bool:
        return lead(self.decimals) >= LEAD_ENOUGH and lead(self.day_first) >= LEAD_ENOUGH

    def hear(self, numbers: Iterable[str], moments: Iterable[str]) -> None:
        for cell in numbers:
            if sign := decimal_sign(cell):
                self.decimals[sign] += 1
            else:
                self.doubtful_numbers += "." in cell or "," in cell
        for cell in moments:
            self.hear_moment(cell)

    def hear_moment(self, cell: str) -> None:
        match = DATE(cell)
        if match is None:
            self.year_first += YEAR_FIRST(cell) is not None
            self.full_stops += FULL_STOPS(cell) is not None
            return
        self.dates += 1
        first, _, second, _, rest = match.groups()
        self.half_days += HALF_OF_DAY(rest) is not None
        if int(first) < 10 and int(second) < 10:
            self.padded[len(first) == 2, len(second) == 2] += 1
        if int(first) > 12 >= int(second) and int(first) <= 31:
            self.day_first[True] += 1
        if int(second) > 12 >= int(first) and int(second) <= 31:
            self.day_first[False] += 1

    def verdict(self) -> Dialect:
        decimal = majority(self.decimals, self.decimal_of_the_culture())
        return Dialect(
            decimal,
            majority(self.day_first, self.culture_puts_day_first(decimal)),
            numbers_tell=bool(self.decimals) or not self.doubtful_numbers,
            dates_tell=bool(self.day_first or self.contracts) or not self.dates,
        )

    def hear_contract(self, symbol: str, cell: str) -> None:
        """A contract is not traded behind its month: MNQ 03-26 on 05/01/2026 is in January."""
        match = DATE(cell)
        if match is None:
            return
        first, second, year = int(match[1]), int(match[3]), int(match["year"]) % 100 + 2000
        if first == second or max(first, second) > 12:
            return
        expiry = expiry_of(symbol, year)
        possible = {
            day_first
            for day_first, month in ((True, second), (False, first))
            if expiry and (year, month) <= (expiry.year, expiry.month)
        }
        if len(possible) == 1:
            self.contracts[possible.pop()] += 1

    def decimal_of_the_culture(self) -> str:
        """Without a number that tells: programs that write the year first write a point, too."""
        if self.year_first or self.half_days:
            return "."
        return "," if self.full_stops or self.delimiter == ";" else "."

    def culture_puts_day_first(self, decimal: str) -> bool:
        """Without a date that tells: Australians write 1/05/2026, Americans 1/5/2026 or AM and PM.

        Nobody writes a month without and a day with a zero.
        """
        if self.padded[False, True]:
            return True
        if self.half_days:
            return False
        both, neither = self.padded[True, True], self.padded[False, False]
        culture = decimal == "," or self.delimiter == ";" or both > neither
        return majority(self.contracts, culture)


def expiry_of(symbol: str, year: int) -> date | None:
    try:
        return parse_symbol(symbol, date(year, 1, 1)).expiry
    except UnknownSymbol:
        return None


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
    doubt = " (by its culture; no {} in it tells)"
    sign += "" if stored["numbers_tell"] else doubt.format("number")
    order += "" if stored["dates_tell"] else doubt.format("date")
    encoding = ENCODING_NAMES[stored["encoding"]]
    return f"{encoding}, {delimiter} between cells, decimal {sign}, {order}"
