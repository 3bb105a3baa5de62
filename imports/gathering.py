"""Parts of a file, each read by itself, put together into chunks for the database.

A part is small, so that little memory is needed while it is read, and the database need not wait
long for the first. A chunk is large: each changes most pages of the index of all identities, so
the fewer there are, the fewer pages are written.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from typing import Any

from imports.apart import Apart
from imports.body import HEAVY
from imports.chunks import PART, Ahead, Chunk
from imports.lines import LineReader

WORTH = 50_000  # lines; fewer are hardly read faster by a process of their own
OF_A_LINE, OF_ITS_CELL = 1_000, 60  # bytes
COPIED = ("row_number", "raw_row_data")  # the columns of the lines for COPY


class Made(Sequence[Any]):
    """What is made of each of these, once it is asked for: few are."""

    def __init__(self, of: Sequence[Any], make: Callable[[Any], Any]) -> None:
        self.of = of
        self.make = make

    def __len__(self) -> int:
        return len(self.of)

    def __getitem__(self, place: Any) -> Any:
        found = self.of[place]
        return Made(found, self.make) if isinstance(place, slice) else self.make(found)


@contextmanager
def reading_ahead(
    parts: Iterator[Chunk], reader: LineReader, lines: int, most: int
) -> Iterator[tuple[Iterator[Chunk], Callable[[], None]]]:
    """The chunks of a file with so many lines, and what makes them go on beside who writes.

    Many are read by a process of their own; on a Mac, a fork is not safe.
    """
    gatherer = Gatherer(reader, most)
    parts = map(light, parts)
    if lines < WORTH or sys.platform != "linux":
        with closing(Ahead(gatherer.chunks(parts))) as ahead:
            yield iter(ahead), ahead.go_on
    else:
        with closing(Apart(parts)) as apart:
            coming = iter(apart)
            yield gatherer.chunks(coming), lambda: gatherer.go_on(coming, apart.is_there)


def light(part: Chunk) -> Chunk:
    """Without what can be made of the rest, or is at hand where it is gathered."""
    part.reader = part.rows.cells = None
    if COPIED in part.for_row_logs:
        part.raw = None
    return part


class Gatherer:
    """Puts light parts together into chunks of up to so many lines, fewer where they are heavy.

    The first ones are smaller, so that the database need not wait long for them.
    """

    def __init__(self, reader: LineReader, most: int) -> None:
        self.reader = reader
        self.most = most
        self.size = min(PART, most)
        self.weight = 0
        self.chunk: Chunk | None = None

    def chunks(self, parts: Iterator[Chunk]) -> Iterator[Chunk]:
        while True:
            self.go_on(parts, lambda: True)
            if self.chunk is None:
                return
            yield self.taken()

    def go_on(self, parts: Iterator[Chunk], is_there: Callable[[], bool]) -> None:
        """Add the next parts, as long as one is there, until the chunk is full."""
        while not self.is_full() and is_there() and (part := next(parts, None)) is not None:
            self.weight += weight_of(part)
            if self.chunk is None:
                self.chunk = part
            else:
                append(part, self.chunk)
            if self.is_full():
                finish(self.chunk, self.reader)

    def is_full(self) -> bool:
        return self.chunk is not None and (
            len(self.chunk.rows) >= self.size or self.weight >= HEAVY
        )

    def taken(self) -> Chunk:
        """The chunk; the next one is gathered while it is written."""
        if not self.is_full():
            finish(self.chunk, self.reader)
        self.size = min(self.size * 2, self.most)
        found, self.chunk, self.weight = self.chunk, None, 0
        return found


def weight_of(part: Chunk) -> int:
    """About how many bytes of memory it needs: a line that is not plain keeps its cells."""
    return part.rows.weight + sum(
        OF_A_LINE + OF_ITS_CELL * len(line.cells) for line in part.lines.values()
    )


def append(part: Chunk, chunk: Chunk) -> None:
    first = len(chunk.rows)
    # Some of their lists are one and the same.
    pairs = zip(lists_of(chunk), lists_of(part), strict=True)
    for whole, more in {id(whole): (whole, more) for whole, more in pairs}.values():
        whole.extend(more)
    chunk.rows.odd |= {first + place: record for place, record in part.rows.odd.items()}
    chunk.lines |= {first + place: line for place, line in part.lines.items()}
    chunk.order += [first + place for place in part.order]
    chunk.symbols |= part.symbols
    chunk.is_clean &= part.is_clean


def lists_of(chunk: Chunk) -> list[list[Any]]:
    """Those that have something of each line."""
    several = (chunk.columns, chunk.for_row_logs, chunk.for_trades)
    return [chunk.rows.numbers, *chain.from_iterable(columns.values() for columns in several)]


def finish(chunk: Chunk, reader: LineReader) -> None:
    """Make it whole again."""
    chunk.reader = reader
    if chunk.raw is None:
        chunk.raw = Made(chunk.for_row_logs[COPIED], json_of)
    chunk.rows.cells = Made(chunk.raw, json.loads)
    chunk.arrange(chunk.order)


def json_of(line: str) -> str:
    """The JSON of a row, from the line that COPY gets of it, where backslashes are escaped."""
    return line.partition("\t")[2].replace("\\\\", "\\")
