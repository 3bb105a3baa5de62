"""Bytes into physical lines. Knows nothing of cells.

A file is looked at as a whole before its first line is taken in: is it text, in which encoding,
are its lines of a sane length? So a file that is no text fails before anything is written, and
memory stays bounded whatever the bytes are.
"""

import codecs
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from imports.problems import FileError

BLOCK = 1 << 16
LONGEST_LINE = 1 << 16  # characters; nothing that long is an execution
SAMPLE = 4096
RETURNS_ALONE = re.compile(r"\r(?!\n)").findall

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
        """Every physical line with its line break, whichever of the three it is.

        Who may leave it in the middle closes it, and with it the file.
        """
        with self.path.open(encoding=self.encoding, newline="") as stream:
            while lines := stream.readlines(BLOCK):
                # Files that were joined have a byte order mark in the middle, too.
                if any(line[0] == "\ufeff" for line in lines):
                    lines = [line.removeprefix("\ufeff") for line in lines]
                yield from lines

    def head(self, count: int) -> list[str]:
        """The first physical lines."""
        with closing(self.lines()) as lines:
            return list(islice(lines, count))


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
        with closing(blocks(path, encoding)) as texts:
            for text in texts:
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
    return text.count("\n") + len(RETURNS_ALONE(text)) - parted


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
