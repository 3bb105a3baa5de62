"""Physical lines into records: delimiters, quotation marks, ragged lines, second headers."""

import tracemalloc
from pathlib import Path

import pytest

from imports.body import data_records
from imports.identify import identify
from imports.problems import FileError
from imports.textfile import look_at
from tests.conftest import HEADER, file_of, fill
from tests.reading import NAME, cells, codes, cut, read_all


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("records") / NAME


# --- Lines and headers


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r"])
def test_records_bear_the_number_of_their_physical_line(line_break: str) -> None:
    text = line_break.join(["", "a,b", " ", ",,,,", "c,d", "", "e,f"])
    assert cells(text) == [(2, ["a", "b"]), (5, ["c", "d"]), (7, ["e", "f"])]


def test_the_last_line_needs_no_line_break(path: Path) -> None:
    assert codes(read_all(path, file_of(fill(), fill()).rstrip())) == {2: [], 3: []}


def test_a_header_alone_has_no_lines(path: Path) -> None:
    assert read_all(path, HEADER) == []


@pytest.mark.parametrize("again", [HEADER, HEADER.rstrip(","), HEADER + ",", HEADER.upper()])
def test_a_header_that_stands_there_again_is_no_line(path: Path, again: str) -> None:
    assert codes(read_all(path, file_of(fill(), again, fill()))) == {2: [], 4: []}


def test_the_end_of_file_mark_of_windows_is_no_line() -> None:
    assert cells("a,b\r\n\x1a") == [(1, ["a", "b"])]


def test_a_byte_order_mark_in_the_middle_of_joined_files_is_no_text(path: Path) -> None:
    one = ("\ufeff" + file_of(fill(ID="a"))).encode()
    lines = read_all(path, one + one.replace(b",a,", b",b,"))
    assert codes(lines) == {2: [], 4: []}


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


# --- Memory


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
