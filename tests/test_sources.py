"""Rows out of files and SQLite, their problems, and what the settings make of a source."""

import itertools
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url

from sources import drivers
from sources.configured import address_problem, executions, located, open_orders
from sources.mapping import columns_of
from sources.masking import masked
from sources.reading import Row, SourceError, Wanted, reading, row_of
from sources.rows import Cells
from sources.source import KINDS, Column, Source

FIELDS = (
    Column("order_id", "OrderID", required=True),
    Column("quantity", "Qty", "number"),
    Column("filled", "Filled", "whole"),
    Column("submitted_at", "At", "moment"),
)
HEADER = "OrderID,Qty,Filled,At\n"
ZONE = "America/Chicago"


def read(source: Source, most: int | None = None, **bounds: object) -> list[Row]:
    with reading(source, **bounds) as rows:
        return list(itertools.islice(rows, most))


def in_file(folder: Path, content: str | bytes, name: str = "orders.csv") -> Source:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Source("open orders", str(path), "", FIELDS, ZONE)


def in_sqlite(folder: Path, query: str, *statements: str) -> Source:
    with closing(sqlite3.connect(folder / "desk.db")) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()
    return Source("open orders", f"sqlite:///{folder / 'desk.db'}", query, FIELDS, ZONE)


def errors_of(row: Row) -> dict[str, str]:
    return {problem.field: problem.error for problem in row.problems}


# --- Values, from wherever they come


NUMBERS = {
    "21350.50": Decimal("21350.5"),
    " -0.10 ": Decimal("-0.1"),
    "1E3": Decimal(1000),
    "123456789012345": Decimal("123456789012345"),
    "-0.0": Decimal(0),
}
NO_NUMBERS = ["abc", "1,234", "NaN", "Infinity", "1 2", "0x10", "1" * 16, "0.12345678901", "1E99"]


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_is_exact(tmp_path: Path, text: str) -> None:
    (row,) = read(in_file(tmp_path, f"{HEADER}A1,{text},,\n"))
    assert (row.values["quantity"], row.problems) == (NUMBERS[text], [])
    assert "E" not in str(row.values["quantity"])


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_number_is_a_problem(tmp_path: Path, text: str) -> None:
    (row,) = read(in_file(tmp_path, f'{HEADER}A1,"{text}",,\n'))
    assert row.values["quantity"] is None
    assert [one[:2] for one in row.problems] == [("quantity", "Qty")]
    assert row.problems[0].error.startswith(f"'{text}' ")


MOMENTS = {
    "2026-01-05 06:35:03": datetime(2026, 1, 5, 12, 35, 3, tzinfo=UTC),
    "2026-07-05T06:35:03.1234567": datetime(2026, 7, 5, 11, 35, 3, 123456, UTC),
    "2026-01-05 06:35Z": datetime(2026, 1, 5, 6, 35, tzinfo=UTC),
    "2026-01-05 06:35:03+05:30": datetime(2026, 1, 5, 1, 5, 3, tzinfo=UTC),
    "2026-01-05 06:35:03-08": datetime(2026, 1, 5, 14, 35, 3, tzinfo=UTC),
    "2026-11-01 01:30:00": datetime(2026, 11, 1, 6, 30, tzinfo=UTC),  # of two, the first
}
NO_MOMENTS = {
    "soon": "is no moment",
    "01/05/2026 06:35:03": "is no moment",
    "2026-01-05": "is no moment",
    "2026-02-30 10:00:00": "is no such day or time",
    "2026-01-05 10:00:00+99": "is no such day or time",
    "9999-12-31 23:59:59": "is before 1970 or after 2099",
    "0001-01-01 00:00:00": "is before 1970 or after 2099",
    "2026-03-08 02:30:00": "does not exist in America/Chicago",
}


@pytest.mark.parametrize("text", MOMENTS)
def test_a_moment_is_in_utc(tmp_path: Path, text: str) -> None:
    (row,) = read(in_file(tmp_path, f"{HEADER}A1,,,{text}\n"))
    assert (row.values["submitted_at"], row.problems) == (MOMENTS[text], [])


@pytest.mark.parametrize("text", NO_MOMENTS)
def test_what_is_no_moment_is_a_problem(tmp_path: Path, text: str) -> None:
    (row,) = read(in_file(tmp_path, f"{HEADER}A1,,,{text}\n"))
    assert row.values["submitted_at"] is None
    assert NO_MOMENTS[text] in errors_of(row)["submitted_at"]


def test_whole_numbers_are_whole(tmp_path: Path) -> None:
    rows = read(in_file(tmp_path, f"{HEADER}A1,,2.0,\nA2,,2.5,\n"))
    assert [row.values["filled"] for row in rows] == [2, None]
    assert errors_of(rows[1]) == {"filled": "'2.5' is no whole number"}


