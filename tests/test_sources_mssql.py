"""SQL Server as a source: the real driver, against a stand-in that speaks the server's protocol."""

import itertools
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from sources import drivers
from sources.reading import Row, SourceError, reading
from sources.source import Column, Source
from tests.processes import PATIENCE
from tests.tds_server import DAY_ONE, Refusal, Rows, StandIn, Vanish, standing_in

COLUMNS = (
    Column("order_id", "OrderID", required=True),
    Column("quantity", "Qty", "number"),
    Column("filled", "Filled", "whole"),
    Column("limit_price", "Px", "number"),
    Column("submitted_at", "At", "moment"),
    Column("state", "Flags"),
)
TYPES = {
    "OrderID": "nvarchar",
    "Qty": "decimal",
    "Filled": "bigint",
    "Px": "float",
    "At": "datetime2",
    "Flags": "varbinary",
}
MOMENT = datetime(2026, 1, 5, 6, 35, 3, 123456)
LAST_DAY = (datetime(9999, 12, 31) - DAY_ONE).days
LAST_TICK = 24 * 60 * 60 * 10_000_000 - 1
NUMBERS = {"n": "bigint"}
N = (Column("n", "n", "whole"),)


def source(server: StandIn, query: str, columns: tuple[Column, ...] = COLUMNS) -> Source:
    return Source("open orders", server.url, query, columns, "America/Chicago")


def read(asked: Source, most: int | None = None, **bounds: object) -> list[Row]:
    with reading(asked, **bounds) as rows:
        return list(itertools.islice(rows, most))


def rows_of(
    answer: Rows | Refusal, columns: tuple[Column, ...] = COLUMNS, most: int | None = None
) -> list[Row]:
    with standing_in({"dbo.Orders": answer}) as server:
        return read(source(server, "SELECT * FROM dbo.Orders", columns), most)


def test_every_type_arrives() -> None:
    values = ("Ä-1", Decimal("21350.25"), -3, 0.1, MOMENT, b"\xff\x00")
    (row,) = rows_of(Rows(TYPES, [values]))
    assert row.values == {
        "order_id": "Ä-1",
        "quantity": Decimal("21350.25"),
        "filled": -3,
        "limit_price": Decimal("0.1"),
        "submitted_at": datetime(2026, 1, 5, 12, 35, 3, 123456, UTC),
        "state": "0xFF00",
    }
    assert (row.number, row.problems) == (1, [])
    assert row.raw["Qty"] == "21350.2500000000"


def test_null_is_nothing_and_a_problem_where_it_must_not_be() -> None:
    (row,) = rows_of(Rows(TYPES, [(None,) * 6]))
    assert set(row.values.values()) == {None}
    assert [(one.field, one.error) for one in row.problems] == [("order_id", "is empty")]


def test_the_last_moment_of_all_is_a_problem_of_its_value() -> None:
    values = ("A1", Decimal(2), 0, 0.0, (LAST_DAY, LAST_TICK), b"")
    (row,) = rows_of(Rows(TYPES, [values]))
    assert row.values["quantity"] == 2
    assert [one.field for one in row.problems] == ["submitted_at"]


def test_a_moment_beyond_the_calendar_costs_its_row_only() -> None:
    lost = ("A1", Decimal(2), 0, 0.0, (LAST_DAY + 1, 0), b"")
    kept = ("A2", Decimal(2), 0, 0.0, MOMENT, b"")
    first, second = rows_of(Rows(TYPES, [lost, kept]))
    assert set(first.values.values()) == {None}
    assert "cannot be read by the driver" in first.problems[0].error
    assert (second.number, second.values["order_id"], second.problems) == (2, "A2", [])


def test_an_empty_table_has_no_rows() -> None:
    assert rows_of(Rows(TYPES, [])) == []


def test_a_renamed_column_is_named() -> None:
    renamed = {("Quantity" if name == "Qty" else name): kind for name, kind in TYPES.items()}
    with pytest.raises(SourceError, match="no column 'Qty' .for quantity.; there are OrderID, Qua"):
        rows_of(Rows(renamed, []))


def test_what_the_server_refuses_is_said() -> None:
    with pytest.raises(SourceError, match="refuses the query: Invalid object name 'dbo.Orders'.$"):
        rows_of(Refusal(208, "Invalid object name 'dbo.Orders'."))


def test_a_failed_login_shows_no_credentials() -> None:
    refusal = Refusal(18456, "Login failed for user 'reader' with 'hunter2'.", 14)
    with (
        standing_in({}, refusal) as server,
        pytest.raises(SourceError, match="cannot be reached: Login failed") as raised,
    ):
        read(source(server, "SELECT 1"))
    assert "reader" not in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_server_that_is_not_there_is_said() -> None:
    with standing_in({}) as server:
        pass
    with pytest.raises(SourceError, match=f"at 127.0.0.1:{server.port} cannot be reached: Una"):
        read(source(server, "SELECT 1"))


def breaking() -> Iterator[tuple[int]]:
    yield from ((number,) for number in range(3_000))
    raise Vanish


def test_a_server_that_dies_in_the_middle_is_said() -> None:
    taken = []
    with (
        standing_in({"dbo.Orders": Rows(NUMBERS, breaking())}) as server,
        pytest.raises(SourceError, match="broke off: Unexpected EOF from the server"),
        reading(source(server, "SELECT n FROM dbo.Orders", N)) as rows,
    ):
        taken.extend(row.values["n"] for row in rows)
    assert 0 < len(taken) <= 3_000
    assert taken == [*range(len(taken))]


def stalling(over: threading.Event) -> Iterator[tuple[int]]:
    yield from ((number,) for number in range(3_000))
    over.wait(PATIENCE)


def test_a_server_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drivers, "ANSWER_SECONDS", 1)
    over = threading.Event()
    with pytest.raises(SourceError, match="timed out"):
        rows_of(Rows(NUMBERS, stalling(over)), N)
    over.set()


def test_an_endless_table_is_left_in_the_middle() -> None:
    endless = ((number,) for number in itertools.count(1))
    rows = rows_of(Rows(NUMBERS, endless), N, most=2_000)
    assert rows[-1].values == {"n": 2_000}


def test_bounds_are_on_the_clock_of_the_source_in_any_language() -> None:
    query = "SELECT * FROM dbo.Orders WHERE At >= :start AND At < :end AND Type <> 'a:b'"
    bounds = {"start": datetime(2026, 1, 5, 6, tzinfo=UTC), "end": datetime(2026, 7, 5, tzinfo=UTC)}
    with standing_in({"dbo.Orders": Rows(TYPES, [])}) as server:
        assert read(source(server, query), **bounds) == []
    assert server.asked[-1].endswith(
        "At >= N'2026-01-05T00:00:00.000' AND At < N'2026-07-04T19:00:00.000' AND Type <> 'a:b'"
    )


def test_nothing_is_committed() -> None:
    with (
        standing_in({}) as server,
        pytest.raises(SourceError, match="gives no rows; expected a SELECT"),
    ):
        read(source(server, "DELETE FROM dbo.Orders"))
    said = [query.upper() for query in server.asked]
    assert said.index("DELETE FROM DBO.ORDERS") > said.index("BEGIN TRAN")
    assert not any("COMMIT TRAN" in query for query in said)
