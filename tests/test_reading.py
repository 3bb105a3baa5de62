"""Bytes into records: encodings, delimiters, quotation marks, line breaks; and bytes of no use."""

import csv
import io
import random
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports.identify import identify
from imports.lines import Line, LineReader, decide_dialect
from imports.problems import FileError
from imports.reading import LONGEST_LINE, Record, TextFile, look_at, records
from imports.running import data_records
from tests.conftest import HEADER, ZONE, file_of, fill

WIDTH = 4
NAME = "fills.csv"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reading") / NAME


def looked_at(path: Path, content: bytes | str) -> TextFile:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return look_at(path, NAME)


def cut(text: str, delimiter: str = ",", width: int = WIDTH) -> list[Record]:
    lines = io.StringIO(text, newline="")
    return list(records(iter(lines), delimiter, width=width))


def cells(text: str, delimiter: str = ",") -> list[tuple[int, list[str]]]:
    return [(record.number, record.cells) for record in cut(text, delimiter)]


def read_all(path: Path, content: bytes | str) -> list[Line]:
    file = looked_at(path, content)
    layout = identify(file)
    dialect = decide_dialect(data_records(file, layout), layout)
    reader = LineReader(layout, dialect, default_account="", zone_of=lambda account: ZONE)
    return [reader.read(record) for record in data_records(file, layout)]


def codes(lines: list[Line]) -> dict[int, list[str]]:
    return {line.number: [problem.code for problem in line.problems] for line in lines}


# --- Encodings


@pytest.mark.parametrize(
    ("encoding", "bom"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("cp1252", b""),
    ],
)
def test_every_encoding_gives_the_same_lines(path: Path, encoding: str, bom: bytes) -> None:
    text = file_of(fill(Name="Größe"), fill(Name="Café"))
    file = looked_at(path, bom + text.encode(encoding))
    assert "".join(file.lines()) == text
    assert file.line_count == 3


def test_a_letter_on_the_edge_of_a_block_is_read(path: Path) -> None:
    text = "é" * 40_000 + "\n"
    for start in ("", "a"):
        assert list(looked_at(path, start + text).lines()) == [start + text]


def test_utf8_with_one_damaged_byte_is_not_taken_for_windows_1252(path: Path) -> None:
    content = file_of(fill(Account="Müller"), fill(Account="X")).encode()
    with pytest.raises(FileError, match="line 3 has bytes that are not UTF-8"):
        looked_at(path, content.replace(b",X,", b",M\xfcller,"))


def test_utf8_that_ends_inside_a_letter_is_not_taken_for_windows_1252(path: Path) -> None:
    content = file_of(fill(Account="Müller")) + "MNQ 03-26,Bü"
    with pytest.raises(FileError, match="line 3 has bytes"):
        looked_at(path, content.encode()[:-1])


def test_a_byte_order_mark_in_the_middle_of_joined_files_is_no_text(path: Path) -> None:
    one = ("\ufeff" + file_of(fill(ID="a"))).encode()
    lines = read_all(path, one + one.replace(b",a,", b",b,"))
    assert codes(lines) == {2: [], 4: []}


# --- Physical lines


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("last", ["", "end"])
def test_lines_are_counted_whatever_breaks_them(path: Path, line_break: str, last: str) -> None:
    # So long that breaks fall on the edge of a block.
    lines = ["x" * (length % 97) for length in range(5_000)]
    text = "".join(line + line_break for line in lines) + last
    file = looked_at(path, text)
    assert file.line_count == 5_000 + bool(last) == len(list(file.lines()))


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r"])
def test_records_bear_the_number_of_their_physical_line(line_break: str) -> None:
    text = line_break.join(["", "a,b", " ", ",,,,", "c,d", "", "e,f"])
    assert cells(text) == [(2, ["a", "b"]), (5, ["c", "d"]), (7, ["e", "f"])]


def test_the_last_line_needs_no_line_break(path: Path) -> None:
    assert codes(read_all(path, file_of(fill(), fill()).rstrip())) == {2: [], 3: []}


def test_a_header_alone_has_no_lines(path: Path) -> None:
    assert read_all(path, HEADER) == []


def test_a_header_that_stands_there_again_is_no_line(path: Path) -> None:
    assert codes(read_all(path, file_of(fill(), HEADER, fill()))) == {2: [], 4: []}