def test_an_empty_value_is_none_and_a_problem_only_where_it_must_not_be(tmp_path: Path) -> None:
    (row,) = read(in_file(tmp_path, f"{HEADER} ,,,x\n"))
    assert set(row.values.values()) == {None}
    assert errors_of(row)["order_id"] == "is empty"
    assert "quantity" not in errors_of(row)


def test_a_text_that_no_database_keeps_is_a_problem(tmp_path: Path) -> None:
    (row,) = read(in_file(tmp_path, f"{HEADER}A\0B,,,\n"))
    assert "characters that are none" in errors_of(row)["order_id"]
    assert "\0" not in row.raw["OrderID"] + errors_of(row)["order_id"]


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text() | st.just("\ud800"),
    st.binary(),
    st.datetimes(timezones=st.none() | st.timezones()),
    st.dates(),
    st.times(),
    st.lists(st.floats()),
    st.from_regex(r"[-+]?\d{1,17}(\.\d{0,12})?(E[+-]?\d\d)?"),
    st.from_regex(r"20\d\d-[01]\d-[0-3]\d[ T][012]\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d)?"),
)
KINDS_OF_ONE = tuple(Column(kind, "any", kind, required=True) for kind in KINDS)


@given(ANYTHING)
def test_any_value_is_converted_or_told(value: object) -> None:
    wanted = [Wanted(column, 0) for column in KINDS_OF_ONE]
    row = row_of(1, Cells((value,)), ["any"], wanted=wanted, zone=ZoneInfo(ZONE))
    told = {problem.field for problem in row.problems}
    assert {kind for kind, read in row.values.items() if read is None} == told
    if isinstance(value, int | Decimal) and "number" not in told:
        assert row.values["number"] == value
    said = "".join([row.raw["any"], *(problem.error for problem in row.problems)])
    assert "\0" not in said
    assert said.encode().decode() == said


# --- Files


def test_rows_keep_their_number_and_their_text(tmp_path: Path) -> None:
    rows = read(in_file(tmp_path, f"{HEADER}A1,1.50,,\n\nA2,x,,\n"))
    assert [(row.number, row.raw["Qty"]) for row in rows] == [(1, "1.50"), (2, "x")]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_cells_may_be_parted_otherwise(tmp_path: Path, mark: str) -> None:
    content = f"{HEADER}A1,2,,\n".replace(",", mark).encode("utf-8-sig")
    (row,) = read(in_file(tmp_path, content))
    assert row.values["quantity"] == 2


def test_capitals_of_a_column_do_not_count(tmp_path: Path) -> None:
    (row,) = read(in_file(tmp_path, f"{HEADER.lower()}A1,2,,\n"))
    assert row.values["quantity"] == 2


