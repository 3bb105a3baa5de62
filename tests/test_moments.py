"""Times as platforms write them, and from a wall clock to UTC."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports.dialect import Dialect
from imports.formats import all_formats
from imports.identify import Layout
from imports.lines import Line, LineReader
from imports.moments import LATEST_YEAR, read_moment, to_utc
from imports.problems import CellError
from imports.records import Record
from tests.conftest import HEADER, fill

LOS_ANGELES, BERLIN, LORD_HOWE = "America/Los_Angeles", "Europe/Berlin", "Australia/Lord_Howe"
ZONES = [
    *[
        LOS_ANGELES,
        BERLIN,
        LORD_HOWE,
        "UTC",
        "America/New_York",
        "Asia/Kolkata",
        "America/St_Johns",
    ],
    *["Africa/Casablanca", "Pacific/Apia", "America/Sao_Paulo", "Europe/Dublin", "Asia/Gaza"],
]


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("1/5/2026 9:30:00 AM", "2026-01-05T09:30:00"),
        ("1/5/2026 9:30:00 PM", "2026-01-05T21:30:00"),
        ("1/5/2026 12:00:00 AM", "2026-01-05T00:00:00"),
        ("1/5/2026 12:00:00 PM", "2026-01-05T12:00:00"),
        ("1/5/2026 9:30 am", "2026-01-05T09:30:00"),
        ("1/5/2026 9:30:00 p. m.", "2026-01-05T21:30:00"),
        ("1/5/2026 9:30:00\u202fPM", "2026-01-05T21:30:00"),
        ("1/5/2026 9:30:00\u00a0a.\u00a0m.", "2026-01-05T09:30:00"),
        ("9/15/2026 9:39", "2026-09-15T09:39:00"),
        ("6/16/2025 21:08", "2025-06-16T21:08:00"),
        ("1/5/26 14:37:29", "2026-01-05T14:37:29"),
        ("1/5/99 14:37", "1999-01-05T14:37:00"),
        ("01-05-2026 00:27:56", "2026-01-05T00:27:56"),
        ("27.04.2026 6:05:02", "2026-04-27T06:05:02"),
        ("5.1.2026 9.30.05", "2026-01-05T09:30:05"),
        ("05.01.26 09:30", "2026-01-05T09:30:00"),
        ("2026-09-16 15:31:02", "2026-09-16T15:31:02"),
        ("2026-09-16T15:31:02", "2026-09-16T15:31:02"),
        ("2026-09-16  15:31:02.5", "2026-09-16T15:31:02.500000"),
        ("2026-09-16 15:31:02,123", "2026-09-16T15:31:02.123000"),
        ("2026-09-16 15:31:02.1234567", "2026-09-16T15:31:02.123456"),
        ("2026/09/16 15:31", "2026-09-16T15:31:00"),
        ("2026.09.16 15:31", "2026-09-16T15:31:00"),
        ("2026-01-05, 09:30:00", "2026-01-05T09:30:00"),
        ("20260105;093000", "2026-01-05T09:30:00"),
        ("05012026 09:30:00", "2026-01-05T09:30:00"),
        ("20122026 09:30:00", "2026-12-20T09:30:00"),
        ("19112011 09:30:00", "2011-11-19T09:30:00"),
        ("2/29/2024 9:30", "2024-02-29T09:30:00"),
        ("2026-01-05 15:30:00Z", "2026-01-05T15:30:00+00:00"),
        ("2026-01-05 15:30:00 UTC", "2026-01-05T15:30:00+00:00"),
        ("2026-01-05T15:30:00-0600", "2026-01-05T21:30:00+00:00"),
        ("01/05/2026 15:30:00 +05:30", "2026-01-05T10:00:00+00:00"),
        ("2026-01-01 00:30:00+14:00", "2025-12-31T10:30:00+00:00"),
    ],
)
def test_a_time_is_read_however_it_is_written(cell: str, moment: str) -> None:
    assert read_moment(cell, day_first=False).isoformat() == moment


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("27/04/2026 6:05:02", "2026-04-27T06:05:02"),
        ("1/5/2026 9:30", "2026-05-01T09:30:00"),
        ("01-05-26 9:30", "2026-05-01T09:30:00"),
        ("2026-01-05 9:30", "2026-01-05T09:30:00"),
        ("05012026 09:30:00", "2026-01-05T09:30:00"),
        ("1/05/2026 9:30:00 PM", "2026-05-01T21:30:00"),
    ],
)
def test_the_day_stands_first_where_the_file_says_so(cell: str, moment: str) -> None:
    assert read_moment(cell, day_first=True).isoformat() == moment


@pytest.mark.parametrize(
    "cell",
    [
        *["yesterday", "1/5/2026", "2026-01-05", "46027.396", "9:30:00", "30:03.0", "1/5 9:30"],
        *["13/13/2026 9:30", "2/29/2025 9:30", "0/5/2026 9:30", "1/5/2026 24:00", "1/5/2026 9:60"],
        *["1/5/2026 9:30:60", "1/5/2026 13:30 PM", "1/5/2026 0:30 AM", "1/5-2026 9:30"],
        *["1/5/2026 9:3", "1/5/2026 9:30.05", "1/5/2026 9:30:00 XM", "1/5/202 9:30"],
        *["1/1/0001 12:00:00 AM", "1/1/1969 9:30", "12/31/9999 23:59:59", "1/5/2206 9:30"],
        *["0001-01-01 00:00:00", "9999-12-31 23:59:59-10:00", "20261305 09:30", "00000000 00:00"],
        *["2026-01-05 9:30+14:01", "2026-01-05 9:30+05:60", "2026-01-05 9:30-99:99"],
        *[
            "2026-01-05 9:30 EDT",
            "2026-01-05 9:30 GMT-04",
            "١/٥/٢٠٢٦ ٩:٣٠",
            "1/5/2026 9:30" * 9_000,
        ],
    ],
)
def test_what_is_no_time_is_not_guessed(cell: str) -> None:
    for day_first in (True, False):
        with pytest.raises(CellError) as caught:
            read_moment(cell, day_first)
        assert caught.value.code == "invalid_timestamp"
        assert cell[:60] in str(caught.value)


def test_a_day_that_does_not_exist_tells_how_it_was_read() -> None:
    with pytest.raises(CellError, match="'27/04/2026 6:05' is no such .* read as month/day/year"):
        read_moment("27/04/2026 6:05", day_first=False)


@given(st.datetimes(datetime(1970, 1, 1), datetime(LATEST_YEAR, 12, 31)), st.booleans())
def test_every_way_to_write_a_time_means_the_same(moment: datetime, day_first: bool) -> None:
    date = "%d/%m/%Y" if day_first else "%m/%d/%Y"
    for spelling in (f"{date} %H:%M:%S.%f", f"{date} %I:%M:%S.%f %p", "%d%m%Y %H:%M:%S.%f"):
        assert read_moment(moment.strftime(spelling), day_first) == moment
    assert read_moment(moment.isoformat(), day_first) == moment


# --- From a wall clock to UTC


@pytest.mark.parametrize(
    ("zone", "wall", "utc"),
    [
        (LOS_ANGELES, "2026-01-05T09:30:00", "2026-01-05T17:30:00"),
        (LOS_ANGELES, "2026-03-08T01:59:59.999999", "2026-03-08T09:59:59.999999"),
        (LOS_ANGELES, "2026-03-08T03:00:00", "2026-03-08T10:00:00"),
        (LOS_ANGELES, "2026-11-01T00:59:59", "2026-11-01T07:59:59"),
        (LOS_ANGELES, "2026-11-01T02:00:00", "2026-11-01T10:00:00"),
        (BERLIN, "2026-03-29T03:00:00", "2026-03-29T01:00:00"),
        (BERLIN, "2026-10-25T03:00:00", "2026-10-25T02:00:00"),
        (LORD_HOWE, "2026-10-04T02:30:00", "2026-10-03T15:30:00"),
        (LORD_HOWE, "2026-04-05T01:29:59", "2026-04-04T14:29:59"),
        (LORD_HOWE, "2026-04-05T02:00:00", "2026-04-04T15:30:00"),
    ],
)
def test_a_time_on_the_edge_of_a_change_is_plain(zone: str, wall: str, utc: str) -> None:
    expected = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert to_utc(datetime.fromisoformat(wall), zone) == (expected, "")


@pytest.mark.parametrize(
    ("zone", "wall"),
    [
        (LOS_ANGELES, "2026-03-08T02:00:00"),
        (LOS_ANGELES, "2026-03-08T02:59:59.999999"),
        (BERLIN, "2026-03-29T02:30:00"),
        (LORD_HOWE, "2026-10-04T02:00:00"),
        (LORD_HOWE, "2026-10-04T02:29:59"),
        ("Pacific/Apia", "2011-12-30T12:00:00"),
    ],
)
def test_a_time_that_the_clocks_skipped_is_refused(zone: str, wall: str) -> None:
    with pytest.raises(CellError, match=f"does not exist in {zone}") as caught:
        to_utc(datetime.fromisoformat(wall), zone)
    assert caught.value.code == "nonexistent_local_time"


@pytest.mark.parametrize(
    ("zone", "wall", "utc"),
    [
        (LOS_ANGELES, "2026-11-01T01:00:00", "08:00:00"),
        (LOS_ANGELES, "2026-11-01T01:59:59", "08:59:59"),
        (BERLIN, "2026-10-25T02:30:00", "00:30:00"),
        (LORD_HOWE, "2026-04-05T01:30:00", "14:30:00"),
        (LORD_HOWE, "2026-04-05T01:59:59", "14:59:59"),
    ],
)
def test_a_time_that_happened_twice_is_the_first_and_says_so(
    zone: str, wall: str, utc: str
) -> None:
    there, remark = to_utc(datetime.fromisoformat(wall), zone)
    assert f"{there:%H:%M:%S}" == utc
    assert f"happened twice in {zone}" in remark
    assert f"taken as the first ({there.astimezone(ZoneInfo(zone)):%Z}, {utc} UTC)" in remark


def test_a_time_with_an_offset_needs_no_zone() -> None:
    moment = datetime(2026, 3, 8, 2, 30, tzinfo=UTC)
    assert to_utc(moment, LOS_ANGELES) == (moment, "")


NEAR_A_CHANGE = st.builds(
    lambda change, seconds: change + timedelta(seconds=seconds),
    st.sampled_from(
        [
            *(datetime(2026, 3, day, 2) for day in (8, 22, 28, 29)),
            *(datetime(2026, month, 1, 2) for month in (10, 11)),
            *[datetime(2026, 4, 5, 2), datetime(2026, 10, 4, 2), datetime(2026, 10, 25, 2)],
            *[datetime(2011, 12, 30), datetime(2018, 2, 18), datetime(2018, 11, 4)],
        ]
    ),
    st.integers(-100_000, 100_000),
)


@settings(max_examples=600)
@given(
    moment=NEAR_A_CHANGE | st.datetimes(datetime(1970, 1, 1), datetime(LATEST_YEAR, 12, 31)),
    zone_name=st.sampled_from(ZONES),
)
def test_utc_is_what_the_zone_says(moment: datetime, zone_name: str) -> None:
    zone = ZoneInfo(zone_name)
    first, second = (moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    exists = first.astimezone(zone).replace(tzinfo=None) == moment
    try:
        there, remark = to_utc(moment, zone_name)
    except CellError:
        assert not exists
        return
    assert exists
    assert there == first
    assert bool(remark) == (first != second)


# --- A line with such a time


def line_at(time: str, zone: str = LOS_ANGELES) -> Line:
    layout = Layout(all_formats()["ninjatrader-executions"], ",", HEADER.split(","), 1)
    reader = LineReader(layout, Dialect(), default_account="", zone_of={"Sim101": zone}.get)
    return reader.read(Record(7, fill(Time=time).split(",")))


def test_a_line_in_the_gap_fails() -> None:
    line = line_at("3/8/2026 2:30:00 AM")
    assert [(one.field, one.code) for one in line.problems] == [("Time", "nonexistent_local_time")]
    assert line.execution is None
    assert line.problems[0].at(line.number).startswith("line 7, Time: 2026-03-08 02:30:00 does not")


def test_a_line_in_the_overlap_is_taken_with_a_remark() -> None:
    line = line_at("11/1/2026 1:30:00 AM")
    assert line.execution.executed_at == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
    assert line.remark.startswith("line 7, Time: 2026-11-01 01:30:00 happened twice")


def test_the_zone_is_the_one_of_the_account() -> None:
    assert line_at("1/5/2026 9:30:00 AM", BERLIN).execution.executed_at.hour == 8


def test_all_problems_of_a_line_are_told_together() -> None:
    layout = Layout(all_formats()["ninjatrader-executions"], ",", HEADER.split(","), 1)
    reader = LineReader(layout, Dialect(), default_account="", zone_of=lambda account: BERLIN)
    bad = fill(
        Instrument="", Action="?", Quantity="0", Price="x", Time="-", Account="", Commission="y"
    )
    line = reader.read(Record(7, bad.split(",")))
    assert sorted(problem.code for problem in line.problems) == [
        "invalid_commission",
        "invalid_price",
        "invalid_quantity",
        "invalid_timestamp",
        "missing_account",
        "missing_instrument",
        "unknown_action",
    ]
