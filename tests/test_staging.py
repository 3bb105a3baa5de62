"""Lines become the trades of a batch: every one of them, a bad one with all that is wrong."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import IntegrityError
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from batches import writing
from batches.fields import FIELDS
from batches.lines import StagedLine
from batches.models import Batch, BatchTemplate, BatchTrade
from batches.restaging import read_again, read_bad_lines, reader_of
from batches.staging import (
    StagingError,
    preview_csv,
    stage_csv,
    stage_json,
    stage_trades,
)
from batches.states import Status, TradeStatus
from tests.conftest import EXAMPLES, TakeIn, file_of, fill
from trades.models import Account, Instrument, Trade

HEADER = "Account,Symbol,Side,Qty,Price,Time"
LINE = "Sim101,MNQ 03-26,Buy,2,21350.25,2026-01-05 14:35:03"
GOOD = {"account": "Sim101", "instrument": "AAPL", "side": "buy", "quantity": 1, "price": "10"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sim101(db: None) -> Account:
    return Account.objects.create(name="Sim101")


def csv_of(*lines: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *lines, ""]).encode()


def trades_of(batch: Batch) -> list[BatchTrade]:
    return list(batch.batch_trades.order_by("sequence"))


def only(batch: Batch) -> BatchTrade:
    [trade] = trades_of(batch)
    return trade


# --- Lines


def test_a_line_becomes_a_batch_trade() -> None:
    batch = stage_csv(
        csv_of(f"{LINE},A-1,Entry,0.52,first", header=f"{HEADER},Order ID,Name,Fee,Note")
    )
    trade = only(batch)
    assert (trade.account.name, trade.instrument.symbol, trade.side) == (
        "Sim101",
        "MNQ 03-26",
        "buy",
    )
    assert (trade.quantity, trade.price, trade.commission) == (
        2,
        Decimal("21350.25"),
        Decimal("0.52"),
    )
    assert trade.executed_at == datetime(2026, 1, 5, 14, 35, 3, tzinfo=UTC)
    assert (trade.order_id, trade.trade_name, trade.notes) == ("A-1", "Entry", "first")
    assert (trade.sequence, trade.row_number, trade.status) == (1, 2, "pending")
    assert trade.raw["Qty"] == "2"


def test_a_batch_is_staged_and_not_started() -> None:
    batch = Batch.objects.get(pk=stage_csv(csv_of(LINE, "x")).pk)
    assert (batch.status, batch.queued_at, batch.rounds) == (Status.PENDING, None, 0)
    assert (batch.total_trades, batch.failed_trades, batch.executed_trades) == (2, 1, 0)
    assert (batch.executor, batch.priority, batch.parallel) == ("journal", 5, 1)


def test_twins_are_two_trades() -> None:
    batch = stage_csv(csv_of(LINE, LINE))
    assert [trade.status for trade in trades_of(batch)] == ["pending", "pending"]


def test_all_problems_of_a_line_are_told_together() -> None:
    trade = only(stage_csv(csv_of("NOBODY,,Hold,abc,x,2026-13-45 10:00")))
    assert trade.status == TradeStatus.FAILED
    assert [error["code"] for error in trade.errors] == [
        "missing_instrument",
        "unknown_action",
        "invalid_quantity",
        "invalid_price",
        "invalid_timestamp",
        "unknown_account",
    ]
    assert "Qty: 'abc' is not a number; Price: 'x' is not a number" in trade.error_message
    assert trade.finished_at is not None


def test_what_could_be_read_of_a_bad_line_is_kept() -> None:
    trade = only(stage_csv(csv_of("Sim101,AAPL,Buy,abc,10,2026-01-05 10:00")))
    assert (trade.account.name, trade.side, trade.quantity, trade.price) == (
        "Sim101",
        "buy",
        None,
        10,
    )
    assert trade.raw["Qty"] == "abc"


def test_an_account_must_exist() -> None:
    trade = only(stage_csv(csv_of(LINE.replace("Sim101", "LIVE-1"))))
    assert trade.error_message == "Account: 'LIVE-1' is no account here; expected one that exists"
    assert not Account.objects.filter(name="LIVE-1").exists()


def test_an_instrument_is_made_if_it_is_new() -> None:
    stage_csv(csv_of(LINE, LINE.replace("MNQ 03-26", "MNQH6")))
    assert [(one.symbol, one.point_value) for one in Instrument.objects.all()] == [("MNQ 03-26", 2)]


def test_no_instrument_is_made_for_bad_lines() -> None:
    assert only(stage_csv(csv_of(LINE.replace(",2,", ",abc,")))).instrument is None
    assert not Instrument.objects.exists()


def test_what_the_executor_refuses_is_failed() -> None:
    trade = only(stage_csv(csv_of("Sim101,AAPL,Buy,1,,")))
    assert trade.errors[0]["code"] == "refused_by_executor"
    assert trade.error_message == trade.errors[0]["error"]


def test_times_are_of_the_zone_of_the_account(sim101: Account) -> None:
    sim101.timezone = "America/Chicago"
    sim101.save()
    assert only(stage_csv(csv_of(LINE))).executed_at.hour == 20
    assert only(stage_csv(csv_of(LINE), timezone="Europe/Berlin")).executed_at.hour == 13


def test_a_time_that_the_clock_showed_twice_is_told() -> None:
    line = LINE.replace("2026-01-05 14:35", "2026-11-01 01:30")
    assert (
        "happened twice" in only(stage_csv(csv_of(line), timezone="America/Chicago")).error_message
    )


def test_lines_without_a_time_are_between_others() -> None:
    batch = stage_csv(csv_of(LINE, "Sim101,AAPL,Buy,1,10,", LINE, "x", LINE))
    assert [trade.executed_at is None for trade in trades_of(batch)] == [0, 1, 0, 1, 0]
    assert [trade.row_number for trade in trades_of(batch)] == [2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("Sim101,AAPL,Buy", "row_too_short"),
        (f"{LINE},50", "row_too_long"),
        ('Sim101,AAPL,Buy,1,10,"2026', "unclosed_quote"),
    ],
)
def test_lines_of_a_wrong_shape(line: str, code: str) -> None:
    assert [error["code"] for error in only(stage_csv(csv_of(line))).errors] == [code]


def test_no_line_below_another_header_is_read_by_the_first() -> None:
    other = "Account,Symbol,Side,Price,Qty,Time"
    batch = stage_csv(csv_of(LINE, other, "Sim101,AAPL,Buy,10,1,2026-01-05 10:00", HEADER))
    codes = [[error["code"] for error in trade.errors] for trade in trades_of(batch)]
    assert codes[:3] == [[], ["other_header"], ["other_header"]]


# --- Files


def test_the_example() -> None:
    Account.objects.create(name="LIVE-7001")
    batch = stage_csv(EXAMPLES / "batch.csv")
    assert (batch.name, batch.total_trades, batch.failed_trades) == ("batch", 10, 2)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_in_another_encoding(encoding: str, end: str) -> None:
    text = end.join([f"{HEADER},Note", f"{LINE},für später"])
    assert only(stage_csv(text.encode(encoding))).notes == "für später"


def test_a_european_file() -> None:
    header = HEADER.replace(",", ";")
    trade = only(stage_csv(csv_of("Sim101;AAPL;Buy;1;1.261,58;5.1.2026 14:35", header=header)))
    assert (trade.price, trade.executed_at.month) == (Decimal("1261.58"), 1)


def test_the_export_of_a_platform() -> None:
    trade = only(stage_csv(file_of(fill()).encode()))
    assert (trade.side, trade.commission) == ("buy", Decimal("0.52"))


NO_FILES: list[tuple[bytes, str]] = [
    (b"", "is empty"),
    (b"\n\n\n", "begins with blank lines only"),
    (b"undefined", "'undefined'"),
    (csv_of(), "has no lines"),
    (csv_of(",,,,,", ""), "has no lines"),
    (b"a,b,c\n1,2,3\n", "has no header"),
    (csv_of("x", header="Account,Symbol,Side,Price"), "no column for Quantity"),
    (b"PK\x03\x04rest", "Excel workbook"),
    (b"Account,Symbol\x00,Side,Qty\n", "NUL"),
    (b"\xff\xfe\x00", "damaged"),
    (b"{}", "has no header"),
]


@pytest.mark.parametrize(("content", "told"), NO_FILES)
@pytest.mark.parametrize("door", [stage_csv, preview_csv])
def test_a_file_that_cannot_be_taken(door: Callable, content: bytes, told: str) -> None:
    with pytest.raises(StagingError, match=told):
        door(content, file_name="lines.csv")
    assert not Batch.objects.exists()


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_are_a_batch_or_a_sentence(before: bytes, after: bytes) -> None:
    for content in (before, csv_of()[:-1] + b"\n" + after, before + csv_of(LINE) + after):
        try:
            batch = stage_csv(content)
        except StagingError:
            continue
        assert batch.total_trades == batch.batch_trades.count()


def test_more_lines_than_a_batch_may_have(settings: object) -> None:
    settings.TRADELOG_MAX_BATCH_LINES = 2
    assert stage_csv(csv_of(LINE, LINE)).total_trades == 2
    with pytest.raises(StagingError, match="More than 2 lines"):
        stage_csv(csv_of(LINE, LINE, LINE))


def test_a_file_that_is_too_large(settings: object, tmp_path: Path) -> None:
    settings.TRADELOG_MAX_FILE_MB = 0
    (tmp_path / "lines.csv").write_bytes(csv_of(LINE))
    for source in (csv_of(LINE), tmp_path / "lines.csv", io.BytesIO(csv_of(LINE))):
        with pytest.raises(StagingError, match="larger than 0 MB"):
            stage_csv(source)


def test_nothing_is_staged_by_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise IntegrityError

    monkeypatch.setattr(writing, "write_lines", fail)
    with pytest.raises(IntegrityError):
        stage_csv(csv_of(LINE))
    assert not Batch.objects.exists()
    assert not Instrument.objects.exists()


# --- Columns


@pytest.mark.parametrize(
    ("name", "heading"), [(name, one) for name, field in FIELDS.items() for one in field.headings]
)
def test_headings_are_guessed(name: str, heading: str) -> None:
    headings = {"account": "Account", "instrument": "Symbol", "side": "Side", "quantity": "Qty"}
    headings[name] = heading.upper()
    preview = preview_csv(csv_of("x", header=",".join(headings.values())))
    assert preview.columns[name] == heading.upper()


def test_columns_can_be_chosen() -> None:
    content = csv_of("Sim101,AAPL,Buy,1,10,11,x", header="Konto,Titel,Side,Qty,Price,Kurs,Name")
    chosen = {"account": "konto", "instrument": "Titel", "price": "Kurs", "trade_name": ""}
    trade = only(stage_csv(content, columns=chosen))
    assert (trade.account.name, trade.instrument.symbol, trade.price) == ("Sim101", "AAPL", 11)
    assert trade.trade_name == ""


def test_a_chosen_column_feeds_no_other_field() -> None:
    content = csv_of("Sim101,AAPL,Buy,1,10", header="Account,Symbol,Side,Size,Price")
    trade = only(stage_csv(content, columns={"trade_name": "Price"}, defaults={"price": "7"}))
    assert (trade.trade_name, trade.price) == ("10", 7)


def test_a_chosen_column_must_be_there() -> None:
    with pytest.raises(StagingError, match="line 1: no column 'Kurs'; found Account, Symbol"):
        stage_csv(csv_of(LINE), columns={"price": "Kurs"})


@pytest.mark.parametrize("said", [{"columns": {"colour": "Red"}}, {"defaults": {"colour": "red"}}])
def test_there_are_no_other_fields(said: dict) -> None:
    with pytest.raises(StagingError, match="no field 'colour'"):
        stage_csv(csv_of(LINE), **said)


def test_defaults_stand_in_for_empty_cells_and_missing_columns() -> None:
    content = csv_of("AAPL,,1", "AAPL,Sell,2", header="Symbol,Side,Qty")
    batch = stage_csv(content, defaults={"account": "Sim101", "side": "buy", "price": "1,000.5"})
    assert [trade.side for trade in trades_of(batch)] == ["buy", "sell"]
    assert {trade.price for trade in trades_of(batch)} == {Decimal("1000.5")}


def test_a_bad_default_is_told_of_each_line_that_needs_it() -> None:
    trade = only(stage_csv(csv_of("Sim101,AAPL,Buy,1,,"), defaults={"price": "cheap"}))
    assert trade.error_message == "Price: 'cheap' is not a number"


# --- Templates and wishes


def test_a_template_says_what_is_not_said() -> None:
    template = BatchTemplate.objects.create(
        name="Morning",
        executor="paper",
        executor_settings={"seed": 7},
        priority=2,
        parallel=3,
        columns={"price": "Kurs"},
        defaults={"account": "Sim101"},
    )
    content = csv_of("AAPL,Buy,1,10", header="Symbol,Side,Qty,Kurs")
    batch = stage_csv(content, template=template, executor_settings={"slippage": 1}, parallel=4)
    assert (batch.executor, batch.executor_settings) == ("paper", {"seed": 7, "slippage": 1})
    assert (batch.priority, batch.parallel, batch.template) == (2, 4, template)
    assert (only(batch).price, only(batch).account.name) == (10, "Sim101")


def test_settings_of_a_template_are_of_its_own_executor() -> None:
    template = BatchTemplate.objects.create(executor="paper", executor_settings={"seed": 7})
    assert stage_csv(csv_of(LINE), template=template, executor="journal").executor_settings == {}


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"priority": 11}, "priority: 11 is not from 1 to 10"),
        ({"parallel": 0}, "parallel: 0 is not from 1 to 32"),
        ({"executor": "magic"}, "no executor 'magic'"),
        ({"executor_settings": {"magic": 1}}, "no setting 'magic'"),
    ],
)
def test_wishes_that_cannot_be_granted(wish: dict, told: str) -> None:
    with pytest.raises(StagingError, match=told):
        stage_csv(csv_of(LINE), **wish)


def test_a_name_is_made_neat() -> None:
    assert stage_csv(csv_of(LINE), name=" My\nbatch\u200b ").name == "My batch"
    assert stage_csv(csv_of(LINE), file_name="../monday.csv").name == "monday"
    assert stage_json([GOOD]).name == "Batch"
    assert len(stage_json([GOOD], name="x" * 999).name) == 200


# --- Preview


def test_a_preview_writes_nothing() -> None:
    preview = preview_csv(csv_of(LINE, *["Sim101,AAPL,Buy,x,10,"] * 60))
    assert (preview.total, preview.good, preview.bad, len(preview.lines)) == (61, 1, 60, 50)
    assert preview.lines[0].values["instrument"] == "MNQ 03-26"
    assert preview.lines[1].errors[0]["code"] == "invalid_quantity"
    assert preview.header == HEADER.split(",")
    assert "decimal point" in preview.dialect
    assert not Batch.objects.exists()
    assert not Instrument.objects.exists()


# --- JSON


def test_objects_become_batch_trades() -> None:
    batch = stage_json(
        [
            GOOD,
            {"Account": "Sim101", "Symbol": "AAPL", "Action": "Sell", "Qty": 0.1, "Price": 21350.1},
        ]
    )
    assert [trade.quantity for trade in trades_of(batch)] == [1, Decimal("0.1")]
    assert [trade.price for trade in trades_of(batch)] == [10, Decimal("21350.1")]
    assert trades_of(batch)[1].raw["Price"] == 21350.1


def test_a_template_for_files_reads_objects_too() -> None:
    template = BatchTemplate.objects.create(columns={"account": "Konto", "notes": ""})
    batch = stage_json([GOOD | {"notes": "a"}, {"Konto": "Sim101"}], template=template)
    first, second = trades_of(batch)
    assert (first.account.name, first.notes, second.account.name) == ("Sim101", "a", "Sim101")


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (3, "not_an_object"),
        (None, "not_an_object"),
        ([], "not_an_object"),
        (GOOD | {"quantity": True}, "not_a_text"),
        (GOOD | {"quantity": [1]}, "not_a_text"),
        (GOOD | {"quantity": 1e-300}, "invalid_quantity"),
        (GOOD | {"quantity": float("inf")}, "invalid_quantity"),
        (GOOD | {"quantity": 10**400}, "invalid_quantity"),
        (GOOD | {"notes": "\0"}, "not_a_text"),
        (GOOD | {"notes": "\ud800"}, "invalid_character"),
        (GOOD | {"order_id": "x" * 201}, "too_long"),
        ({}, "missing_account"),
    ],
)
def test_an_item_that_is_no_instruction(item: object, code: str) -> None:
    trade = only(stage_json([item]))
    assert code in [error["code"] for error in trade.errors]
    assert json.dumps(trade.raw, allow_nan=False, ensure_ascii=False).encode()


def test_no_objects_are_no_batch() -> None:
    with pytest.raises(StagingError, match="The list of trades has no lines"):
        stage_json([])


def test_more_objects_than_a_batch_may_have(settings: object) -> None:
    settings.TRADELOG_MAX_BATCH_LINES = 1
    with pytest.raises(StagingError, match="More than 1 lines"):
        stage_json([GOOD, GOOD])


# --- Trades


def test_trades_are_copied_in_their_order(take_in: TakeIn) -> None:
    later = fill(ID="b", Time="1/5/2026 6:40:00 AM", Action="Sell", Price="21360")
    take_in(file_of(later, fill(ID="a")))
    Account.objects.create(name="Copy")
    batch = stage_trades(Trade.objects.all(), defaults={"account": "Copy"})
    assert [(one.side, one.price) for one in trades_of(batch)] == [
        ("buy", Decimal("21350.5")),
        ("sell", 21360),
    ]
    assert {one.account.name for one in trades_of(batch)} == {"Copy"}
    [first, second] = Trade.objects.order_by("executed_at")
    assert trades_of(batch)[0].executed_at == first.executed_at
    assert trades_of(batch)[1].raw["trade_id"] == str(second.pk)
    assert batch.failed_trades == 0


def test_trades_keep_their_account_unless_told_otherwise(take_in: TakeIn) -> None:
    take_in(file_of(fill()))
    template = BatchTemplate.objects.create(defaults={"account": "Other"})
    assert only(stage_trades(Trade.objects.all(), template=template)).account.name == "Sim101"


# --- Once more


def again(trade: BatchTrade) -> StagedLine | None:
    return read_again(trade, reader_of(trade.batch))


def test_a_line_is_staged_again_when_its_account_is_there() -> None:
    trade = only(stage_csv(csv_of(LINE.replace("Sim101", "LIVE-1"))))
    assert again(trade).errors[0]["code"] == "unknown_account"
    Account.objects.create(name="LIVE-1")
    with read_bad_lines(trade.batch) as lines:
        assert lines.replace() == 1
    trade = only(trade.batch)
    assert (trade.account.name, trade.instrument.symbol, trade.quantity) == (
        "LIVE-1",
        "MNQ 03-26",
        2,
    )
    assert trade.error_message == ""


def test_a_line_is_staged_again_as_it_was_read_at_first() -> None:
    content = csv_of("X;AAPL;1;1,5;5/1/2026 10:00", header="Konto;Symbol;Qty;Price;Time")
    batch = stage_csv(
        content, columns={"account": "Konto"}, defaults={"side": "sell"}, timezone="Europe/Berlin"
    )
    Account.objects.create(name="X")
    trade = BatchTrade.objects.get(batch=batch)
    line = again(trade)
    assert line.errors == []
    assert (line.values["price"], line.values["side"]) == (Decimal("1.5"), "sell")
    assert line.values["executed_at"] == datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_a_line_of_a_wrong_shape_stays_one() -> None:
    trade = only(stage_csv(csv_of('Sim101,AAPL,Buy,1,10,"2026')))
    assert trade.errors[0]["code"] == "unclosed_quote"
    assert again(trade) is None


def test_trades_and_objects_are_staged_again(take_in: TakeIn) -> None:
    take_in(file_of(fill()))
    copy = only(stage_trades(Trade.objects.all(), defaults={"account": "Copy"}))
    given = only(stage_json([GOOD | {"account": "Copy"}]))
    Account.objects.create(name="Copy")
    assert [again(copy).errors, again(given).errors] == [[], []]
    assert again(copy).values["account"] == again(given).values["account"] == "Copy"
