"""Which format a file is in, where its header stands, and what is said when there is none."""

from pathlib import Path

import pytest

from imports import identify as identifying
from imports.body import data_records
from imports.columns import Number
from imports.formats import Column, Format, all_formats
from imports.identify import Layout, identify
from imports.lines import LineReader, decide_dialect
from imports.problems import FileError
from imports.textfile import look_at
from tests.conftest import EXAMPLES, HEADER, ZONE

EXECUTIONS = all_formats()["ninjatrader-executions"]
NAME = "fills.csv"

US = "MNQ 03-26,Buy,1,21350.50,1/15/2026 6:35:03 AM"
EU_HEADER = (
    "Instrument;Action;Quantity;Price;Time;ID;E/X;Position;Order ID;Name;Commission;Rate;"
    "Account display name;Connection;"
)
EU_FILL = (
    "MES JUN26;Buy;1;7200,75;27/04/2026 6:05:02;execution-1;Entry;1 L;order-1;Entry;0,62 $;1;"
    "Playback101;Playback;"
)
WITHOUT_ID = "Instrument,Action,Time,Price,E/X,Connection,Quantity,Account display name"
WITH_VALIDATION = HEADER + "TradeValidation,"


@pytest.fixture
def read(tmp_path: Path) -> object:
    def layout_of(text: str | bytes, **wishes: object) -> Layout:
        path = tmp_path / NAME
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return identify(look_at(path, NAME), **wishes)

    return layout_of


@pytest.mark.parametrize(
    ("text", "delimiter", "line"),
    [
        (HEADER, ",", 1),
        (EU_HEADER, ";", 1),
        (HEADER.replace(",", "\t"), "\t", 1),
        (HEADER.replace(",", "|"), "|", 1),
        (HEADER.rstrip(","), ",", 1),
        ("\ufeff" + HEADER, ",", 1),
        (HEADER.upper(), ",", 1),
        (HEADER.replace(",", " , "), ",", 1),
        (",".join(f'"{name}"' for name in HEADER.split(",")), ",", 1),
        (WITHOUT_ID, ",", 1),
        (WITH_VALIDATION, ",", 1),
        (HEADER.replace("Quantity", "Qty"), ",", 1),
        (HEADER.replace("Account", "Account display name"), ",", 1),
        ("NinjaTrader Grid 2025-11-03 05-05 .csv\r\n" + HEADER, ",", 2),
        ("sep=;\r\n" + EU_HEADER, ";", 2),
        ('Executions of "Jane, 2026\n\n' + HEADER, ",", 3),
        ("\n" * 29 + HEADER, ",", 30),
        ("x" * 50_000 + "\n" + HEADER, ",", 2),
        (HEADER + "\n" + HEADER, ",", 1),
        ("Remarks,Price,Note," + HEADER, ",", 1),
    ],
)
@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r"])
def test_a_header_is_found(
    read: object, text: str, delimiter: str, line: int, line_break: str
) -> None:
    layout = read(text.replace("\r\n", "\n").replace("\n", line_break) + line_break + "x")
    assert (layout.format, layout.delimiter, layout.header_line) == (EXECUTIONS, delimiter, line)


