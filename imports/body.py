"""What stands below the header of a file: its data records, many at a time."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

from imports.formats import normal
from imports.identify import Layout
from imports.lines import headings_of
from imports.records import Lines, Record, records
from imports.textfile import TextFile

# Bytes of memory, about: with each text twice, as a cell and in JSON.
HEAVY = 24 << 20  # of a chunk
HEAVIEST_PART = HEAVY // 8
OF_A_CELL = 28  # however short it is; most are the same as many others
PIECE = 100  # physical lines
LONGEST_PLAIN = 2_000  # characters of a line; what is remembered of it must not fill the memory


@dataclass(slots=True)
class Rows:
    """Data records in their order: the numbers of their lines, and their cells.

    `odd` has, by place, those that are out of the ordinary in more than their cells. `weight` is
    about how many bytes of memory they need.
    """

    numbers: list[int] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)
    odd: dict[int, Record] = field(default_factory=dict)
    weight: int = 0

    def __len__(self) -> int:
        return len(self.numbers)

    def add(self, record: Record) -> None:
        weight = 2 * sum(map(len, record.cells)) + OF_A_CELL * len(record.cells)
        if record.unclosed or weight > LONGEST_PLAIN * 3:
            self.odd[len(self)] = record
        self.numbers.append(record.number)
        self.cells.append(record.cells)
        self.weight += weight

    def record(self, place: int) -> Record:
        return self.odd.get(place) or Record(self.numbers[place], self.cells[place])


class Body:
    """The records below the header, from the first to the last; a header that comes again is none.

    Who may leave it in the middle closes it, and with it the file.
    """

    def __init__(self, file: TextFile, layout: Layout) -> None:
        self.layout = layout
        self.header = headings_of(layout.header)
        self.file_lines = file.lines()
        self.lines = Lines(self.file_lines)
        self.lines.take(layout.header_line)
        self.number = layout.header_line + 1  # of the next line

    def close(self) -> None:
        self.file_lines.close()

    def __iter__(self) -> Iterator[Record]:
        """One by one."""
        below = records(
            self.lines, self.layout.delimiter, width=self.layout.width, first=self.number
        )
        for record in below:
            self.number = record.number + record.height
            if not self.repeats_header(record):
                yield record

    def repeats_header(self, record: Record) -> bool:
        # The first cell tells of nearly every line; to compare all takes as long as to read them.
        first = normal(record.cells[0])
        return first == self.header[0] and headings_of(record.cells) == self.header

    def take(self, most: int) -> Rows:
        """The next records, at most so many, fewer where they are very long or wide."""
        rows = Rows()
        while len(rows) < most and rows.weight < HEAVIEST_PART:
            lines = self.lines.take(min(PIECE, most - len(rows)))
            if not lines:
                break
            if self.are_plain(lines):
                self.take_plain(lines, rows)
            else:
                self.lines.put_back(lines)
                self.take_each(self.number + len(lines), rows)
        return rows

    def are_plain(self, lines: list[str]) -> bool:
        """Whether each line is a record: no quotation mark, none blank or a header."""
        initials = {line[:1] for line in lines}
        return (
            all(map(str.isalnum, initials))
            and self.header[0][:1] not in {initial.lower()[:1] for initial in initials}
            and max(map(len, lines)) <= LONGEST_PLAIN
            and not any('"' in line for line in lines)
        )

    def take_plain(self, lines: list[str], rows: Rows) -> None:
        delimiter = self.layout.delimiter
        cells = [line.rstrip("\r\n").split(delimiter) for line in lines]
        rows.cells.extend(cells)
        rows.numbers.extend(range(self.number, self.number + len(lines)))
        self.number += len(lines)
        rows.weight += 2 * sum(map(len, lines)) + OF_A_CELL * sum(map(len, cells))

    def take_each(self, end: int, rows: Rows) -> None:
        """Take records one by one up to that line, or until they are heavy."""
        for record in self:
            rows.add(record)
            if self.number >= end or rows.weight >= HEAVIEST_PART:
                break


def data_records(file: TextFile, layout: Layout) -> Iterator[Record]:
    """The records below the header, one by one."""
    with closing(Body(file, layout)) as body:
        yield from body
