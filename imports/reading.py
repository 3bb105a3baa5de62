"""Bytes into numbered records. Knows nothing of brokers.

A file is looked at as a whole before its first line is taken in: is it text, in which encoding,
are its lines of a sane length? So a file that is no text fails before anything is written, and
memory stays bounded whatever the bytes are.
"""

import codecs
import csv
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from imports.problems import FileError

BLOCK = 1 << 16
LONGEST_LINE = 1 << 16  # characters; nothing that long is an execution
LONGEST_RECORD = 100  # physical lines of one record with quoted line breaks
SAMPLE = 4096

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

ENCODING_NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": "Windows-1252",
}

# What people take for a CSV file, by its first bytes.
OTHER_KINDS = {
    b"PK\x03\x04": "an Excel workbook or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\x1f\x8b": "a compressed file",
}

END_OF_FILE = "\x1a"  # left behind by the Windows command `copy a.csv+b.csv all.csv`

csv.field_size_limit(LONGEST_LINE * 2)


class Undecodable(Exception):
    """A line has bytes that are none of an encoding.

    `proven` says that letters before them can hardly be of another: the file is damaged.
    """

    def __init__(self, line: int, proven: bool) -> None:
        super().__init__(line, proven)
        self.line = line
        self.proven = proven


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file that has been looked at: its encoding and its physical lines are known."""

    path: Path
    name: str
    encoding: str
    line_count: int

    def lines(self) -> Iterator[str]:
        """Every physical line with its line break, whichever of the three it is."""
        with self.path.open(encoding=self.encoding, newline="") as stream:
            for line in stream:
                # Files that were joined have a byte order mark in the middle, too.
                yield line.removeprefix("\ufeff")


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


def look_at(path: Path, name: str) -> TextFile:
    """Find the encoding and count the lines. Raises FileError if it is no text file."""
    with path.open("rb") as stream:
        sample = stream.read(SAMPLE)
    if not sample:
        raise FileError(f"{name} is empty (0 bytes); expected an export with a header line.")
    refuse_other_kinds(sample, name)
    candidates = encodings_of(sample)
    for encoding in candidates:
        try:
            return TextFile(path, name, encoding, count_lines(path, name, encoding))
        except Undecodable as problem:
            if problem.proven or len(candidates) == 1:
                raise FileError(
                    f"{name} is no text that can be read: line {problem.line:,} has bytes that are "
                    f"not {ENCODING_NAMES[encoding]}, as expected; the file is damaged or of "
                    "another kind. Export it again."
                ) from None
    tried = " nor ".join(ENCODING_NAMES[encoding] for encoding in candidates)
    raise FileError(
        f"{name} is not a text file: its bytes are neither {tried}; expected an export as CSV."
    )


def refuse_other_kinds(sample: bytes, name: str) -> None:
    for start, kind in OTHER_KINDS.items():
        if sample.startswith(start):
            raise FileError(f"{name} is {kind}, not a text file; export it as CSV.")


def encodings_of(sample: bytes) -> list[str]:
    """The encodings to try, likeliest first; a byte order mark leaves no choice."""
    for bom, encoding in BOMS:
        if sample.startswith(bom):
            return [encoding]
    if b"\0" in sample:
        return [utf16_without_bom(sample)]
    return ["utf-8", "cp1252"]


def utf16_without_bom(sample: bytes) -> str:
    """UTF-16 if every other byte is mostly NUL, as in any text of Western letters; else UTF-8."""
    half = len(sample) / 2
    if sample[1::2].count(0) > 0.7 * half:
        return "utf-16-le"
    if sample[0::2].count(0) > 0.7 * half:
        return "utf-16-be"
    return "utf-8"


def count_lines(path: Path, name: str, encoding: str) -> int:
    """Decode the whole file block by block. Raises Undecodable, or FileError for no text."""
    lines = pending = 0
    ends_in_return = beyond_ascii = False
    try:
        for text in blocks(path, encoding):
            refuse_nul(text, name, lines, ends_in_return)
            pending = refuse_long_line(text, pending, name, lines)
            lines += count_breaks(text, ends_in_return)
            ends_in_return = text.endswith("\r") if text else ends_in_return
            beyond_ascii = beyond_ascii or not text.isascii()
    except UnicodeDecodeError:
        raise Undecodable(lines + 1, proven=encoding == "utf-8" and beyond_ascii) from None
    return lines + (pending > 0)


def blocks(path: Path, encoding: str) -> Iterator[str]:
    """The file's text, no block longer than BLOCK, up to where UnicodeDecodeError is raised."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            try:
                yield decoder.decode(block)
            except UnicodeDecodeError as problem:
                decoder.setstate((b"", decoder.getstate()[1]))
                yield decoder.decode(problem.object[: problem.start])
                raise
    yield decoder.decode(b"", final=True)


