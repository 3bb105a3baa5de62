"""One cell: read it, or say what is wrong with it.

Every reader is called as `reader(cell, dialect)`, returns the value and raises CellError.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from imports.dialect import Dialect
from imports.moments import read_moment
from imports.problems import CellError, shown

MOST_DIGITS = 15  # what SQLite keeps exactly
MOST_DECIMALS = 10
LONGEST_CELL_SHOWN = 60

CURRENCY = re.compile(r"[$€£¥₣₹]|\b[A-Z]{3}\b")
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
PLAIN = re.compile(r"\d{1,9}(?:\.\d{1,6})?", re.ASCII).fullmatch


def read_number(cell: str, decimal: str) -> Decimal:
    """Money, price or quantity as brokers write it: $0.52, ($22.48), 58,00 $, - 2.50, 4 577,86.

    `decimal` is the file's decimal sign. Raises ValueError with a sentence.
    """
    if decimal == "." and PLAIN(cell):
        return Decimal(cell)
    bare, negative = without_sign(SPACES.sub(" ", CURRENCY.sub("", cell)).strip())
    if not NUMBER[decimal].fullmatch(bare):
        other = "," if decimal == "." else "."
        word = {".": "point", ",": "comma"}[decimal]
        reads_otherwise = NUMBER[other].fullmatch(bare)
        hint = f" with a decimal {word}, which this file uses" if reads_otherwise else ""
        raise ValueError(f"{shown(cell)} is not a number{hint}")
    digits = re.sub(r"[^\d" + re.escape(decimal) + "]", "", bare).replace(decimal, ".")
    return exactly(Decimal(f"-{digits}" if negative else digits), cell)


def without_sign(text: str) -> tuple[str, bool]:
    """The number without its sign, and whether it is negative: -1, - 1, 1-, (1), −1."""
    if text.startswith("(") and text.endswith(")"):
        return text[1:-1].strip(), True
    if text[:1] in ("-", "−"):
        return text[1:].strip(), True
    if text[-1:] in ("-", "−"):
        return text[:-1].strip(), True
    return text.removeprefix("+").strip(), False


def exactly(number: Decimal, cell: str) -> Decimal:
    """The number, if every database can keep it to the last digit."""
    _, digits, exponent = number.normalize().as_tuple()
    if len(digits) > MOST_DIGITS or -exponent > MOST_DECIMALS or number.adjusted() >= MOST_DIGITS:
        raise ValueError(
            f"{shown(cell)} has more digits than can be kept exactly "
            f"({MOST_DIGITS} in all, {MOST_DECIMALS} after the decimal sign)"
        )
    return number


@dataclass(frozen=True)
class Text:
    """Words as they stand, without the blanks around them."""

    limit: int

    def __call__(self, cell: str, dialect: Dialect) -> str:
        text = cell.strip()
        if len(text) > self.limit:
            raise CellError("too_long", f"has {len(text):,} characters; at most {self.limit} fit")
        return text


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


Reader = Text | Side | Number | Moment
