"""From a received file to its trades: what is taken in, skipped or refused, and what is said."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.states import Category, RowStatus, Status
from tests.conftest import HEADER, TakeIn, file_of, fill
from trades.models import Account, Instrument, Trade

TWINS = file_of(fill(ID="a"), fill(ID="b"))
NAMELESS_TWINS = file_of(fill(ID=""), fill(ID=""), fill(ID="", Price="21351"), fill(ID=""))


def counts(log: ImportExecutionLog) -> tuple[int, int, int]:
    """Taken in, known, failed."""
    return log.success_rows, log.skipped_rows, log.failed_rows


def only_row(log: ImportExecutionLog, status: RowStatus) -> ImportRowLog:
    return ImportRowLog.objects.get(import_log=log, status=status)


def with_columns(content: str, headings: list[str]) -> str:
    """The same file with these columns in this order, and no others."""
    places = [HEADER.split(",").index(heading) for heading in headings]
    lines = [line.split(",") for line in content.splitlines()]
    return "\r\n".join(",".join(cells[place] for place in places) for cells in lines)


# --- What is known, and what is not


@pytest.mark.parametrize(("content", "fills"), [(TWINS, 2), (NAMELESS_TWINS, 4)])
def test_twins_survive(take_in: TakeIn, content: str, fills: int) -> None:
    assert counts(take_in(content)) == (fills, 0, 0)
    assert Trade.objects.count() == ImportedExecution.objects.count() == fills


@pytest.mark.parametrize(("content", "fills"), [(TWINS, 2), (NAMELESS_TWINS, 4)])
def test_twins_are_all_known_when_they_come_again(
    take_in: TakeIn, content: str, fills: int
) -> None:
    take_in(content)
    assert counts(take_in(content)) == (0, fills, 0)
    assert Trade.objects.count() == fills


@pytest.mark.parametrize("content", [TWINS, NAMELESS_TWINS])
def test_the_order_of_columns_does_not_matter(take_in: TakeIn, content: str) -> None:
    take_in(content)
    again = take_in(with_columns(content, sorted(filter(None, HEADER.split(",")))))
    assert (again.success_rows, again.failed_rows) == (0, 0)


def test_one_more_twin_is_one_more_trade(take_in: TakeIn) -> None:
    take_in(file_of(fill(ID="")))
    assert counts(take_in(file_of(fill(ID=""), fill(ID="")))) == (1, 1, 0)


def test_the_same_id_in_two_accounts_is_two_trades(take_in: TakeIn) -> None:
    log = take_in(file_of(fill(Account="Sim101"), fill(Account="Sim102")))
    assert counts(log) == (2, 0, 0)
    assert log.affected_accounts == ["Sim101", "Sim102"]


def test_the_same_id_with_another_content_is_a_conflict(take_in: TakeIn) -> None:
    take_in(file_of(fill(Price="68.31")))
    row = only_row(take_in(file_of(fill(Price="1.00"))), RowStatus.FAILED)
    assert row.error_category == Category.BUSINESS_LOGIC
    assert row.validation_errors[0]["code"] == "conflict"
    assert "price 68.31, not 1" in row.error_message


def test_a_conflict_changes_no_trade(take_in: TakeIn) -> None:
    take_in(file_of(fill(Price="68.31", Quantity="2")))
    take_in(file_of(fill(Price="1.00", Quantity="3")))
    assert Trade.objects.values_list("price", "quantity").get() == (Decimal("68.31"), 2)


def test_a_conflict_inside_a_file_names_the_line(take_in: TakeIn) -> None:
    log = take_in(file_of(fill(), fill(Action="Sell")))
    assert counts(log) == (1, 0, 1)
    assert "line 2 of this file with side buy, not sell" in only_row(log, "failed").error_message


def test_a_duplicate_inside_a_file_points_at_the_trade(take_in: TakeIn) -> None:
    log = take_in(file_of(fill(), fill(ID="exec-2"), fill()))
    row = only_row(log, RowStatus.SKIPPED)
    assert row.duplicate_of == Trade.objects.get(execution_id="exec-1")
    assert (row.row_number, row.error_category) == (4, Category.DUPLICATE)
    assert "repeats line 2" in row.error_message


def test_a_known_line_points_at_the_trade(take_in: TakeIn) -> None:
    take_in(file_of(fill()))
    row = only_row(take_in(file_of(fill())), RowStatus.SKIPPED)
    assert row.duplicate_of == Trade.objects.get()


def test_a_trade_points_at_its_line(take_in: TakeIn) -> None:
    log = take_in(file_of(fill(), fill(ID="exec-2")))
    trade = Trade.objects.get(execution_id="exec-2")
    assert trade.import_row_log == log.row_logs.get(row_number=3)


@pytest.mark.parametrize("time", ["1/5/2026 6:35 AM", "1/5/2026 6:35:00 AM"])
def test_a_less_precise_time_is_no_conflict(take_in: TakeIn, time: str) -> None:
    take_in(file_of(fill(Time="1/5/2026 6:35:03 AM")))
    assert counts(take_in(file_of(fill(Time=time)))) == (0, 1, 0)


def test_another_time_is_a_conflict(take_in: TakeIn) -> None:
    take_in(file_of(fill(Time="1/5/2026 6:35:03 AM")))
    assert counts(take_in(file_of(fill(Time="1/5/2026 6:35:04 AM")))) == (0, 0, 1)


def test_hidden_columns_are_no_conflict(take_in: TakeIn) -> None:
    take_in(file_of(fill(Commission="$0.52", Name="Entry")))
    shown = ["Account", "Action", "ID", "Instrument", "Price", "Quantity", "Time"]
    assert counts(take_in(with_columns(file_of(fill()), shown))) == (0, 1, 0)


# --- Accounts and times


def test_lines_without_an_account_go_to_the_given_one(take_in: TakeIn) -> None:
    without = with_columns(file_of(fill()), ["Action", "Instrument", "Price", "Quantity", "Time"])
    assert counts(take_in(without, account="Desk 7")) == (1, 0, 0)
    assert Trade.objects.get().account.name == "Desk 7"


def test_an_account_in_the_file_wins(take_in: TakeIn) -> None:
    take_in(file_of(fill(Account="Sim101"), fill(Account="")), account="Desk 7")
    assert {*Trade.objects.values_list("account__name", flat=True)} == {"Sim101", "Desk 7"}


def test_each_account_has_its_time_zone(take_in: TakeIn) -> None:
    Account.objects.create(name="Sim101", timezone="America/Chicago")
    Account.objects.create(name="Sim102", timezone="Europe/Berlin")
    noon = {"Time": "1/5/2026 12:00:00 PM"}
    take_in(file_of(fill(**noon), fill(Account="Sim102", **noon)), timezone="")
    times = dict(Trade.objects.values_list("account__name", "executed_at"))
    assert {name: time.hour for name, time in times.items()} == {"Sim101": 18, "Sim102": 11}


def test_the_given_time_zone_wins(take_in: TakeIn) -> None:
    Account.objects.create(name="Sim101", timezone="America/Chicago")
    take_in(file_of(fill(Time="1/5/2026 12:00:00 PM")), timezone="Europe/Berlin")
    assert Trade.objects.get().executed_at == datetime(2026, 1, 5, 11, tzinfo=UTC)


def test_a_time_that_happened_twice_is_taken_in_and_says_so(take_in: TakeIn) -> None:
    log = take_in(file_of(fill(Time="11/1/2026 1:30:00 AM")))
    assert "happened twice" in only_row(log, RowStatus.SUCCESS).error_message
    assert Trade.objects.get().executed_at == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)


def test_a_time_that_the_clocks_skipped_fails(take_in: TakeIn) -> None:
    row = only_row(take_in(file_of(fill(Time="3/8/2026 2:30:00 AM"))), RowStatus.FAILED)
    assert [error["code"] for error in row.validation_errors] == ["nonexistent_local_time"]


# --- Instruments


def test_a_known_root_gets_its_terms(take_in: TakeIn) -> None:
    take_in(file_of(fill(Instrument="MNQ 03-26")))
    terms = Instrument.objects.values_list("point_value", "tick_size", "currency").get()
    assert terms == (2, Decimal("0.25"), "USD")


def test_an_unknown_root_has_no_point_value(take_in: TakeIn) -> None:
    take_in(file_of(fill(Instrument="QQQQ 03-26")))
    assert Instrument.objects.get().point_value is None


def test_terms_that_a_user_has_set_are_kept(take_in: TakeIn) -> None:
    Instrument.objects.create(symbol="MNQ 03-26", root="MNQ", kind="future", point_value=7)
    take_in(file_of(fill()))
    assert Instrument.objects.get().point_value == 7


def test_all_spellings_meet_in_one_instrument(take_in: TakeIn) -> None:
    spellings = ["MNQ 03-26", "MNQH6", "MNQ MAR26", "/MNQH26", "mnq 03-26"]
    take_in(file_of(*[fill(Instrument=text, ID=text) for text in spellings]))
    assert Instrument.objects.get().trades.count() == len(spellings)


# --- How an import ends

GOOD, BAD = fill(), fill(ID="exec-2", Quantity="abc")


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([], Status.SUCCESS),
        ([GOOD], Status.SUCCESS),
        ([GOOD, GOOD], Status.SUCCESS),
        ([GOOD, BAD], Status.PARTIAL),
        ([BAD], Status.FAILED),
    ],
)
def test_an_import_ends_as_its_lines_say(take_in: TakeIn, lines: list[str], status: Status) -> None:
    log = take_in(file_of(*lines))
    assert (log.status, log.total_rows) == (status, len(lines))
    assert (log.owner, log.lease_until) == ("", None)


def test_a_header_alone_is_a_success_that_says_so(take_in: TakeIn) -> None:
    assert "a header and no lines" in take_in(file_of()).error_summary


def test_nothing_new_is_a_success_that_says_so(take_in: TakeIn) -> None:
    take_in(TWINS)
    assert take_in(TWINS).error_summary == "Nothing new: all 2 lines were known already."


def test_the_summary_counts_the_problems(take_in: TakeIn) -> None:
    log = take_in(file_of(GOOD, BAD, fill(Price="x", Quantity="y")))
    assert log.error_summary == "2 of 3 lines failed: invalid_quantity 2, invalid_price 1."


def test_the_counters_are_the_row_logs(take_in: TakeIn) -> None:
    log = take_in(file_of(GOOD, BAD, GOOD, fill(ID="exec-3")))
    assert counts(log) == (2, 1, 1)
    assert log.row_logs.count() == log.total_rows == log.cursor == 4
    assert log.trades_created == log.row_logs.filter(trades__isnull=False).count()


@pytest.mark.parametrize("counter", ["total", "success", "failed", "skipped"])
def test_the_database_refuses_counters_that_do_not_add_up(take_in: TakeIn, counter: str) -> None:
    mine = ImportExecutionLog.objects.filter(pk=take_in(TWINS).pk)
    with pytest.raises(IntegrityError, match="every_line_is_counted"), transaction.atomic():
        mine.update(**{f"{counter}_rows": 7})


def test_a_run_is_timed(take_in: TakeIn) -> None:
    log = take_in(TWINS)
    assert log.started_at <= log.completed_at
    assert timedelta(milliseconds=log.processing_time_ms) < timedelta(minutes=1)


def test_a_file_error_is_a_failed_import_without_lines(take_in: TakeIn) -> None:
    log = take_in("", "nothing.csv")
    assert (log.status, log.total_rows) == (Status.FAILED, 0)
    assert log.error_summary.startswith("nothing.csv is empty (0 bytes)")


# --- What a row log keeps


def test_row_numbers_are_physical_lines(take_in: TakeIn) -> None:
    broken = fill(ID="exec-2", Name='"two\r\nlines"')
    log = take_in(file_of("", GOOD, "", "", broken, ",,,", fill(ID="exec-3")))
    assert [*log.row_logs.values_list("row_number", flat=True)] == [3, 6, 9]


def test_cells_are_kept_as_read(take_in: TakeIn) -> None:
    cells = "MNQ 03-26 ,  buy,1.0,$ 21350.50,1/5/2026 6:35:03 AM,é✓,\\n,,0,null,($0.5),1, Sim101,,"
    log = take_in(file_of(cells))
    assert counts(log) == (1, 0, 0)
    assert log.row_logs.get().raw_row_data == cells.split(",")


def test_the_header_is_kept_once(take_in: TakeIn) -> None:
    assert take_in(TWINS).header == HEADER.split(",")


ODD_LINES = [
    "x",
    '"never closed,' + fill(),
    fill() + "surplus,surplus",
    fill(Instrument=""),
    fill(Time="yesterday"),
    fill(Quantity="1" * 400),
    fill(Price="1e5"),
    fill(ID="x" * 201),
    fill(Account="a" * 101),
    fill(Instrument="\u202e\u200b"),
]


@pytest.mark.parametrize("odd", ODD_LINES)
def test_an_odd_line_never_stops_a_file(take_in: TakeIn, odd: str) -> None:
    log = take_in(file_of(fill(ID="before"), odd, fill(ID="after")))
    assert counts(log) == (2, 0, 1)
    assert only_row(log, RowStatus.FAILED).row_number == 3


def test_all_problems_of_a_line_are_told(take_in: TakeIn) -> None:
    log = take_in(file_of(fill(Quantity="abc", Price="n/a", Action="Hold", Account="")))
    told = {error["field"] for error in only_row(log, RowStatus.FAILED).validation_errors}
    assert told == {"Quantity", "Price", "Action", "Account"}
