"""Many times of a file into UTC at once: each day and each time of day is read only once."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from itertools import repeat
from typing import NamedTuple

from imports.moments import offset_of_hour, read_moment
from imports.problems import CellError
from imports.remembered import Remembered

# A date that one mark parts from a time: then each can be read without the other.
PARTED = re.compile(r"[\d./-]+([ T;,])\d", re.ASCII).match
DATE = re.compile(r"[\d./-]+", re.ASCII).fullmatch
SECONDS = {f"{second:02}" for second in range(60)}
HALVES = " apmAPM."  # of a day
Z = "Z"  # behind a moment in UTC
SOME_DAY = datetime(2000, 1, 3)
ONE_DAY = timedelta(days=1)


class Day(NamedTuple):
    """A day of a zone in which the clocks do not change.

    In UTC it reaches into a neighbour: `dates` are the day, the next, and last the one before.
    `times` gives, by the text of a time, its place in `dates` and the time in UTC.
    """

    month: date | None
    dates: tuple[str, ...]
    times: Remembered


NO_PLAIN_DAY = Day(None, (), Remembered(lambda text: None))


class WallClock:
    """Reads moments as `read_moment` and `to_utc` do, or says None where that is not plain."""

    def __init__(self, day_first: bool) -> None:
        self.day_first = day_first
        self.days = Remembered(self.day_of)
        self.minutes = Remembered(self.read_time)
        self.by_offset = Remembered(
            lambda offset: Remembered(partial(self.time_of, offset), 50_000)
        )

    def read(
        self, cells: Sequence[str], zones: Iterable[str]
    ) -> tuple[list[str | None], list[date | None]]:
        """Each moment in UTC as text, as in 2026-01-05 14:35:03, and the month in its own zone."""
        if cells[0].endswith(Z):
            cells = [cell[:-1] if cell.endswith(Z) else "" for cell in cells]
            zones = repeat("UTC", len(cells))
        parted = PARTED(cells[0])
        mark = parted[1] if parted else " "
        texts = [cell.partition(mark) for cell in cells]
        days = self.days.all(zip((text[0] for text in texts), zones, strict=True))
        moments = [
            dates[time[0]] + time[1] if (time := times[text[2]]) else None
            for text, (_, dates, times) in zip(texts, days, strict=True)
        ]
        return moments, [day[0] for day in days]

    def day_of(self, key: tuple[str, str]) -> Day:
        text, zone = key
        midnight = DATE(text) and naive(f"{text} 00:00", self.day_first)
        if not midnight:
            return NO_PLAIN_DAY
        hours = (midnight + timedelta(hours=hour) for hour in range(24))
        offsets = {offset_of_hour(zone, hour) for hour in hours}
        if len(offsets) > 1 or None in offsets:
            return NO_PLAIN_DAY
        around = (midnight, midnight + ONE_DAY, midnight - ONE_DAY)
        dates = tuple(f"{day:%Y-%m-%d}" for day in around)
        return Day(midnight.date().replace(day=1), dates, self.by_offset[offsets.pop()])

    def time_of(self, offset: timedelta, text: str) -> tuple[int, str] | None:
        hour, _, rest = text.partition(":")
        minute, _, rest = rest.partition(":")
        seconds, after = rest[:2], rest[2:]
        if seconds not in SECONDS or after.strip(HALVES):
            return self.minutes[offset, text]
        time = self.minutes[offset, f"{hour}:{minute}:00{after}"]
        if time is None:
            return None
        place, utc = time
        return (place, f"{utc[:-2]}{seconds}") if utc.endswith(":00") else None

    def read_time(self, key: tuple[timedelta, str]) -> tuple[int, str] | None:
        offset, text = key
        moment = text[:1].isdigit() and naive(f"{SOME_DAY:%Y-%m-%d} {text}", self.day_first)
        if not moment:
            return None
        utc = moment - offset
        return (utc.date() - SOME_DAY.date()).days, str(utc)[10:]


def naive(text: str, day_first: bool) -> datetime | None:
    try:
        moment = read_moment(text, day_first)
    except CellError:
        return None
    return moment if moment.tzinfo is None else None


def as_text(moment: datetime) -> str:
    """A moment in UTC as the tables have it: 2026-01-05 14:35:03."""
    return str(moment.replace(tzinfo=None))
