"""One cell: read it, or say what is wrong with it.

Every reader is called as `reader(cell, dialect)`, returns the value and raises CellError.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import eq

from imports.dialect import Dialect
from imports.moments import read_moment
from imports.problems import CellError, shown

MOST_DIGITS = 15  # what SQLite keeps exactly
MOST_DECIMALS = 10
LONGEST_NUMBER = 100  # characters

# Around the number, never inside: 5$25 is none. ¤ is the currency of no country, in .NET.
CURRENCY = r"(?:[A-Z]{0,2}[$€£¥₣₹¤]|[A-Z]{3}(?![A-Z])|\s)+"
CURRENCY_BEFORE = re.compile(rf"^([-−+(\s]*){CURRENCY}")
CURRENCY_BEHIND = re.compile(rf"(?<![A-Z]){CURRENCY}([-−)\s]*)$")
SPACES = re.compile(r"\s+")
# Thousands are parted by one kind of mark throughout. An apostrophe counts only before decimals:
# 110'165 may as well be a bond's 32nds.
NUMBER = {
    ".": re.compile(
        r"(?:\d+|\d{1,3}(?:(?:,\d{3})+|(?: \d{3})+)|\d{1,3}(?:['’]\d{3})+(?=\.))(?:\.\d*)?|\.\d+",
        re.ASCII,
    ),
    ",": re.compile(
        r"(?:\d+|\d{1,3}(?:(?:\.\d{3})+|(?: \d{3})+)|\d{1,3}(?:['’]\d{3})+(?=,))(?:,\d*)?|,\d+",
        re.ASCII,
    ),
}
# 110'16.5; not 110'165, which may be a number with its thousands parted.
THIRTY_SECONDS = re.compile(r"(\d{1,3})['’]([0-2]\d|3[01])(?:[.,](\d{1,3}))?", re.ASCII).fullmatch
ROUNDED = re.compile(r"\d[.,]\d+E\+\d+", re.ASCII).fullmatch
BLURRED = re.compile(r"-?\d{1,9}\.\d{11,20}", re.ASCII).fullmatch
LEAST, BLUR = Decimal("1E-8"), Decimal("0.01")  # decimals that count, and how far they may be off
PLAIN = re.compile(r"\$?(\d{1,9}(?:\.\d{1,6})?)", re.ASCII).fullmatch  # most cells


def read_number(cell: str, decimal: str) -> Decimal:
    """Money, price or quantity as brokers write it: $0.52, ($22.48), 58,00 $, - 2.50, 4 577,86.

    `decimal` is the file's decimal sign. Raises ValueError with a sentence.
    """
    if decimal == "." and (plain := PLAIN(cell)):
        return Decimal(plain[1])
    if len(cell) > LONGEST_NUMBER:
        raise ValueError(f"{shown(cell)} is not a number: it has {len(cell):,} characters")
    words = SPACES.sub(" ", cell).strip()
    amount = CURRENCY_BEHIND.sub(r"\1", CURRENCY_BEFORE.sub(r"\1", words))
    bare, negative = without_sign(amount)
    if not NUMBER[decimal].fullmatch(bare):
        other = "," if decimal == "." else "."
        word = {".": "point", ",": "comma"}[decimal]
        reads_otherwise = NUMBER[other].fullmatch(bare)
        hint = f" with a decimal {word}, which this file uses" if reads_otherwise else ""
        raise ValueError(f"{shown(cell)} is not a number{hint}")
    digits = re.sub(r"[^\d" + re.escape(decimal) + "]", "", bare).replace(decimal, ".")
    number = exactly(digits, cell)
    return -number if negative and number else number


def without_sign(text: str) -> tuple[str, bool]:
    """The number without its sign, and whether it is negative: -1, - 1, 1-, (1), −1."""
    if text.startswith("(") and text.endswith(")"):
        return text[1:-1].strip(), True
    if text[:1] in ("-", "−"):
        return text[1:].strip(), True
    if text[-1:] in ("-", "−"):
        return text[:-1].strip(), True
    return text.removeprefix("+").strip(), False


def exactly(digits: str, cell: str) -> Decimal:
    """The number, if every database can keep it to the last digit."""
    whole, _, part = digits.partition(".")
    whole, part = whole.lstrip("0"), part.rstrip("0")
    if len(whole + part) > MOST_DIGITS or len(part) > MOST_DECIMALS:
        raise ValueError(
            f"{shown(cell)} has more digits than can be kept exactly "
            f"({MOST_DIGITS} in all, {MOST_DECIMALS} after the decimal sign)"
        )
    return Decimal(digits)


@dataclass(frozen=True)
class Text:
    """Words as they stand, without the blanks around them."""

    limit: int

    def __call__(self, cell: str, dialect: Dialect) -> str:
        text = cell.strip()
        if len(text) > self.limit:
            raise CellError("too_long", f"has {len(text):,} characters; at most {self.limit} fit")
        return text

    def keeps(self, cells: Collection[str]) -> bool:
        """Whether each of these cells is read as it stands."""
        return max(map(len, cells)) <= self.limit and all(map(eq, cells, map(str.strip, cells)))


@dataclass(frozen=True)
class Verbatim(Text):
    """Words with the blanks around them."""

    def __call__(self, cell: str, dialect: Dialect) -> str:
        super().__call__(cell, dialect)
        return cell

    def keeps(self, cells: Collection[str]) -> bool:
        return max(map(len, cells)) <= self.limit


@dataclass(frozen=True)
class Flag:
    """Yes or no, as the databases write it."""

    def __call__(self, cell: str, dialect: Dialect) -> str:
        flag = {"true": "1", "false": "0", "": "0"}.get(cell.strip().lower())
        if flag is None:
            raise CellError("invalid_flag", f"{shown(cell)} is neither true nor false")
        return flag


@dataclass(frozen=True)
class Name(Text):
    """Words that must be there."""

    code: str
    expected: str

    def __call__(self, cell: str, dialect: Dialect) -> str:
        text = super().__call__(cell, dialect)
        if not text:
            raise CellError(self.code, f"is empty; expected {self.expected}")
        return text

    def keeps(self, cells: Collection[str]) -> bool:
        return super().keeps(cells) and all(cells)


@dataclass(frozen=True)
class Identifier(Text):
    """The broker's own id of a fill, or nothing. What a spreadsheet rounded is none any more."""

    def __call__(self, cell: str, dialect: Dialect) -> str:
        text = super().__call__(cell, dialect)
        if ROUNDED(text):
            raise CellError(
                "invalid_id",
                f"{shown(text)} is an id that a spreadsheet has rounded; expected it in full",
            )
        return text

    def keeps(self, cells: Collection[str]) -> bool:
        return super().keeps(cells) and "E+" not in "".join(cells)


