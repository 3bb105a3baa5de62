"""Chunks of lines that are read ahead in a thread, in bounded memory."""

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from imports.body import HEAVIEST_PART, Body
from imports.chunks import Ahead, beside_a_reader
from imports.identify import identify
from imports.remembered import Remembered
from tests.conftest import HEADER, file_of, fill
from tests.reading import looked_at


def test_all_chunks_come_in_their_order() -> None:
    with closing(Ahead(iter("abc"))) as chunks:
        assert list(chunks) == ["a", "b", "c"]


def test_an_error_of_the_reader_is_raised_behind_what_came_before() -> None:
    def reading() -> Iterator[str]:
        yield "a"
        raise OSError("disk gone")

    with closing(Ahead(reading())) as chunks:
        assert chunks.next() == "a"
        with pytest.raises(OSError, match="disk gone"):
            chunks.next()


def test_who_leaves_in_the_middle_leaves_no_thread() -> None:
    before = threading.active_count()
    with closing(Ahead(iter("abc"))) as chunks:
        chunks.next()
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_python_runs_as_before_afterwards() -> None:
    before = gc.get_threshold(), sys.getswitchinterval()
    with pytest.raises(KeyboardInterrupt), beside_a_reader():
        raise KeyboardInterrupt
    assert (gc.get_threshold(), sys.getswitchinterval()) == before


def test_what_is_remembered_is_bounded_and_asked_once() -> None:
    asked: list[str] = []
    lengths = Remembered(lambda word: asked.append(word) or len(word), most=2)
    assert lengths.all(["a", "bb", "a", "ccc", "bb", "ccc"]) == [1, 2, 1, 3, 2, 3]
    assert asked == ["a", "bb", "ccc", "bb"]
    assert len(lengths) == 2


def body_of(path: Path, content: str) -> Body:
    file = looked_at(path / "fills.csv", content)
    return Body(file, identify(file))


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_no_more_lines_are_taken_than_asked_for(tmp_path: Path, most: int) -> None:
    odd = ["", HEADER, fill(Name='"two\nlines"'), '"', ",,", fill(), "", ""]
    body = body_of(tmp_path, file_of(fill(), *odd, fill(), fill()))
    with closing(body):
        taken = []
        while rows := body.take(most):
            assert len(rows) <= most
            taken += rows.numbers
    assert taken == [2, 5, 7, 9, 12, 13]


def test_heavy_lines_are_read_a_few_at_a_time(tmp_path: Path) -> None:
    heavy = fill(Name="x" * 60_000)
    with closing(body_of(tmp_path, file_of(*[heavy] * 100))) as body:
        assert 10 < len(body.take(10_000)) <= HEAVIEST_PART // 120_000 + 1
