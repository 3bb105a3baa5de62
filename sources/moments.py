"""Moments as databases and files give them, in UTC."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from sources.quoting import quoted

EARLIEST_YEAR, LATEST_YEAR = 1970, 2099
EXPECTED = "expected one like 2026-01-05 14:35:03"

# 2026-01-05 14:35:03.1234567, 2026-01-05T14:35Z, 2026-01-05 06:35:03-08
STAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ]+(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r"\s*(Z|UTC|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)?",
    re.ASCII | re.IGNORECASE,
).fullmatch


def to_moment(value: object, zone: ZoneInfo) -> datetime:
    """The moment in UTC; a wall clock that shows it twice means the first time.

    Raises ValueError with a sentence.
    """
    moment = value if isinstance(value, datetime) else read_moment(value)
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise ValueError(f"'{moment}' is before {EARLIEST_YEAR} or after {LATEST_YEAR}")
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    there = moment.replace(tzinfo=zone).astimezone(UTC)
    if there.astimezone(zone).replace(tzinfo=None) != moment:
        raise ValueError(
            f"'{moment}' does not exist in {zone.key}: clocks were put forward over it"
        )
    return there


def read_moment(value: object) -> datetime:
    """The text of a moment: naive, or aware if it names an offset."""
    if isinstance(value, date):
        raise ValueError(f"'{value}' is a day without a time; {EXPECTED}")
    match = STAMP(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{quoted(value)} is no moment; {EXPECTED}")
    *numbers, fraction, offset = match.groups()
    parts = [int(number or 0) for number in numbers]
    try:
        moment = datetime(*parts, int((fraction or "").ljust(6, "0")[:6]))
        return moment.replace(tzinfo=zone_of(offset) if offset else None)
    except ValueError:
        raise ValueError(f"{quoted(value)} is no such day or time") from None


def zone_of(offset: str) -> timezone:
    """The zone of an offset: Z, UTC, +02, +0200, +02:00. Raises ValueError."""
    if offset.upper() in ("Z", "UTC"):
        return UTC
    digits = offset[1:].replace(":", "").ljust(6, "0")
    hours, minutes, seconds = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    shift = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timezone(-shift if offset[0] == "-" else shift)