@dataclass(frozen=True)
class Side:
    """Words for buying and selling; `words` maps the broker's, in lower case without blanks."""

    words: dict[str, str]

    def __call__(self, cell: str, dialect: Dialect) -> str:
        side = self.words.get("".join(cell.lower().split()))
        if side is None:
            known = ", ".join(sorted(self.words))
            raise CellError(
                "unknown_action", f"{shown(cell)} is no action; expected one of {known}"
            )
        return side


@dataclass(frozen=True)
class Number:
    """A decimal number. Its code is the one of its problems."""

    code: str
    blank: Decimal | None = None

    def __call__(self, cell: str, dialect: Dialect) -> Decimal:
        if not cell.strip():
            if self.blank is not None:
                return self.blank
            raise CellError(self.code, "is empty; expected a number")
        try:
            return read_number(cell, dialect.decimal)
        except ValueError as problem:
            raise CellError(self.code, str(problem)) from None


@dataclass(frozen=True)
class Floating(Number):
    """A number that binary floating point may have blurred: 4396.900000000001 is 4396.9."""

    def __call__(self, cell: str, dialect: Dialect) -> Decimal:
        if blurred := BLURRED(cell.strip()):
            number = Decimal(blurred[0])
            clear = number.quantize(LEAST)
            if abs(number - clear) < LEAST * BLUR:
                return super().__call__(f"{clear.normalize():f}", dialect)
        return super().__call__(cell, dialect)


@dataclass(frozen=True)
class Price(Number):
    """A number; that of a bond may be told in points and 32nds of one: 110'16.5 is 110.515625."""

    def __call__(self, cell: str, dialect: Dialect) -> Decimal:
        if bond := THIRTY_SECONDS(cell.strip()):
            points, ticks, part = bond.groups("0")
            return Decimal(points) + Decimal(f"{ticks}.{part}") / 32
        return super().__call__(cell, dialect)


@dataclass(frozen=True)
class Quantity(Number):
    """A number above zero."""

    def __call__(self, cell: str, dialect: Dialect) -> Decimal:
        number = super().__call__(cell, dialect)
        if number <= 0:
            raise CellError(self.code, f"{shown(cell)} is not above zero")
        return number


@dataclass(frozen=True)
class Moment:
    """A date with a time of day: naive, or aware if the cell names an offset."""

    def __call__(self, cell: str, dialect: Dialect) -> datetime:
        if not cell.strip():
            raise CellError("invalid_timestamp", "is empty; expected a date with a time")
        return read_moment(cell, dialect.day_first)


Reader = Text | Flag | Side | Number | Moment
