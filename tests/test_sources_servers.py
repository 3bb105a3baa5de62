"""PostgreSQL and MariaDB as sources: real servers, garbage in their tables, and their death."""

import itertools
import os
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pymysql
import pytest
from django.db import connection
from sqlalchemy import URL

from sources import drivers
from sources.reading import Row, SourceError, reading
from sources.source import Column, Source
from tests.workers import until

FIELDS = (
    Column("order_id", "OrderID", required=True),
    Column("quantity", "Qty", "number"),
    Column("limit_price", "Px", "number"),
    Column("submitted_at", "At", "moment"),
)
N = (Column("n", "n", "whole"),)
ALL = "SELECT * FROM orders"
MOMENT = datetime(2026, 1, 5, 12, 35, 3, 250000, UTC)


class PostgreSQL:
    """A schema of the test's own in the database of the tests."""

    endless = "SELECT generate_series(1, 10000000000) AS n"
    sleeping = "SELECT 1 AS n FROM pg_sleep(20)"
    writing = "SELECT nextval('numbers') AS n"
    columns = "order_id text, qty numeric, px float8, at timestamp, seen timestamptz"
    garbage = (
        "('A1', 'NaN', 'Infinity', 'infinity', '-infinity')",
        "('A2', 1e20, 1e300, '12026-01-05', '4000-01-01 BC')",
    )

    def __init__(self) -> None:
        its = connection.settings_dict
        self.name = f"desk_{uuid.uuid4().hex}"
        self.url = URL.create(
            "postgresql",
            its["USER"] or None,
            its["PASSWORD"] or None,
            its["HOST"] or None,
            int(its["PORT"] or 5432),
            its["NAME"],
            {"application_name": self.name, "options": f"-csearch_path={self.name}"},
        )
        address = self.url.set(query={}).render_as_string(hide_password=False)
        self.session = psycopg.connect(address, autocommit=True)
        self.execute(f"CREATE SCHEMA {self.name}")
        self.execute(f"SET search_path = {self.name}")
        self.execute("CREATE SEQUENCE numbers")

    def execute(self, statement: str) -> list[tuple]:
        cursor = self.session.execute(statement)
        return cursor.fetchall() if cursor.description else []

    def readers(self) -> list[int]:
        theirs = f"WHERE application_name = '{self.name}'"
        return [pid for (pid,) in self.execute(f"SELECT pid FROM pg_stat_activity {theirs}")]

    def end(self, reader: int) -> None:
        self.execute(f"SELECT pg_terminate_backend({reader})")

    def close(self) -> None:
        self.execute(f"DROP SCHEMA {self.name} CASCADE")
        self.session.close()


class MariaDB:
    """A database of the test's own."""

    endless = "SELECT seq AS n, repeat('x', 1000) AS x FROM seq_1_to_10000000000"
    sleeping = "SELECT sleep(20) AS n"
    writing = "INSERT INTO orders (order_id) VALUES ('A9') RETURNING 1 AS n"
    columns = "order_id text, qty decimal(30, 12), px double, at datetime(6), seen datetime"
    garbage = (
        "('A1', 1e17, 1e300, '0000-00-00', '2026-02-31')",
        "('A2', 1.00000000001, 1e16, '9999-12-31', '1001-01-01')",
    )

    def __init__(self) -> None:
        self.name = f"desk_{uuid.uuid4().hex}"
        self.url = URL.create("mariadb", "root", None, "127.0.0.1", 3306, self.name)
        self.session = pymysql.connect(host=self.url.host, user="root", autocommit=True)
        self.execute(f"CREATE DATABASE {self.name}")
        self.execute(f"USE {self.name}")
        self.execute("SET sql_mode = ''")

    def execute(self, statement: str) -> list[tuple]:
        with self.session.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor)

    def readers(self) -> list[int]:
        theirs = f"WHERE db = '{self.name}' AND id <> connection_id()"
        found = self.execute(f"SELECT id FROM information_schema.processlist {theirs}")
        return [reader for (reader,) in found]

    def end(self, reader: int) -> None:
        self.execute(f"KILL {reader}")

    def close(self) -> None:
        self.execute(f"DROP DATABASE {self.name}")
        self.session.close()


Desk = PostgreSQL | MariaDB


def at_work(kind: type[Desk]) -> Desk:
    if kind is PostgreSQL and connection.vendor != "postgresql":
        pytest.skip("is of PostgreSQL")
    try:
        return kind()
    except pymysql.OperationalError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("no MariaDB answers at 127.0.0.1:3306")


@pytest.fixture(params=[PostgreSQL, MariaDB], ids=lambda kind: kind.__name__)
def desk(request: pytest.FixtureRequest, django_db_setup: None) -> Iterator[Desk]:
    """Somebody else's database, with a table of orders that is empty."""
    with closing(at_work(request.param)) as one:
        one.execute(f"CREATE TABLE orders ({one.columns})")
        yield one


def source_at(desk: Desk, query: str, columns: tuple[Column, ...] = N) -> Source:
    address = desk.url.render_as_string(hide_password=False)
    return Source("open orders", address, query, columns, "America/Chicago")


