"""Parts that are put together into chunks."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from imports import gathering
from imports.body import HEAVY, Body
from imports.chunks import Chunk, ChunkReader
from imports.gathering import Gatherer, light, weight_of
from imports.identify import identify
from imports.identity import TwinCounter
from imports.rows import prepared
from tests.conftest import file_of, fill
from tests.reading import looked_at
from tests.test_identity import reader_of

Reading = Callable[..., Iterator[Chunk]]


@pytest.fixture
def reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reading]:
    """Reads these lines in light parts of 2."""
    monkeypatch.setattr(gathering, "PART", 2)
    with closing(TwinCounter()) as twins:

        def parts(*lines: str) -> Iterator[Chunk]:
            file = looked_at(tmp_path / "fills.csv", file_of(*lines))
            with closing(Body(file, identify(file))) as body:
                each = ChunkReader(reader_of(), twins).parts(body, 2)
                yield from map(light, map(prepared, each))

        yield parts


def sizes(chunks: Iterator[Chunk]) -> list[int]:
    return [len(chunk.rows) for chunk in chunks]


def test_the_first_chunks_are_small_and_no_line_is_lost(reading: Reading) -> None:
    lines = [fill(ID=f"exec-{number:02}") for number in range(30)]
    chunks = list(Gatherer(reader_of(), most=6).chunks(reading(*lines)))
    assert sizes(chunks) == [2, 4, 6, 6, 6, 6]
    numbers = [number for chunk in chunks for number in chunk.rows.numbers]
    assert numbers == list(range(2, 32))
    assert [len(column) for column in chunks[-2].columns.values()] == [6] * len(chunks[-2].columns)


def test_a_chunk_knows_the_order_of_its_identities_and_which_repeat(
    reading: Reading,
) -> None:
    gatherer = Gatherer(reader_of(), most=8)
    gatherer.size = 8
    lines = [fill(ID=one) for one in "hbadfbgc"]
    (chunk,) = gatherer.chunks(reading(*lines))
    assert chunk.order == [2, 1, 5, 7, 3, 4, 6, 0]
    assert chunk.repeated == {1, 5}


def test_odd_lines_keep_their_places_and_can_be_read_again(reading: Reading) -> None:
    gatherer = Gatherer(reader_of(), most=8)
    gatherer.size = 8
    lines = [
        fill(Name="back\\slash"),
        fill(),
        fill(),
        fill(Price="none"),
        fill(),
        fill(Name="last"),
    ]
    (chunk,) = gatherer.chunks(reading(*lines))
    assert list(chunk.lines) == [3]
    assert chunk.line(3).number == 5
    assert "back\\slash" in chunk.rows.record(0).cells
    assert chunk.line(5).execution.name == "last"


def test_heavy_parts_make_small_chunks(reading: Reading) -> None:
    lines = [fill(ID=f"exec-{number}", Name="x" * 60_000) for number in range(500)]
    gatherer = Gatherer(reader_of(), most=1_000)
    gatherer.size = 1_000
    found = sizes(gatherer.chunks(reading(*lines)))
    assert sum(found) == 500
    assert max(found) <= HEAVY // 120_000 + 2


def test_a_line_that_is_not_plain_weighs_more(reading: Reading) -> None:
    plain, odd = reading(fill(), fill(), fill(Price="none"), fill(Price="none"))
    assert weight_of(odd) > weight_of(plain) + 2_000
