"""Which format a file is in: exactly one, or an error that says what is missing."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from imports.formats import Format, all_formats
from imports.problems import FileError, shown
from imports.textfile import TextFile

DELIMITERS = ",;\t|"
HEAD = 30  # lines among which the header is sought; above it there may be a title
LONGEST_HEADER = 10_000  # characters
MOST_HEADINGS_SHOWN = 30


@dataclass(frozen=True)
class Layout:
    """Where a file's columns are: its format, delimiter, header and the header's line number."""

    format: Format
    delimiter: str
    header: list[str]
    header_line: int

    @cached_property
    def width(self) -> int:
        """Cells that a line must have: those up to the last heading that is not empty."""
        return max(place for place, name in enumerate(self.header, 1) if name.strip())


@dataclass(frozen=True)
class Miss:
    """A line that could be a format's header but for some headings."""

    missing: list[str]
    layout: Layout


def identify(file: TextFile, *, only: str = "", has_account: bool = False) -> Layout:
    """The layout of a file. `only` names the format if the user did; raises FileError."""
    formats = formats_to_try(file, only)
    nearest: list[Miss] = []
    for layout in possible_layouts(file, formats):
        missing = layout.format.missing(layout.header, has_account)
        nearest.append(Miss(missing, layout))
    hits = [miss.layout for miss in nearest if not miss.missing]
    first_line = min((layout.header_line for layout in hits), default=0)
    hits = [layout for layout in hits if layout.header_line == first_line]
    if len(hits) == 1:
        return hits[0]
    if hits:
        titles = " and ".join(layout.format.title for layout in hits)
        raise FileError(f"{file.name} could be {titles}; say which with the option format.")
    raise FileError(why_unknown(file, formats, nearest))


def formats_to_try(file: TextFile, only: str) -> list[Format]:
    formats = all_formats()
    if only and only not in formats:
        known = ", ".join(sorted(formats))
        raise FileError(
            f"{file.name} cannot be read as {shown(only)}: no such format; expected one of {known}."
        )
    return [formats[only]] if only else list(formats.values())


def possible_layouts(file: TextFile, formats: list[Format]) -> Iterator[Layout]:
    for number, line in enumerate(file.head(HEAD), start=1):
        if len(line) > LONGEST_HEADER:
            continue
        for delimiter in DELIMITERS:
            header = header_cells(line, delimiter)
            if len(header) > 1:
                yield from (Layout(format_, delimiter, header, number) for format_ in formats)


def header_cells(line: str, delimiter: str) -> list[str]:
    cells = next(csv.reader([line.strip("\r\n")], delimiter=delimiter), [])
    return [cell.replace("\ufeff", "").strip() for cell in cells]


def why_unknown(file: TextFile, formats: list[Format], nearest: list[Miss]) -> str:
    """One sentence: the format that comes nearest and what it misses, or else what was expected."""
    first = next((line.strip() for line in file.head(HEAD) if line.strip()), "")
    if first == "undefined" and file.line_count <= 1:
        return (
            f"{file.name} holds only the word 'undefined': the export failed in the platform. "
            "Export it again."
        )
    near = min(nearest, key=lambda miss: len(miss.missing), default=None)
    if near and len(near.missing) <= near.layout.format.required_count // 2:
        headings = ", ".join(f"'{name}'" for name in near.missing)
        return (
            f"{file.name}, line {near.layout.header_line}: a header of "
            f"{near.layout.format.title} lacks the column {headings}; "
            f"found {', '.join(list(filter(None, near.layout.header))[:MOST_HEADINGS_SHOWN])}."
        )
    found = f"its first line is {shown(first, 80)}" if first else "it begins with blank lines only"
    titles = " or ".join(format_.title for format_ in formats)
    return (
        f"{file.name} is in no known format: {found}; "
        f"expected a header of {titles} ({formats[0].expected_header})."
    )