def read(source: Source, most: int | None = None, **bounds: object) -> list[Row]:
    with reading(source, **bounds) as rows:
        return list(itertools.islice(rows, most))


def orders(desk: Desk, query: str = ALL, **bounds: object) -> list[Row]:
    kinds = {"order_id": "text", "qty": "number", "px": "number", "at": "moment", "seen": "moment"}
    columns = tuple(Column(name, name.upper(), kind) for name, kind in kinds.items())
    return read(source_at(desk, query, columns), **bounds)


def test_every_type_arrives(desk: Desk) -> None:
    moment = "'2026-01-05 06:35:03.25'"
    desk.execute(f"INSERT INTO orders VALUES ('Ä1', 21350.2500, 0.1, {moment}, NULL)")
    (row,) = orders(desk)
    assert [*row.values.values()] == ["Ä1", Decimal("21350.25"), Decimal("0.1"), MOMENT, None]
    assert row.problems == []
    assert row.raw["at"].startswith("2026-01-05 06:35:03.25")


def test_garbage_costs_nothing_but_its_value(desk: Desk) -> None:
    desk.execute(f"INSERT INTO orders VALUES {', '.join(desk.garbage)}")
    for number, row in enumerate(orders(desk), 1):
        assert (row.number, row.values["order_id"]) == (number, f"A{number}")
        assert [one.field for one in row.problems] == ["qty", "px", "at", "seen"]


def test_an_empty_table_has_no_rows(desk: Desk) -> None:
    assert orders(desk) == []


def test_a_renamed_column_is_named(desk: Desk) -> None:
    desk.execute("ALTER TABLE orders RENAME COLUMN qty TO quantity")
    with pytest.raises(SourceError, match="no column 'QTY' .for qty.; there are order_id, quantit"):
        orders(desk)


def test_bounds_are_on_the_clock_of_the_source(desk: Desk) -> None:
    times = ["2026-01-04 23:59:59", "2026-01-05 00:00:00", "2026-01-06 00:00:00"]
    rows = ", ".join(f"('A{n}', 1, 1, '{time}', NULL)" for n, time in enumerate(times))
    desk.execute(f"INSERT INTO orders VALUES {rows}")
    bounds = {
        "start": datetime(2026, 1, 5, 6, tzinfo=UTC),
        "end": datetime(2026, 1, 6, 6, tzinfo=UTC),
    }
    query = f"{ALL} WHERE at >= :start AND at < :end AND order_id NOT LIKE ':x%'"
    assert [row.values["order_id"] for row in orders(desk, query, **bounds)] == ["A1"]


def test_bounds_hold_for_moments_with_a_zone(desk: Desk) -> None:
    if isinstance(desk, MariaDB):
        pytest.skip("has no such moments")
    desk.execute("INSERT INTO orders (order_id, seen) VALUES ('A1', '2026-01-05 06:00:00Z')")
    query = f"{ALL} WHERE seen::timestamptz >= :start"
    for hour, found in ((6, 1), (7, 0)):
        assert len(orders(desk, query, start=datetime(2026, 1, 5, hour, tzinfo=UTC))) == found


def test_nothing_is_ever_written(desk: Desk) -> None:
    with pytest.raises(SourceError, match="(?i)read.only transaction"):
        read(source_at(desk, desk.writing))


def test_an_endless_table_is_left_in_the_middle(desk: Desk) -> None:
    assert read(source_at(desk, desk.endless), 2_000)[-1].values == {"n": 2_000}


def test_a_reader_that_fails_leaves_nothing_open(desk: Desk) -> None:
    with pytest.raises(RuntimeError), reading(source_at(desk, desk.endless)) as rows:
        raise RuntimeError(next(rows))
    until(lambda: not desk.readers())


def test_a_server_that_dies_in_the_middle_is_said(desk: Desk) -> None:
    with reading(source_at(desk, desk.endless)) as rows:
        assert [row.number for row in itertools.islice(rows, 1_200)] == [*range(1, 1_201)]
        (reader,) = desk.readers()
        desk.end(reader)
        with pytest.raises(SourceError, match="Open orders: the database at .* broke off: "):
            deque(rows, maxlen=0)


def test_a_query_that_takes_too_long_is_given_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drivers, "ANSWER_SECONDS", 1)
    with pytest.raises(SourceError, match="timeout|timed out"):
        read(source_at(desk, desk.sleeping))


def test_a_query_that_is_refused_is_said(desk: Desk) -> None:
    with pytest.raises(SourceError, match="refuses the query: .*nothing"):
        read(source_at(desk, "SELECT n FROM nothing"))


def test_a_failed_login_shows_no_credentials(desk: Desk) -> None:
    desk.url = desk.url.set(username="no-such-reader", password="hunter2")
    with pytest.raises(SourceError, match="cannot be reached: ") as raised:
        read(source_at(desk, desk.endless))
    assert "no-such-reader" not in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_server_that_is_not_there_is_said(desk: Desk) -> None:
    desk.url = desk.url.set(host="127.0.0.1", port=1)
    with pytest.raises(SourceError, match="the database at 127.0.0.1:1 cannot be reached: "):
        read(source_at(desk, desk.endless))
