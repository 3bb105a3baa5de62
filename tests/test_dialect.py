"""How a file writes numbers and dates: from its witnesses, else from its culture."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.dialect import LEAD_ENOUGH, Dialect, Witnesses, decimal_sign, in_words
from imports.formats import all_formats
from imports.identify import Layout
from imports.lines import LineReader, decide_dialect
from imports.records import Record
from tests.conftest import HEADER, ZONE, fill

US, EU = Dialect(".", False), Dialect(",", True)


def verdict(numbers: list[str], moments: list[str], delimiter: str = ",") -> Dialect:
    witnesses = Witnesses(delimiter)
    witnesses.hear(numbers, moments)
    return witnesses.verdict()


@pytest.mark.parametrize(
    ("cell", "sign"),
    [
        ("21350.50", "."),
        ("7200,75", ","),
        ("$0.52", "."),
        ("0,62 $", ","),
        ("1,234.50", "."),
        ("4.577,86", ","),
        ("4 577,86", ","),
        ("4'577.8", "."),
        ("1.234.567", ","),
        ("1,234,567", "."),
        ("21350.500", "."),
        ("0.125", "."),
        (".125", "."),
        ("1234,500", ","),
        ("5.", "."),
        ("1,234", None),
        ("1.234", None),
        ("123.456", None),
        ("12", None),
        ("", None),
        ("abc", None),
    ],
)
def test_a_number_witnesses_its_decimal_sign_if_it_has_one_reading(
    cell: str, sign: str | None
) -> None:
    assert decimal_sign(cell) == sign


@pytest.mark.parametrize(
    ("numbers", "moments", "delimiter", "expected"),
    [
        (["21350.50"], ["1/15/2026 9:30:00 AM"], ",", US),
        (["7200,75"], ["27/04/2026 6:05:02"], ";", EU),
        (["7200,75"], ["27/04/2026 6:05:02"], "\t", EU),
        (["21350.50"], ["27/04/2026 6:05:02"], ",", Dialect(".", True)),
        (["21350.50"], ["1/15/2026 9:30:00 AM"], ";", US),
        (["7200,75"], ["1/15/2026 9:30:00"], ";", Dialect(",", False)),
        (["21350.50"], ["16-06-2025 21:08"], ",", Dialect(".", True)),
        (["21350.50"], ["16/06/25 21:08"], ",", Dialect(".", True)),
        (["21350.50"], ["27/4/2026 9:30:00 PM"], ",", Dialect(".", True)),
    ],
)
def test_cells_with_one_reading_decide(
    numbers: list[str], moments: list[str], delimiter: str, expected: Dialect
) -> None:
    assert verdict(numbers, moments, delimiter) == expected


def test_a_date_that_no_order_can_read_is_no_witness() -> None:
    odd = ["13/13/2026 9:30", "32/1/2026 9:30", "0/0/2026 9:30", "40/40/2026 9:30", "1/5/2026 9:30"]
    assert verdict([], odd) == US


@pytest.mark.parametrize("place", [0, 5, 10])
def test_one_odd_cell_does_not_flip_the_file(place: int) -> None:
    numbers, moments = ["21350.50"] * 10, ["1/15/2026 9:30:00"] * 10
    numbers.insert(place, "7200,75")
    moments.insert(place, "27/04/2026 6:05:02")
    assert verdict(numbers, moments, ";") == US


def test_a_tie_is_broken_by_the_delimiter() -> None:
    both = (["1.5", "1,5"], ["1/15/2026 9:30", "15/1/2026 9:30"])
    assert verdict(*both, ",") == US
    assert verdict(*both, ";") == EU


@pytest.mark.parametrize(
    ("moment", "delimiter", "day_first"),
    [
        ("1/5/2026 9:30:00 AM", ",", False),
        ("1/5/2026 9:30", ",", False),
        ("01/05/2026 09:30:00 AM", ",", False),
        ("1/5/2026 9:30:00 AM", ";", False),
        ("1/05/2026 9:30:00 AM", ",", True),
        ("1/05/2026 9:30", ",", True),
        ("01/05/2026 09:30:00", ",", True),
        ("01/05/2026 09:30:00 a. m.", ",", True),
        ("01-05-2026 09:30:00", ",", True),
        ("1/5/2026 9:30", ";", True),
        ("1/5/2026 9:30", "\t", False),
        ("2026-01-05 9:30", ",", False),
    ],
)
def test_dates_without_a_witness_follow_the_culture(
    moment: str, delimiter: str, day_first: bool
) -> None:
    assert verdict([], [moment], delimiter).day_first == day_first


def test_a_decimal_comma_puts_the_day_first() -> None:
    assert verdict(["7200,75"], ["1/5/2026 9:30"], "\t") == EU


@pytest.mark.parametrize(("delimiter", "decimal"), [(",", "."), ("\t", "."), (";", ",")])
def test_numbers_without_a_witness_follow_the_delimiter(delimiter: str, decimal: str) -> None:
    assert verdict(["1,234", "1.234", "5"], [], delimiter).decimal == decimal


def lines_of(*fills: str) -> list[Record]:
    return [Record(number, line.split(",")) for number, line in enumerate(fills, 2)]


LAYOUT = Layout(all_formats()["ninjatrader-executions"], ",", HEADER.split(","), 1)


@pytest.mark.parametrize("behind", [0, 1_000])
def test_the_last_line_can_decide_the_whole_file(behind: int) -> None:
    early = [fill(Time="1/5/2026 9:30")] * behind
    records = lines_of(*early, fill(Time="27/04/2026 9:30"))
    assert decide_dialect(iter(records), LAYOUT).day_first


@pytest.mark.parametrize(
    ("time", "day_first"),
    [("05/01/2026 06:33:43", True), ("01/05/2026 06:33:43", False), ("1/5/2026 6:33 AM", False)],
)
def test_a_contract_is_not_traded_after_its_month(time: str, day_first: bool) -> None:
    records = lines_of(fill(Instrument="MNQ 03-26", Time=time))
    assert decide_dialect(iter(records), LAYOUT).day_first is day_first


def test_a_year_first_goes_with_a_decimal_point() -> None:
    witnesses = Witnesses(";")
    witnesses.hear(["110.125"], ["2026-09-16 15:31:02"])
    assert witnesses.verdict().decimal == "."
    assert not witnesses.verdict().numbers_tell


def test_odd_cells_at_the_head_do_not_outvote_the_file() -> None:
    odd, plain = fill(Time="15/1/2026 9:30"), fill(Time="1/15/2026 9:30")
    records = lines_of(*[odd] * (LEAD_ENOUGH - 1), *[plain] * LEAD_ENOUGH)
    assert not decide_dialect(iter(records), LAYOUT).day_first


def test_a_clear_lead_spares_the_rest_of_the_file() -> None:
    records = iter(lines_of(*[fill(Time="1/15/2026 9:30")] * 1_000))
    decide_dialect(records, LAYOUT)
    assert next(records).number == LEAD_ENOUGH + 2


def test_lines_of_the_wrong_shape_are_no_witnesses() -> None:
    short = "MNQ 03-26,Buy,1,7200.75,27/04/2026 6:05:02"
    assert decide_dialect(iter(lines_of(short)), LAYOUT) == US


def test_no_line_is_read_against_the_file() -> None:
    reader = LineReader(LAYOUT, US, default_account="", zone_of=lambda account: ZONE)
    line = reader.read(lines_of(fill(Time="27/04/2026 9:30"))[0])
    assert [problem.code for problem in line.problems] == ["invalid_timestamp"]


@given(
    numbers=st.lists(st.text(max_size=12)), moments=st.lists(st.text("0159/- :APM", max_size=20))
)
def test_any_cells_give_a_verdict(numbers: list[str], moments: list[str]) -> None:
    assert verdict(numbers, moments).decimal in (".", ",")


def test_a_dialect_is_told_in_words() -> None:
    stored = {"encoding": "utf-8", "delimiter": ";", **EU.as_json()}
    assert in_words(stored) == "UTF-8, semicolon between cells, decimal comma, day/month"
