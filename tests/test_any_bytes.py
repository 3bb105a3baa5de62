"""Any bytes, any table: what must be true of every file, whatever is in it."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports.problems import FileError
from imports.records import Lines, records
from tests.conftest import HEADER, fill
from tests.reading import NAME, WIDTH, looked_at, read_all


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any_bytes") / NAME


SNIPPETS = [
    HEADER,
    fill(),
    fill(Name='"a\nb"'),
    *',;\t|"\r\n\0 $\ufeff\x1a',
    "\r\n",
    "Instrument",
    "1,234.50",
    "31/12/9999 23:59:59",
    "3/8/2026 2:30:00 AM",
    "é",
    "9" * 500,
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
some_text = st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=8), max_size=30).map("".join)
some_bytes = st.binary(max_size=200) | st.builds(
    lambda head, text, encoding, tail: (head + text).encode(encoding, "ignore") + tail,
    st.sampled_from(["", HEADER + "\r\n", HEADER.replace(",", ";") + "\n", fill() + "\r"]),
    some_text,
    st.sampled_from(ENCODINGS),
    st.binary(max_size=4),
)


@settings(max_examples=600)
@given(content=some_bytes)
def test_any_bytes_are_a_file_error_or_lines_in_order(path: Path, content: bytes) -> None:
    try:
        lines = read_all(path, content)
    except FileError:
        return
    numbers = [line.number for line in lines]
    assert numbers == sorted(set(numbers))
    assert all(bool(line.execution) != bool(line.problems) for line in lines)


@settings(max_examples=300)
@given(text=some_text, delimiter=st.sampled_from(",;\t|"))
def test_no_line_is_lost_or_taken_twice(text: str, delimiter: str) -> None:
    lines = list(io.StringIO(text, newline=""))
    taken = {
        number
        for record in records(Lines(iter(lines)), delimiter, width=WIDTH)
        for number in range(record.number, record.number + record.height)
    }
    spoken = {n for n, line in enumerate(lines, 1) if any(c.isalnum() for c in line)}
    assert spoken <= taken <= set(range(1, len(lines) + 1))


LETTERS = st.sampled_from("abcXYZ019.-$ '\"éü")


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], str]:
    """A table below an ASCII header, and the line break that its file uses."""
    line_break = draw(st.sampled_from(["\r\n", "\n", "\r"]))
    plain = st.text(LETTERS, max_size=5)
    broken = st.lists(plain, min_size=2, max_size=3).map(line_break.join)
    # Not both in a row: a line inside a cell with the delimiters of a record passes for one.
    delimited = st.text(LETTERS | st.sampled_from(",;\t|"), max_size=6)
    kinds = (st.lists(cell, min_size=WIDTH, max_size=WIDTH) for cell in (plain | broken, delimited))
    # The first cell says that the line is not blank.
    rows = draw(st.lists(st.one_of(*kinds).map(lambda cells: ["row", *cells]), max_size=5))
    return rows, line_break


@settings(max_examples=200)
@given(
    table=tables(),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    encoding=st.sampled_from(ENCODINGS),
)
def test_a_written_table_reads_back_cell_for_cell(
    path: Path, table: tuple, delimiter: str, quoting: int, encoding: str
) -> None:
    rows, line_break = table
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, quoting=quoting, lineterminator=line_break)
    # Enough Western letters to know UTF-16 without a byte order mark by.
    stream.write("a header of some length" * 40 + line_break)
    expected, number = [], 2
    for row in rows:
        expected.append((number, row))
        number += 1 + sum(cell.count(line_break) for cell in row)
        writer.writerow(row)
    file = looked_at(path, stream.getvalue().encode(encoding))
    found = list(records(Lines(file.lines()), delimiter, width=1 + WIDTH))[1:]
    assert [(record.number, record.cells) for record in found] == expected
    assert file.line_count == number - 1
