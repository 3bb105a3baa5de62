"""What stands below the header of a file: its data records, and in chunks its lines."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice

from imports.formats import normal
from imports.identify import Layout
from imports.lines import Line, headings_of
from imports.records import Record, records
from imports.textfile import TextFile

HEAVY = 16 << 20  # about so many bytes of memory


def data_records(file: TextFile, layout: Layout) -> Iterator[Record]:
    """The records below the header; a header that stands there again is none.

    Who may leave it in the middle closes it, and with it the file.
    """
    header = headings_of(layout.header)
    with closing(file.lines()) as lines:
        below = islice(lines, layout.header_line, None)
        for record in records(
            below, layout.delimiter, width=layout.width, first=layout.header_line + 1
        ):
            if not repeats_header(record, header):
                yield record


def repeats_header(record: Record, header: list[str]) -> bool:
    # The first cell tells of nearly every line; to compare all would cost as much as to read them.
    return normal(record.cells[0]) == header[0] and headings_of(record.cells) == header


def chunks(lines: Iterator[Line], most: int) -> Iterator[list[Line]]:
    """So many lines at a time, fewer where they are very long or wide."""
    chunk: list[Line] = []
    weight = 0
    for line in lines:
        chunk.append(line)
        weight += sum(map(len, line.cells), 64 * len(line.cells))
        if len(chunk) == most or weight > HEAVY:
            yield chunk
            chunk, weight = [], 0
    if chunk:
        yield chunk
