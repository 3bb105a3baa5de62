"""Which files are still being written to, and how much of them is whole lines."""

import io
from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from imports.growing import QUIET, days_in, end_of_lines, is_growing
from tests.conftest import TakeIn, file_of, fill

TODAY = date(2026, 11, 21)
NOON = datetime(2026, 11, 21, 12, tzinfo=timezone.get_fixed_timezone(0))


@pytest.mark.parametrize(
    "name",
    [
        "fills20261121.csv",
        "fills_2026-11-21.csv",
        "2026_11_21 fills.csv",
        "11-21-2026.csv",
        "21.11.2026.csv",
        "grid-20261121153000.csv",
        "21112026.csv",
        "7-20261121.csv",
        "account120261121.csv",
    ],
)
def test_the_day_is_found_in_a_name(name: str) -> None:
    assert TODAY in days_in(name)


@pytest.mark.parametrize("name", ["2026-1-5.csv", "1-5-2026.csv", "5.1.2026.csv"])
def test_short_days_and_months_are_found(name: str) -> None:
    assert date(2026, 1, 5) in days_in(name)


@pytest.mark.parametrize("name", ["fills.csv", "2026-13-45.csv", "20261.csv", "x2099_99_99.csv"])
def test_other_numbers_are_no_day(name: str) -> None:
    assert not [*days_in(name)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_whole_lines_end_behind_the_last_break(encoding: str, end: str) -> None:
    # These letters have the bytes of a line feed in them.
    whole = f"a,b{end}1,\u010a{end}".encode(encoding)
    rest = "2,\u0a0a\u010a".encode(
        {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(encoding, encoding)
    )
    source = io.BytesIO(whole + rest)
    assert end_of_lines(source, len(whole + rest)) == len(whole)
    assert end_of_lines(source, len(whole)) == len(whole)


@pytest.mark.parametrize("content", [b"", b"a", b"x" * 1_000_000])
def test_a_file_without_a_break_has_no_whole_line(content: bytes) -> None:
    assert end_of_lines(io.BytesIO(content), len(content)) == 0


def grows(content: str, name: str, changed_at: datetime = NOON) -> bool:
    return is_growing(io.BytesIO(content.encode()), name, changed_at)


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOON)


pytestmark = [pytest.mark.usefixtures("noon"), pytest.mark.django_db]

LONG_AGO = NOON - timedelta(days=30)


def test_a_name_of_today_grows_however_it_ends() -> None:
    assert grows("a\n", "2026-11-21.csv", LONG_AGO)
    assert grows("a", "2026-11-21.csv", LONG_AGO)


def test_a_name_of_another_day_does_not_grow() -> None:
    assert not grows("a\n", "2026-11-20.csv")


def test_today_is_that_of_the_installation(settings: object) -> None:
    settings.TIME_ZONE = "Pacific/Kiritimati"  # 14 hours ahead
    assert grows("a\n", "2026-11-22.csv")
    assert not grows("a\n", "2026-11-21.csv")


@pytest.mark.parametrize("name", ["fills.csv", "2026-11-20.csv"])
def test_a_line_without_end_grows_for_some_minutes(name: str) -> None:
    assert grows("a\nb", name)
    assert not grows("a\nb", name, NOON - QUIET)
    assert not grows("a\nb", name, NOON + 2 * QUIET)


def test_more_lines_than_an_earlier_import_grow_until_the_day_is_over(take_in: TakeIn) -> None:
    short, long = file_of(fill()), file_of(fill(), fill(ID="exec-2"))
    take_in(short)
    assert grows(long, "fills.csv")
    assert not grows(short, "fills.csv")
    assert not grows(long, "other.csv")
    assert not grows(file_of(fill(ID="exec-2"), fill()), "fills.csv")
    assert not grows(long, "fills.csv", NOON - timedelta(days=1))


def test_more_lines_in_the_file_of_a_day_that_is_over_do_not_grow(take_in: TakeIn) -> None:
    take_in(file_of(fill()), "2026-11-20.csv")
    assert not grows(file_of(fill(), fill(ID="exec-2")), "2026-11-20.csv")


def test_an_import_of_a_header_only_proves_no_growth(take_in: TakeIn) -> None:
    take_in(file_of())
    assert not grows(file_of(fill()), "fills.csv")
