"""Is a file still being written to, although it rests at the moment? By its name and its end."""

import codecs
import hashlib
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.utils import timezone

from imports.backupfile import look_at_backup
from imports.models import ImportExecutionLog
from imports.problems import FileError
from imports.storing import BLOCK, safe_name
from imports.textfile import LONGEST_LINE, SAMPLE, encodings_of

QUIET = timedelta(minutes=3)  # a file whose last line has no end is finished after this rest
TAIL = 4 * LONGEST_LINE  # bytes; a line that is longer than this is none

# 20261121, 2026-11-21 and 2026_11_21; 11-21-2026, 21.11.2026 and 21112026. All that overlap.
DATES = [
    re.compile(r"(?=(?P<year>20\d\d)([-_. ]?)(?P<one>\d\d)\2(?P<two>\d\d))"),
    re.compile(r"(?=(?P<one>\d\d)([-_. ]?)(?P<two>\d\d)\2(?P<year>20\d\d))"),
    re.compile(r"(?<!\d)(?P<year>20\d\d)([-_. ])(?P<one>\d\d?)\2(?P<two>\d\d?)(?!\d)"),
    re.compile(r"(?<!\d)(?P<one>\d\d?)([-_. ])(?P<two>\d\d?)\2(?P<year>20\d\d)"),
]


def is_growing(source: BinaryIO, name: str, changed_at: datetime) -> bool:
    """Whether a file at rest, open at its start, is going to get more lines.

    It is if its name says today; if its last line has no end, and it has not rested for long; and
    if it has grown since an earlier import today and its name says no day.
    """
    today, named = timezone.localdate(), set(days_in(name))
    if today in named:
        return True
    size = size_of(source)
    if end_of_lines(source, size) < size or not size:
        return abs(timezone.now() - changed_at) < QUIET
    is_of_today = timezone.localdate(changed_at) == today
    return is_of_today and not named and has_grown(source, name, size)


def is_half_a_backup(path: Path, changed_at: datetime) -> bool:
    """Whether a backup at rest lacks its end and may get it: it has not rested for long."""
    if abs(timezone.now() - changed_at) >= QUIET:
        return False
    try:
        look_at_backup(path, path.name)
    except FileError:
        return True
    return False


def days_in(name: str) -> Iterator[date]:
    """Every day that the name may mean; 11-12-2026 may mean two."""
    for pattern in DATES:
        for found in pattern.finditer(name):
            year, one, two = (int(found[part]) for part in ("year", "one", "two"))
            for month, day in ((one, two), (two, one)):
                try:
                    yield date(year, month, day)
                except ValueError:
                    continue


def size_of(source: BinaryIO) -> int:
    return source.seek(0, 2)


def end_of_lines(source: BinaryIO, size: int) -> int:
    """How many of the first `size` bytes are whole lines."""
    marks = line_breaks(source)
    start = max(0, size - TAIL) // 2 * 2
    source.seek(start)
    tail = source.read(size - start)
    ends = [place + len(mark) for mark in marks if (place := last_place(mark, tail)) >= 0]
    return start + max(ends) if ends else 0


def line_breaks(source: BinaryIO) -> list[bytes]:
    """LF and CR, as they are written in this file."""
    source.seek(0)
    sample = source.read(SAMPLE)
    encoding = encodings_of(sample)[0]
    if not encoding.startswith("utf-16"):
        return [b"\n", b"\r"]
    is_big = encoding == "utf-16-be" or sample.startswith(codecs.BOM_UTF16_BE)
    return [mark.encode("utf-16-be" if is_big else "utf-16-le") for mark in "\n\r"]


def last_place(mark: bytes, text: bytes) -> int:
    """The last place of a character that does not lie across two others; -1 if there is none."""
    place = text.rfind(mark)
    while place > 0 and place % len(mark):
        place = text.rfind(mark, 0, place + len(mark) - 1)
    return place


def has_grown(source: BinaryIO, name: str, size: int) -> bool:
    """Whether its beginning is all that an earlier import of this name had, and that had lines."""
    earlier = ImportExecutionLog.objects.filter(
        file_name=safe_name(name), total_rows__gt=0, file_size__lt=size
    )
    hashes = set(earlier.values_list("file_size", "file_hash"))
    sizes = sorted({size for size, _ in hashes})
    found = zip(sizes, hashes_of_beginnings(source, sizes), strict=True)
    return any(one in hashes for one in found)


def hashes_of_beginnings(source: BinaryIO, sizes: list[int]) -> Iterator[str]:
    """The SHA-256 of the first bytes, for each of these ascending sizes, read in one go."""
    source.seek(0)
    digest, place = hashlib.sha256(), 0
    for size in sizes:
        while place < size and (block := source.read(min(BLOCK, size - place))):
            digest.update(block)
            place += len(block)
        yield digest.hexdigest()


class Beginning:
    """The first `size` bytes of a file, to be read like a file."""

    def __init__(self, source: BinaryIO, size: int) -> None:
        source.seek(0)
        self.source = source
        self.left = size

    def read(self, most: int) -> bytes:
        block = self.source.read(min(most, self.left))
        self.left -= len(block)
        return block
