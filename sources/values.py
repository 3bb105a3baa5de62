"""One value of a source: converted, or a sentence that says why not."""

import json
import math
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sources.moments import to_moment
from sources.quoting import clean, quoted

MOST_DIGITS = 15  # what every database keeps exactly, and what a binary number holds
MOST_DECIMALS = 10
LONGEST_NUMBER = 100  # characters

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:E[+-]?\d{1,2})?", re.ASCII | re.I).fullmatch

Converter = Callable[[object, ZoneInfo], object]


def is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str | bytes) and not value.strip())


def to_text(value: object, zone: ZoneInfo) -> str:
    """The words as they stand, without the blanks around them."""
    text = as_text(value).strip()
    if text != clean(text):
        raise ValueError(f"{quoted(text)} has characters that are none")
    return text


def to_number(value: object, zone: ZoneInfo) -> Decimal:
    """A number to the last digit. A binary one is what its 15 digits say."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str | bytes):
        raise ValueError(f"{quoted(value)} is no number")
    if isinstance(value, float):
        return from_binary(value)
    text = as_text(value).strip()
    if len(text) > LONGEST_NUMBER or not NUMBER(text):
        raise ValueError(f"{quoted(text)} is no number")
    return exactly(Decimal(text), text)


def from_binary(value: float) -> Decimal:
    if not math.isfinite(value):
        raise ValueError(f"'{value}' is no number")
    number = Decimal(format(value, f".{MOST_DIGITS}g"))
    if number.as_tuple().exponent < -MOST_DECIMALS:
        number = round(number, MOST_DECIMALS)
    return exactly(number, value)


def exactly(number: Decimal, given: object) -> Decimal:
    """The number without zeros at its end, if every database can keep it to the last digit."""
    whole, _, part = f"{number:f}".lstrip("+-").partition(".")
    whole, part = whole.lstrip("0"), part.rstrip("0")
    if len(whole + part) > MOST_DIGITS or len(part) > MOST_DECIMALS:
        raise ValueError(
            f"{quoted(given)} has more digits than can be kept exactly "
            f"({MOST_DIGITS} in all, {MOST_DECIMALS} after the decimal point)"
        )
    digits = Decimal(f"{whole or 0}.{part}" if part else whole or 0)
    return -digits if digits and number < 0 else digits


def to_whole(value: object, zone: ZoneInfo) -> int:
    number = to_number(value, zone)
    if number != int(number):
        raise ValueError(f"{quoted(value)} is no whole number")
    return int(number)


CONVERTERS: dict[str, Converter] = {
    "text": to_text,
    "number": to_number,
    "whole": to_whole,
    "moment": lambda value, zone: to_moment(decoded(value), zone),
}


def decoded(value: object) -> object:
    return as_text(value) if isinstance(value, bytes) else value


def as_text(value: object) -> str:
    """A value of any kind as text; bytes that are none as 0x…"""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bytes | bytearray | memoryview):
        return text_of_bytes(bytes(value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal) and value.is_finite():
        return f"{value:f}"
    if isinstance(value, datetime | date):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def text_of_bytes(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\0"
    return f"0x{value.hex().upper()}" if "\0" in text else text