def test_a_column_that_is_not_there_is_named_before_any_row(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as raised:
        read(in_file(tmp_path, "OrderID,Quantity,Filled,At\nA1,1,,\n"))
    assert str(raised.value) == (
        "Open orders: there is no column 'Qty' (for quantity); "
        "there are OrderID, Quantity, Filled, At."
    )


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there are 2 columns 'Qty'"):
        read(in_file(tmp_path, "OrderID,Qty,Qty,Filled,At\n"))


def test_a_ragged_line_is_a_problem_of_its_row(tmp_path: Path) -> None:
    short, long = read(in_file(tmp_path, f"{HEADER}A1,2\nA2,2,,,,,\n"))
    assert errors_of(short) == {"": "the line has 2 cells; the header has 4"}
    assert errors_of(long) == {"": "the line has 7 cells; the header has 4"}
    assert short.values["quantity"] == long.values["quantity"] == 2


BROKEN = [
    ("orders.csv", b"", "has no header"),
    ("orders.csv", HEADER.encode() + b"A1,1,,\n" * 20_000 + b"\xff,1,,\n", "as UTF-8"),
    ("orders.csv", b"\xff\xfe\n", "not in UTF-8"),
    ("orders.csv", HEADER.encode() + b'"' + b"x" * 200_000, "is no CSV"),
    ("orders.csv", HEADER.encode() + b'A1,1,,\nA2,"1,,\nA3,1,,', "ends inside a quotation"),
    ("orders.json", b"[{]", "is no JSON"),
    ("orders.json", b"[" * 100_000, "is no JSON"),
    ("orders.json", b'{"a": 1}', "is no list of objects"),
    ("orders.xlsx", b"PK", "is no .csv or .json file"),
]


@pytest.mark.parametrize(("name", "content", "says"), BROKEN)
def test_a_broken_file_is_said(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        read(in_file(tmp_path, content, name))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nothing.csv: No such file or directory\.$"):
        read(Source("open orders", str(tmp_path / "nothing.csv"), "", FIELDS))


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    assert read(in_file(tmp_path, HEADER)) == []
    assert read(in_file(tmp_path, "[]", "orders.json")) == []


def test_json_is_read_to_the_last_digit(tmp_path: Path) -> None:
    objects = '[{"OrderID": 7, "Qty": 0.1000000001, "Filled": 1, "At": null}, {"OrderID": true}]'
    first, second = read(in_file(tmp_path, objects, "orders.json"))
    assert first.values["order_id"] == "7"
    assert first.values["quantity"] == Decimal("0.1000000001")
    assert (second.values["order_id"], second.values["quantity"]) == ("true", None)


def test_odd_values_in_json_are_problems(tmp_path: Path) -> None:
    odd = {"OrderID": "\ud800", "Qty": True, "Filled": [1], "At": 5}
    (row,) = read(in_file(tmp_path, json.dumps([odd]), "orders.json"))
    assert list(errors_of(row)) == ["order_id", "quantity", "filled", "submitted_at"]
    assert row.raw == {"OrderID": "?", "Qty": "true", "Filled": "[1]", "At": "5"}


# --- SQLite


TABLE = "CREATE TABLE orders (OrderID, Qty REAL, Filled, At)"
ALL = "SELECT * FROM orders"


def test_rows_come_out_of_sqlite(tmp_path: Path) -> None:
    insert = "INSERT INTO orders VALUES (7, 0.1 + 0.2, 2.0, '2026-01-05 06:35:03')"
    (row,) = read(in_sqlite(tmp_path, ALL, TABLE, insert))
    moment = datetime(2026, 1, 5, 12, 35, 3, tzinfo=UTC)
    assert [*row.values.values()] == ["7", Decimal("0.3"), 2, moment]


def test_garbage_in_sqlite_costs_nothing_but_its_value(tmp_path: Path) -> None:
    garbage = "INSERT INTO orders VALUES (CAST(x'41ff' AS TEXT), 9e999, x'ff00', 'soon'), (8,1,1,1)"
    first, second = read(in_sqlite(tmp_path, ALL, TABLE, garbage))
    assert list(errors_of(first)) == ["order_id", "quantity", "filled", "submitted_at"]
    assert second.values["order_id"] == "8"


def test_sqlite_is_never_written_to(tmp_path: Path) -> None:
    source = in_sqlite(tmp_path, "INSERT INTO orders VALUES (1, 1, 1, 1) RETURNING *", TABLE)
    with pytest.raises(SourceError, match="refuses the query: attempt to write a readonly"):
        read(source)
    assert read(replace(source, query=ALL)) == []


def test_sqlite_is_not_made_where_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a 100%.db"
    with pytest.raises(SourceError, match="cannot be reached: unable to open"):
        read(Source("open orders", f"sqlite:///{path}", ALL, FIELDS))
    assert not path.exists()


ENDLESS = "WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a)"


def test_an_endless_table_is_left_in_the_middle(tmp_path: Path) -> None:
    query = f"{ENDLESS} SELECT n AS OrderID, n AS Qty, n AS Filled, NULL AS At FROM a"
    assert read(in_sqlite(tmp_path, query), 2_000)[-1].values["filled"] == 2_000


def test_a_query_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drivers, "ANSWER_SECONDS", 0.2)
    with pytest.raises(SourceError, match="interrupted"):
        read(in_sqlite(tmp_path, f"{ENDLESS} SELECT max(n) AS OrderID FROM a"))


def test_a_query_without_rows_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="gives no rows; expected a SELECT"):
        read(in_sqlite(tmp_path, ""))


def test_a_bound_that_nothing_gives_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nothing gives the query its :end"):
        read(in_sqlite(tmp_path, f"{ALL} WHERE At < :end", TABLE))


def test_bounds_are_on_the_clock_of_the_source(tmp_path: Path) -> None:
    times = "INSERT INTO orders VALUES (1,1,1,'2026-01-04 23:59:59'), (2,1,1,'2026-01-05 00:00:00')"
    source = in_sqlite(tmp_path, f"{ALL} WHERE At >= :start AND At <> ':end%'", TABLE, times)
    source = replace(source, query=f"{ALL} WHERE At >= :start AND Qty <> ':x%'")
    (row,) = read(source, start=datetime(2026, 1, 5, 6, tzinfo=UTC))
    assert row.values["order_id"] == "2"


def test_a_zone_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="'Mars' is no time zone"):
        read(replace(in_file(tmp_path, HEADER), timezone="Mars"))