def count_breaks(text: str, after_return: bool) -> int:
    """Line breaks in a block: LF, CR LF or CR, also where the block's edge parts CR from LF."""
    parted = after_return and text.startswith("\n")
    return text.count("\n") + text.count("\r") - text.count("\r\n") - parted


def refuse_nul(text: str, name: str, lines_before: int, after_return: bool) -> None:
    place = text.find("\0")
    if place >= 0:
        number = lines_before + count_breaks(text[:place], after_return) + 1
        raise FileError(
            f"{name} is not a text file: there is a NUL byte in line {number:,}; "
            "the file is damaged or of another kind. Export it again."
        )


def refuse_long_line(text: str, pending: int, name: str, lines_before: int) -> int:
    """The length of the unfinished line at the end of a block.

    A block is no longer than the limit, so only its first and its last line can be too long.
    """
    breaks = [place for place in (text.find("\n"), text.find("\r")) if place >= 0]
    head = pending + (min(breaks) if breaks else len(text))
    tail = len(text) - max(text.rfind("\n"), text.rfind("\r")) - 1 if breaks else head
    if max(head, tail) > LONGEST_LINE:
        raise FileError(
            f"{name} has a line of more than {LONGEST_LINE:,} characters (about line "
            f"{lines_before + 1:,}); a line of an export has a few hundred."
        )
    return tail


def records(
    lines: Iterator[str], delimiter: str, *, width: int, first: int = 1
) -> Iterator[Record]:
    """Cut physical lines into records of about `width` cells, numbered from `first`.

    Blank lines are no records; nor are lines of nothing but empty cells.
    """
    pushed_back: deque[str] = deque()

    def pull() -> str | None:
        return pushed_back.popleft() if pushed_back else next(lines, None)

    number = first
    while (line := pull()) is not None:
        if '"' in line:
            record, surplus = quoted_record(number, line, pull, delimiter, width)
            pushed_back.extendleft(reversed(surplus))
        else:
            record = Record(number, line.rstrip("\r\n").split(delimiter))
        number += record.height
        if not record.is_blank:
            yield record


def quoted_record(
    number: int, line: str, pull: Callable[[], str | None], delimiter: str, width: int
) -> tuple[Record, list[str]]:
    """The record that begins with `line`, and the lines that were pulled for it in vain.

    When its quotation mark is never closed, or closes only far down in another record, the first
    line alone is the record, so that one bad line does not swallow those behind it.
    """
    spanned = [line]
    cells = spanning_cells(spanned, pull, delimiter)
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


def spanning_cells(
    spanned: list[str], pull: Callable[[], str | None], delimiter: str
) -> list[str] | None:
    """Parse one record, adding to `spanned` the lines it needs; None if it finds no end."""
    closed = True

    def feed() -> Iterator[str]:
        nonlocal closed
        yield spanned[0]
        while len(spanned) < LONGEST_RECORD and (line := pull()) is not None:
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