def test_the_end_of_file_mark_of_windows_is_no_line() -> None:
    assert cells("a,b\r\n\x1a") == [(1, ["a", "b"])]


# --- Quotation marks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a,"1,234.50",b\n', [(1, ["a", "1,234.50", "b"])]),
        ('a,"say ""no""",b\n', [(1, ["a", 'say "no"', "b"])]),
        ('a,6" pipe,b\nc,d,e\n', [(1, ["a", '6" pipe', "b"]), (2, ["c", "d", "e"])]),
        ('"a","b"\r\n"c","d"', [(1, ["a", "b"]), (2, ["c", "d"])]),
        ('a,"",b\n', [(1, ["a", "", "b"])]),
        ('a,"one\r\ntwo",b\r\nc\r\n', [(1, ["a", "one\r\ntwo", "b"]), (3, ["c"])]),
        ('a,"one\rtwo",b\rc\r', [(1, ["a", "one\rtwo", "b"]), (3, ["c"])]),
        ('"one\ntwo",b,c,d,\ne\n', [(1, ["one\ntwo", "b", "c", "d", ""]), (3, ["e"])]),
        ('a,"b"c,d\ne\n', [(1, ["a", "bc", "d"]), (2, ["e"])]),
    ],
)
def test_quoted_cells_are_read(text: str, expected: list) -> None:
    assert cells(text) == expected
    assert not any(record.unclosed for record in cut(text))


@pytest.mark.parametrize(
    "bad",
    [
        'a,"b,c,d',
        '"a,b,c,d',
        'a,b,c,"d',
        'a,b"c,"d"e,"f',
        '"',
    ],
)
@pytest.mark.parametrize(
    "behind",
    [
        [],
        ["e,f,g,h"],
        ["e,f,g,h", "i,j,k,l"],
        ['e,"1,5",g,h', '"i","j","k","l"'],
        ['"e","f","g","h"'],
        ["e,f,g,h"] * 300,
        ['e,"",g,h', "i,j,k,l"],
        ['e,f",g,h', "i,j,k,l"],
    ],
)
def test_an_unclosed_quote_fails_alone(bad: str, behind: list[str]) -> None:
    found = cut("\n".join(["0,1,2,3", bad, *behind]))
    assert [record.number for record in found] == list(range(1, 3 + len(behind)))
    assert [record.number for record in found if record.unclosed] == [2]


def test_an_unclosed_quote_is_told_at_its_line(path: Path) -> None:
    lines = read_all(path, file_of(fill(), fill(Name='"Entry'), fill(), fill(Name='"a ""b"""')))
    assert codes(lines) == {2: [], 3: ["unclosed_quote"], 4: [], 5: []}


def test_a_file_of_unclosed_quotes_takes_no_longer_than_any_other() -> None:
    found = cut('a,"b,c,d\n' * 20_000)
    assert len(found) == 20_000
    assert all(record.unclosed for record in found)


# --- Ragged lines


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (fill() + ",", []),
        (fill() + ",,, ,", []),
        (fill().rstrip(","), ["row_too_short"]),
        ("MNQ 03-26,Buy,1", ["row_too_short"]),
        (fill() + "x", ["row_too_long"]),
        (fill() + ",,x", ["row_too_long"]),
    ],
)
def test_a_ragged_line_fails_unless_its_surplus_is_empty(
    path: Path, line: str, expected: list[str]
) -> None:
    assert codes(read_all(path, file_of(fill(), line, fill()))) == {2: [], 3: expected, 4: []}


def test_an_unquoted_decimal_comma_does_not_move_the_cells_silently(path: Path) -> None:
    moved = fill(Commission="0,62 $", Connection="Playback101")
    assert codes(read_all(path, file_of(fill(), moved))) == {2: [], 3: ["row_too_long"]}


def test_lines_below_another_header_are_not_read_by_the_first(path: Path) -> None:
    other = HEADER.replace("Quantity,Price", "Price,Quantity")
    lines = read_all(path, file_of(fill(), other, fill(Quantity="21350.5", Price="1"), fill()))
    assert codes(lines) == {2: [], 3: ["other_header"], 4: ["other_header"], 5: ["other_header"]}


# --- Bytes that are no file of executions