ADDRESSES = {
    "nix://bob:hunter2@desk/x": "names no database that is known",
    "http://[x": "names no database that is known",
    "://": "names no database",
    "mssql://bob:hunter2@desk:port/x": "names no database",
    "oracle+cx_oracle://bob:hunter2@desk/x": "needs a driver that is not installed: cx_oracle",
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_names_nothing_is_not_shown(address: str) -> None:
    source = Source("open orders", address, ALL, FIELDS)
    with pytest.raises(SourceError) as raised:
        read(source)
    assert str(raised.value) == f"Open orders: the address {ADDRESSES[address]}."
    assert address not in repr(source)


DRIVERS = ["mysql", "mssql", "postgresql"]


@pytest.mark.parametrize("driver", DRIVERS)
def test_an_option_that_the_driver_does_not_know_is_said(driver: str) -> None:
    address = f"{driver}://bob:hunter2@127.0.0.1:1/x?colour=red"
    with pytest.raises(SourceError, match="cannot be reached: .*colour"):
        read(Source("open orders", address, ALL, FIELDS))


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there are 2 columns 'Qty'"):
        read(in_sqlite(tmp_path, "SELECT 1 AS OrderID, 1 AS Qty, 2 AS Qty"))


# --- Credentials


def test_credentials_are_masked_however_they_are_spelled() -> None:
    url = make_url("mysql+pymysql://bob:p%40ss%20w@desk:3306/x?sslpassword=sesame")
    said = "bob (p@ss w, p%40ss%20w, xp%40ss+wx, sesame) bobbed at desk"
    assert masked(said, url) == "*** (***, ***, x***x, ***) bobbed at desk"


# --- The settings


WRONG = {
    "no/such/orders.csv": "names a file in a folder that is not there",
    "examples/orders.xlsx": "names neither a database nor a .csv or .json file",
    "mssql://bob:hunter2@desk/x": "names a database, but TRADELOG_EXECUTIONS_QUERY is empty",
    "examples/to-be-written.csv": "",
    "": "",
}


@pytest.mark.parametrize("address", WRONG)
def test_a_wrong_address_is_told_without_showing_it(settings: object, address: str) -> None:
    sources = settings.TRADELOG_SOURCES
    settings.TRADELOG_SOURCES = sources | {"EXECUTIONS": sources["EXECUTIONS"] | {"URL": address}}
    assert address_problem("EXECUTIONS") == WRONG[address]


def test_the_samples_are_without_a_fault() -> None:
    rows = read(open_orders())
    assert len(rows) == 40
    assert [row.problems for row in rows] == [[]] * 40
    assert None in {row.values["limit_price"] for row in rows}


def test_the_sample_of_executions_spans_days() -> None:
    rows = read(executions())
    assert [row.problems for row in rows] == [[]] * len(rows)
    assert len({row.values["executed_at"].date() for row in rows}) >= 5
    assert len({row.values["execution_id"] for row in rows}) == len(rows)


def test_no_address_is_no_source_of_executions(settings: object) -> None:
    sources = settings.TRADELOG_SOURCES
    settings.TRADELOG_SOURCES = sources | {"EXECUTIONS": sources["EXECUTIONS"] | {"URL": ""}}
    assert executions() is None


def test_a_path_is_counted_from_the_project(settings: object) -> None:
    assert located("var/orders.csv") == str(settings.BASE_DIR / "var" / "orders.csv")
    assert located("sqlite:///var/desk.db") == f"sqlite:///{settings.BASE_DIR}/var/desk.db"
    assert located("sqlite:////var/desk.db") == "sqlite:////var/desk.db"
    assert located("/var/orders.csv") == "/var/orders.csv"
    assert located("mssql://bob@desk/x") == "mssql://bob@desk/x"


def test_a_mapping_names_columns_and_kinds() -> None:
    columns = columns_of('order_id=Order ID, "quantity=Qty, total:whole",filled=a:b:number', FIELDS)
    assert [(one.field, one.column, one.kind, one.required) for one in columns] == [
        ("order_id", "Order ID", "text", True),
        ("quantity", "Qty, total", "whole", False),
        ("filled", "a:b", "number", False),
    ]
    assert columns_of(" ", FIELDS) == FIELDS


MAPPINGS = {
    "quantity=Qty": "lacks order_id",
    "order_id": "expected field=column",
    "order_id=": "expected field=column",
    "order_id=a,colour=red": "'colour', which is none of order_id, quantity",
    "order_id=a,order_id=b": "names order_id twice",
    "order_id=a:money": "kind 'money'; expected one of text, number",
    "order_id=a,quantity=b:text": "quantity as text; expected number or whole",
    "order_id=a,submitted_at=b:number": "submitted_at as number; expected moment",
}


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_a_broken_mapping_is_said(mapping: str) -> None:
    with pytest.raises(SourceError, match=MAPPINGS[mapping]):
        columns_of(mapping, FIELDS)