@pytest.mark.parametrize(
    ("header", "line"),
    [
        (HEADER, US + ",e1,Entry,1 L,o1,Entry,$0.52,1,Sim101,Simulated,"),
        (HEADER.rstrip(","), US + ",e1,Entry,1 L,o1,Entry,$0.52,1,Sim101,Simulated"),
        (WITH_VALIDATION, US + ",e1,Entry,1 L,o1,Entry,$0.52,1,Sim101,Simulated,ok,"),
        (EU_HEADER, EU_FILL),
        (EU_HEADER.replace(";", "\t"), EU_FILL.replace(";", "\t")),
        (WITHOUT_ID, "MNQZ6,Buy,9/15/2026 9:39,21350.5,Entry,Simulated ,1,Sim101"),
        (
            "Account,Qty,Time,Price,Action,Instrument",
            "A,2,2026-09-16 15:31:02,5,SellShort,ES 12-26",
        ),
        ("Instrument;Action;Qty;Price;Time;Account", "ES 12-26;Buy;2;5000,25;27042026 09:30:00;A"),
    ],
)
def test_a_line_below_any_known_header_is_an_execution(
    tmp_path: Path, header: str, line: str
) -> None:
    path = tmp_path / NAME
    path.write_bytes(f"{header}\r\n{line}\r\n".encode())
    file = look_at(path, NAME)
    layout = identify(file)
    dialect = decide_dialect(data_records(file, layout), layout)
    reader = LineReader(layout, dialect, default_account="", zone_of=lambda account: ZONE)
    (found,) = (reader.read(record) for record in data_records(file, layout))
    assert found.problems == []
    assert found.execution.price in (5, 5000.25, 21350.5, 7200.75)
    assert found.execution.connection in ("", "Simulated", "Playback")


@pytest.mark.parametrize("name", ["Instrument", "Action", "Quantity", "Price", "Time", "Account"])
def test_a_missing_column_is_named(read: object, name: str) -> None:
    with pytest.raises(FileError, match=f"{NAME}, line 2: a header of .* lacks .*'{name}") as told:
        read("a title\n" + HEADER.replace(name, "Other"))
    assert "found Instrument" in str(told.value) or name == "Instrument"


def test_an_account_given_by_the_user_replaces_its_column(read: object) -> None:
    header = HEADER.replace("Account", "Other")
    assert read(header, has_account=True).format == EXECUTIONS
    with pytest.raises(FileError, match="Account or Account display name"):
        read(header)


def test_a_header_far_down_is_not_sought(read: object) -> None:
    with pytest.raises(FileError, match="begins with blank lines only"):
        read("\n" * 30 + HEADER)


def test_a_format_that_does_not_exist_is_an_error_of_the_file(read: object) -> None:
    with pytest.raises(FileError, match="'metatrader': no such format; expected one of ninja"):
        read(HEADER, only="metatrader")


def test_a_file_that_two_formats_fit_names_both(
    read: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = (Column("price", ("Price",), Number("invalid_price"), required=True),)
    rival = Format("rival", "A rival", columns)
    formats = {EXECUTIONS.name: EXECUTIONS, "rival": rival}
    monkeypatch.setattr(identifying, "all_formats", lambda: formats)
    with pytest.raises(FileError, match="could be NinjaTrader 8 executions grid and A rival"):
        read(HEADER)
    assert read(HEADER, only="rival").format == rival


def test_a_message_about_a_wide_header_stays_readable(read: object) -> None:
    with pytest.raises(FileError) as told:
        read(HEADER.replace("Price", "Other") + ",".join(f"Extra{n}" for n in range(900)))
    assert len(str(told.value)) < 600


@pytest.mark.parametrize("name", ["ninjatrader-us.csv", "ninjatrader-eu.csv"])
def test_a_sample_is_identified(read: object, name: str) -> None:
    assert read((EXAMPLES / name).read_bytes()).format == EXECUTIONS


@pytest.mark.parametrize(
    ("header", "width"), [("a,b", 2), ("a,b,", 2), ("a,,b,, ,", 3), (HEADER, 14)]
)
def test_a_line_needs_a_cell_for_each_heading_with_a_name(header: str, width: int) -> None:
    assert Layout(EXECUTIONS, ",", header.split(","), 1).width == width


# --- The declarations


@pytest.mark.parametrize("format_", all_formats().values(), ids=lambda format_: format_.name)
def test_a_format_is_declared_in_full(format_: Format) -> None:
    fields = [column.field for column in format_.columns]
    assert len(fields) == len(set(fields))
    assert set(fields) - LineReader.DEFAULTS.keys() == {
        *("instrument", "side", "quantity", "price", "executed_at", "account")
    }
