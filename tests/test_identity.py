"""What makes an execution known when it comes again: its id, or its content and its number."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.body import Rows
from imports.bycolumn import as_in_columns
from imports.chunks import ChunkReader
from imports.dialect import Dialect
from imports.formats import all_formats
from imports.identify import Layout
from imports.identity import CONTENT, TwinCounter
from imports.identity import digest as digest_of
from imports.lines import Execution, Line, LineReader
from imports.records import Record
from tests.conftest import HEADER, ZONE, fill

FORMAT = all_formats()["ninjatrader-executions"]


@pytest.fixture
def twins() -> Iterator[TwinCounter]:
    with closing(TwinCounter()) as counter:
        yield counter


def reader_of(header: str = HEADER, dialect: Dialect | None = None) -> LineReader:
    layout = Layout(FORMAT, header[10], header.split(header[10]), 1)
    return LineReader(
        layout, dialect or Dialect(), default_account="", zone_of=lambda account: ZONE
    )


def read(line: str, header: str = HEADER, dialect: Dialect | None = None) -> Line:
    return reader_of(header, dialect).read(Record(2, line.split(header[10])))


def execution(**cells: str) -> Execution:
    return read(fill(**cells)).execution


def digest(execution: Execution) -> str:
    values = as_in_columns(execution)
    return digest_of(*(values[name] for name in CONTENT))


def identities_of(twins: TwinCounter, *lines: str) -> list[str | None]:
    reader = ChunkReader(reader_of(), twins)
    rows = Rows(list(range(2, 2 + len(lines))), [line.split(",") for line in lines])
    return reader.read(rows).columns["execution_id"]


def test_the_id_of_the_broker_is_the_identity(twins: TwinCounter) -> None:
    assert identities_of(twins, fill(ID=" exec-7 "), fill(ID="exec-7")) == ["exec-7"] * 2


def test_a_line_with_problems_has_no_identity(twins: TwinCounter) -> None:
    assert identities_of(twins, fill(Price="x", ID="")) == [None]


def test_twins_without_id_are_told_apart_by_their_number(twins: TwinCounter) -> None:
    one, other, two = identities_of(twins, fill(ID=""), fill(ID="", Price="1"), fill(ID=""))
    assert one.endswith(":1")
    assert two == one[:-1] + "2"
    assert other[:-2] != one[:-2]
    assert other.endswith(":1")


def test_twins_are_counted_across_chunks(twins: TwinCounter) -> None:
    found = [identities_of(twins, fill(ID=""))[0] for _ in range(3)]
    assert [one[-2:] for one in found] == [":1", ":2", ":3"]


def test_lines_with_and_without_id_mix(twins: TwinCounter) -> None:
    lines = [fill(ID=""), fill(ID="a"), fill(ID="")]
    one, native, two = identities_of(twins, *lines)
    assert native == "a"
    assert (one[-2:], two[-2:]) == (":1", ":2")


@pytest.mark.parametrize(
    "cells",
    [
        {"Price": "21350.5"},
        {"Price": "21350.5000"},
        {"Price": "$21350.50"},
        {"Quantity": "1.0"},
        {"Instrument": "MNQ MAR26"},
        {"Instrument": "MNQH6"},
        {"Time": "2026-01-05 06:35:03"},
        {"Time": "2026-01-05 14:35:03Z"},
        {"Time": "2026-01-05 06:35:03.000"},
        {"Action": "BUY"},
        {"Account": " Sim101 "},
        {"Name": "Entry", "Order ID": "1", "E/X": "Entry", "Position": "1 L"},
        {"Commission": "", "Connection": "Simulated", "Rate": "2"},
    ],
)
def test_the_spelling_of_a_fill_does_not_change_its_identity(cells: dict[str, str]) -> None:
    assert digest(execution(**cells)) == digest(execution())


@pytest.mark.parametrize(
    "cells",
    [
        {"Price": "21350.25"},
        {"Quantity": "2"},
        {"Instrument": "MNQ 06-26"},
        {"Instrument": "NQ 03-26"},
        {"Time": "1/5/2026 6:35:04 AM"},
        {"Time": "1/5/2026 6:35:03 PM"},
        {"Time": "2026-01-05 06:35:03.001"},
        {"Action": "BuyToCover"},
        {"Account": "Sim102"},
        {"Account": "sim101"},
    ],
)
def test_another_fill_has_another_identity(cells: dict[str, str]) -> None:
    assert digest(execution(**cells)) != digest(execution())


def test_the_order_of_columns_and_the_culture_do_not_change_the_identity() -> None:
    header = "Instrument;Time;Account display name;Price;Qty;Action"
    line = "MNQ 03-26;05/01/2026 6:35:03;Sim101;21350,50;1;Buy"
    other = read(line, header, Dialect(",", day_first=True)).execution
    assert digest(other) == digest(execution())


def test_fields_cannot_run_into_each_other() -> None:
    one = replace(execution(), quantity=Decimal(1), price=Decimal("12"))
    other = replace(execution(), quantity=Decimal(11), price=Decimal("2"))
    assert digest(one) != digest(other)


def test_the_identity_never_changes_between_releases() -> None:
    """It is stored: another digest would take every known fill in again."""
    assert digest(execution()) == "4da62f652acbeb6d5afc204d85a73bd4"


@given(
    number=st.decimals(0, 10**6, places=4),
    moment=st.datetimes(datetime(1980, 1, 1), datetime(2090, 1, 1)),
)
def test_equal_values_have_equal_identities(number: Decimal, moment: datetime) -> None:
    one = replace(execution(), price=number, executed_at=moment.replace(tzinfo=UTC))
    same = replace(one, price=number + Decimal("0E-10"))
    later = replace(one, executed_at=one.executed_at + timedelta(microseconds=1))
    assert digest(one) == digest(same) != digest(later)


@given(chunks=st.lists(st.lists(st.text("ab", max_size=1), max_size=8), max_size=5))
def test_the_counter_counts_each_content_from_one(chunks: list[list[str]]) -> None:
    seen: Counter[str] = Counter()
    with closing(TwinCounter()) as counter:
        for chunk in chunks:
            expected = []
            for content in chunk:
                seen[content] += 1
                expected.append(seen[content])
            assert counter.count(chunk) == expected
