"""Bytes into physical lines: encodings, line breaks; and bytes of no use."""

import random
import tracemalloc
from pathlib import Path

import pytest

from imports.identify import identify
from imports.problems import FileError
from imports.textfile import LONGEST_LINE, look_at
from tests.conftest import file_of, fill
from tests.reading import NAME, is_open, looked_at


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("textfile") / NAME


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


# --- Physical lines


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("last", ["", "end"])
def test_lines_are_counted_whatever_breaks_them(path: Path, line_break: str, last: str) -> None:
    # So long that breaks fall on the edge of a block.
    lines = ["x" * (length % 97) for length in range(5_000)]
    text = "".join(line + line_break for line in lines) + last
    file = looked_at(path, text)
    assert file.line_count == 5_000 + bool(last) == len(list(file.lines()))


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


def test_a_file_that_is_refused_in_the_middle_is_closed(path: Path) -> None:
    with pytest.raises(FileError) as caught:
        looked_at(path, b"a,b\n" * 9_000 + b"\0")
    assert caught.tb, "what holds the frames of the reading"
    assert not is_open(path)
