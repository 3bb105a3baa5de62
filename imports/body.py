"""What stands below the header of a file: its data records."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice

from imports.formats import normal
from imports.identify import Layout
from imports.lines import headings_of
from imports.records import Record, records
from imports.textfile import TextFile


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
