"""Dates and times as brokers write them, and from a wall clock to UTC."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from imports.problems import CellError, shown

EARLIEST_YEAR, LATEST_YEAR = 1970, 2099
FARTHEST_OFFSET = timedelta(hours=14)

STAMP = re.compile(
    r"""
    (?: (?P<y>\d{4})(?P<sep1>[-/.])(?P<m>\d{1,2})(?P=sep1)(?P<d>\d{1,2})       # 2026-01-05
      | (?P<a>\d{1,2})(?P<sep2>[-/.])(?P<b>\d{1,2})(?P=sep2)(?P<yy>\d{4}|\d{2}) # 1/5/2026, 05.01.26
      | (?P<digits>\d{8})                                                       # 20260105, 05012026
    )
    (?: \s*[;,T\s]\s*
        (?P<hour>\d{1,2}) (?P<colon>[:.]?) (?P<minute>\d{2})                # 9:30, 0930, 9.30
        (?: (?P=colon)(?P<second>\d{2}) (?: [.,](?P<fraction>\d{1,9}) )? )?
        (?: \s* (?P<half>[AaPp])\.?\s?[Mm]\.? )?
    )?
    (?: \s* (?P<offset> Z | UTC | [+-]\d{2}:?\d{2} ) )?
    """,
    re.VERBOSE | re.ASCII,
).fullmatch


def read_moment(cell: str, day_first: bool) -> datetime:
    """A cell as a datetime: naive, or aware if it carries an offset.

    `day_first` says how to read 1/5/2026; every other spelling says so itself.
    Raises CellError "invalid_timestamp".
    """
    match = STAMP(" ".join(cell.split()))
    if match is None or match["hour"] is None:
        raise CellError("invalid_timestamp", f"{shown(cell)} is not a date with a time")
    parts = match.groupdict()
    try:
        moment = datetime(*date_parts(parts, day_first), *time_parts(parts))
        return moment if parts["offset"] is None else with_offset(moment, parts["offset"])
    except ValueError:
        order = "day/month/year" if day_first else "month/day/year"
        reason = f"is no such day or time, read as {order}" if parts["a"] else "is no day or time"
        raise CellError("invalid_timestamp", f"{shown(cell)} {reason}") from None


def date_parts(parts: dict[str, str | None], day_first: bool) -> tuple[int, int, int]:
    """Year, month, day. Eight digits are a year first if that gives a month, else a day first."""
    if parts["digits"]:
        digits = parts["digits"]
        if 1 <= int(digits[4:6]) <= 12 and digits[:2] in ("19", "20"):
            return checked(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        return checked(int(digits[4:]), int(digits[2:4]), int(digits[:2]))
    if parts["y"]:
        return checked(int(parts["y"]), int(parts["m"]), int(parts["d"]))
    first, second, year = int(parts["a"]), int(parts["b"]), int(parts["yy"])
    if len(parts["yy"]) == 2:  # not 0001, which is how .NET writes "no time"
        year += 2000 if year < 70 else 1900
    # 05.01.2026 is a day first wherever full stops part the numbers.
    if day_first or parts["sep2"] == ".":
        return checked(year, second, first)
    return checked(year, first, second)


def checked(year: int, month: int, day: int) -> tuple[int, int, int]:
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        raise ValueError(f"there are no electronic fills in {year}")
    return year, month, day


def time_parts(parts: dict[str, str | None]) -> tuple[int, int, int, int]:
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    if parts["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("an hour of the twelve-hour clock is 1 to 12")
        hour = hour % 12 + (12 if parts["half"] in "pP" else 0)
    return hour, minute, second, int((parts["fraction"] or "0").ljust(6, "0")[:6])


def with_offset(moment: datetime, offset: str) -> datetime:
    if offset in ("Z", "UTC"):
        return moment.replace(tzinfo=UTC)
    hours, minutes = int(offset[1:3]), int(offset[-2:])
    shift = timedelta(hours=hours, minutes=minutes)
    if minutes >= 60 or shift > FARTHEST_OFFSET:
        raise ValueError("no zone has such an offset")
    return (moment - shift if offset[0] == "+" else moment + shift).replace(tzinfo=UTC)


def to_utc(moment: datetime, zone_name: str) -> tuple[datetime, str]:
    """The moment in UTC, and a remark if the wall clock of the zone showed it twice.

    Raises CellError "nonexistent_local_time" for a time that the clocks skipped.
    """
    if moment.tzinfo is not None:
        return moment, ""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    offset = offset_of_hour(zone_name, hour)
    if offset is not None:
        return (moment - offset).replace(tzinfo=UTC), ""
    return around_a_change_of_clocks(moment, ZoneInfo(zone_name))


@lru_cache(maxsize=5_000)
def offset_of_hour(zone_name: str, hour: datetime) -> timedelta | None:
    """The zone's offset during one hour of its wall clock; None if the clocks change near it."""
    zone = ZoneInfo(zone_name)
    day = timedelta(days=1)
    around = {edge.replace(tzinfo=zone).utcoffset() for edge in (hour - day, hour, hour + day)}
    return around.pop() if len(around) == 1 else None


def around_a_change_of_clocks(moment: datetime, zone: ZoneInfo) -> tuple[datetime, str]:
    first = moment.replace(tzinfo=zone, fold=0)
    there = first.astimezone(UTC)
    if there.astimezone(zone).replace(tzinfo=None) != moment:
        raise CellError(
            "nonexistent_local_time",
            f"{moment:%Y-%m-%d %H:%M:%S} does not exist in {zone.key}: "
            "the clocks were put forward over it",
        )
    if first.utcoffset() == moment.replace(tzinfo=zone, fold=1).utcoffset():
        return there, ""
    return there, (
        f"{moment:%Y-%m-%d %H:%M:%S} happened twice in {zone.key} when the clocks were put back; "
        f"taken as the first ({first:%Z}, {there:%H:%M:%S} UTC)"
    )
