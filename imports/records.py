"""Physical lines into numbered records of cells, with quotation marks and the breaks in them."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from imports.textfile import LONGEST_LINE

LONGEST_RECORD = 100  # physical lines of one record with quoted line breaks
END_OF_FILE = "\x1a"  # left behind by the Windows command `copy a.csv+b.csv all.csv`

csv.field_size_limit(LONGEST_LINE * 2)


@dataclass(slots=True)
class Record:
    """One data line: its physical line number (the first, if it spans several) and its cells.

    An `unclosed` record has a quotation mark that nothing closes; it is that one line alone.
    """

    number: int
    cells: list[str]
    height: int = 1
    unclosed: bool = False

    @property
    def is_blank(self) -> bool:
        return not self.unclosed and all(cell.strip() in ("", END_OF_FILE) for cell in self.cells)


class Lines(Iterator[str]):
    """Physical lines, of which some can be put back in front."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines
        self.in_front: list[str] = []  # the next one last

    def __next__(self) -> str:
        return self.in_front.pop() if self.in_front else next(self.lines)

    def take(self, most: int) -> list[str]:
        return list(islice(self if self.in_front else self.lines, most))

    def put_back(self, lines: list[str]) -> None:
        self.in_front.extend(reversed(lines))


def records(lines: Lines, delimiter: str, *, width: int, first: int = 1) -> Iterator[Record]:
    """Cut physical lines into records of about `width` cells, numbered from `first`.

    Blank lines are no records; nor are lines of nothing but empty cells. Whenever a record is
    given, those lines are taken that reach up to its end.
    """
    number = first
    for line in lines:
        if '"' in line:
            record, surplus = quoted_record(number, line, lines, delimiter, width)
            lines.put_back(surplus)
        else:
            record = Record(number, line.rstrip("\r\n").split(delimiter))
        number += record.height
        if not record.is_blank:
            yield record


def quoted_record(
    number: int, line: str, lines: Iterator[str], delimiter: str, width: int
) -> tuple[Record, list[str]]:
    """The record that begins with `line`, and the lines that were taken for it in vain.

    When its quotation mark is never closed, or closes only far down in another record, the first
    line alone is the record, so that one bad line does not swallow those behind it.
    """
    spanned = [line]
    cells = spanning_cells(spanned, lines, delimiter)
    if cells is None or swallows(spanned, cells, delimiter, width):
        alone = next(csv.reader([line], delimiter=delimiter))
        alone[-1] = alone[-1].rstrip("\r\n")
        return Record(number, alone, unclosed=True), spanned[1:]
    return Record(number, cells, height=len(spanned)), []


def swallows(spanned: list[str], cells: list[str], delimiter: str, width: int) -> bool:
    """Whether a record that spans several lines has taken in one that is a record of its own."""
    if len(spanned) == 1:
        return False
    first, *inner, last = (line.count(delimiter) >= width - 1 for line in spanned)
    fits = len(cells) >= width and not any(cell.strip() for cell in cells[width:])
    return any(inner) or (last and (first or not fits))


def spanning_cells(spanned: list[str], lines: Iterator[str], delimiter: str) -> list[str] | None:
    """Parse one record, adding to `spanned` the lines it needs; None if it finds no end."""
    closed = True

    def feed() -> Iterator[str]:
        nonlocal closed
        yield spanned[0]
        while len(spanned) < LONGEST_RECORD and (line := next(lines, None)) is not None:
            spanned.append(line)
            yield line
        closed = False

    try:
        # Strict behind a line break: there, text after a closing quotation mark means that two
        # records have been taken for one.
        cells = next(csv.reader(feed(), delimiter=delimiter, strict=True))
    except csv.Error:
        return lenient_cells(spanned[0], delimiter) if len(spanned) == 1 else None
    return cells if closed else None


def lenient_cells(line: str, delimiter: str) -> list[str] | None:
    """The cells of a line with text behind a closing quotation mark; None if one stays open."""
    reader = csv.reader([line, ""], delimiter=delimiter)
    cells = next(reader)
    return cells if reader.line_num == 1 else None