@pytest.mark.parametrize(
    ("content", "found", "expected"),
    [
        (b"", "is empty (0 bytes)", "expected an export with a header line"),
        (b"\xef\xbb\xbf", "blank lines only", "expected a header"),
        (b"\xff\xfe", "blank lines only", "expected a header"),
        (b"\r\n" * 50, "blank lines only", "expected a header"),
        (b"undefined", "only the word 'undefined'", "Export it again"),
        (b"undefined\r\n", "only the word 'undefined'", "Export it again"),
        (b"Date,Close\n1/5/2026,100\n", "'Date,Close'", "expected a header"),
        (b"just some words", "'just some words'", "expected a header"),
        (b'"' * 5_000, '"""', "expected a header"),
        (b",;\t|" * 9_000, "',;", "expected a header"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture", "export it as CSV"),
        (b"PK\x03\x04\x14\0\x06\0", "an Excel workbook", "export it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel workbook", "export it as CSV"),
        (b"\0" * 9_000, "NUL byte in line 1", "Export it again"),
        (b"a\rb\rc\0d", "NUL byte in line 3", "Export it again"),
        (b"a,b\n" * 9_000 + b"c\0d", "NUL byte in line 9,001", "Export it again"),
        (b"a,b\n\x81\n", "neither UTF-8 nor Windows-1252", "expected an export as CSV"),
        (b"\xef\xbb\xbfa\n\xff", "line 2 has bytes that are not UTF-8", "as expected"),
        (b"\xfe\xff\0a\0\n\0", "line 2 has bytes that are not UTF-16", "as expected"),
        (b"\xff\xfea\0\n\0\0\xd8\n\0", "line 2 has bytes that are not UTF-16", "as expected"),
        (random.Random(1).randbytes(9_000), "is no", "expected"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_file_of_no_use_gets_one_sentence(
    path: Path, content: bytes, found: str, expected: str
) -> None:
    with pytest.raises(FileError) as caught:
        identify(looked_at(path, content))
    sentence = str(caught.value)
    assert sentence.startswith(NAME)
    assert found in sentence
    assert expected in sentence
    assert "\n" not in sentence


def test_a_line_of_200_mb_is_refused_without_reading_it_into_memory(path: Path) -> None:
    with path.open("wb") as stream:
        for _ in range(200):
            stream.write(b"x" * (1 << 20))
    tracemalloc.start()
    with pytest.raises(FileError, match=f"line of more than {LONGEST_LINE:,} characters"):
        look_at(path, NAME)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    path.unlink()
    assert peak < 5 << 20


@pytest.mark.parametrize("before", [0, 1, 9_999, LONGEST_LINE])
def test_a_line_is_too_long_wherever_it_begins(path: Path, before: int) -> None:
    start = "\n" * before
    looked_at(path, start + "é" * LONGEST_LINE + "\r\n")
    with pytest.raises(FileError, match="has a line of more than"):
        looked_at(path, start + "é" * (LONGEST_LINE + 1) + "\r\n")


@pytest.mark.parametrize(
    "content",
    [
        HEADER + "\n" + fill() + '\n"' + "\n" * 200_000,
        HEADER + "\n" + (fill(Name='"open') + "\n") * 10_000,
        ("a," * 30_000 + "\n") * 60,
    ],
    ids=["blank lines in quotes", "unclosed quotes", "wide lines"],
)
def test_memory_stays_bounded(path: Path, content: str) -> None:
    path.write_text(content, newline="")
    tracemalloc.start()
    try:
        file = look_at(path, NAME)
        layout = identify(file)
        for _ in data_records(file, layout):
            pass
    except FileError:
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 << 20


# --- Any bytes, any table

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


@settings(max_examples=600, deadline=None)
@given(content=some_bytes)
def test_any_bytes_are_a_file_error_or_lines_in_order(path: Path, content: bytes) -> None:
    try:
        lines = read_all(path, content)
    except FileError:
        return
    numbers = [line.number for line in lines]
    assert numbers == sorted(set(numbers))
    assert all(bool(line.execution) != bool(line.problems) for line in lines)


@settings(max_examples=300, deadline=None)
@given(text=some_text, delimiter=st.sampled_from(",;\t|"))
def test_no_line_is_lost_or_taken_twice(text: str, delimiter: str) -> None:
    lines = list(io.StringIO(text, newline=""))
    taken = {
        number
        for record in records(iter(lines), delimiter, width=WIDTH)
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


@settings(max_examples=200, deadline=None)
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
    found = list(records(file.lines(), delimiter, width=1 + WIDTH))[1:]
    assert [(record.number, record.cells) for record in found] == expected
    assert file.line_count == number - 1
