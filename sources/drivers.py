"""What is particular to a database: how to reach it, bound its time and keep it from writing."""

import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, CursorResult, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from sources.rows import Cells

CONNECT_SECONDS = 10
ANSWER_SECONDS = 60  # until the first rows, and from some rows to the next
WHOLE_SECONDS = 900  # for all rows, where nothing less can be bounded
ROWS_AT_ONCE = 500

# What an address without +driver means: what is installed with tradelog.
USUAL = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "mssql": "mssql+pymssql",
}


class Driver:
    """A database of which nothing particular is known."""

    def __init__(self, url: URL) -> None:
        self.url = url

    def arguments(self) -> dict[str, object]:
        """What the driver's own connect() is told."""
        return {}

    def bound(self, connection: DBAPIConnection) -> None:
        """As soon as there is a connection: bound how long a server may be silent that hangs."""

    def prepare(self, connection: Connection, zone: str) -> None:
        """Before the query: bound its time, let it read only."""

    def moment(self, naive: datetime) -> object:
        """A moment for the query, on the source's own clock."""
        return naive

    def rows(self, result: CursorResult) -> Iterator[Cells]:
        for some in result.partitions(ROWS_AT_ONCE):
            yield from map(Cells, some)

    def leave(self, result: CursorResult) -> None:
        """Ask for no more rows; the connection is closed after that."""
        result.close()


class PostgreSQL(Driver):
    """A transaction that only reads, with a cursor in the server."""

    def arguments(self) -> dict[str, object]:
        return {
            "connect_timeout": CONNECT_SECONDS,
            "keepalives_idle": CONNECT_SECONDS,
            "tcp_user_timeout": ANSWER_SECONDS * 1000,
        }

    def bound(self, connection: DBAPIConnection) -> None:
        """The server gives a query up by itself; longer than that only one is silent that hangs."""
        if self.url.get_driver_name() == "psycopg":
            longest = ANSWER_SECONDS + CONNECT_SECONDS
            connection.wait = partial(connection.wait, timeout=longest)

    def prepare(self, connection: Connection, zone: str) -> None:
        """Moments come as text, for infinity and the year 10,000 are moments there, too."""
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{ANSWER_SECONDS}s'")
        connection.exec_driver_sql("SET LOCAL DateStyle = 'ISO'")
        connection.exec_driver_sql(f"SET LOCAL TimeZone = '{zone}'")
        if self.url.get_driver_name() == "psycopg":
            as_text = connection.dialect.dbapi.types.string.TextLoader
            adapters = connection.connection.dbapi_connection.adapters
            for kind in ("timestamp", "timestamptz", "date"):
                adapters.register_loader(kind, as_text)


class MariaDB(Driver):
    """A session that only reads; its rows stay in the server until they are asked for."""

    def arguments(self) -> dict[str, object]:
        if self.url.get_driver_name() != "pymysql":
            return {}
        answer = {"read_timeout": ANSWER_SECONDS, "write_timeout": ANSWER_SECONDS}
        return {"connect_timeout": CONNECT_SECONDS, **answer}

    def prepare(self, connection: Connection, zone: str) -> None:
        limit = f"max_statement_time = {WHOLE_SECONDS}"
        if not connection.dialect.is_mariadb:
            limit = f"max_execution_time = {WHOLE_SECONDS * 1000}"
        connection.exec_driver_sql(f"SET SESSION {limit}, net_write_timeout = {WHOLE_SECONDS}")
        connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")

    def rows(self, result: CursorResult) -> Iterator[Cells]:
        """One by one: a server that is slow keeps nobody waiting until there are many."""
        yield from map(Cells, result.yield_per(1))

    def leave(self, result: CursorResult) -> None:
        """PyMySQL would read all the rows that are left, or fail at it when they are gone."""
        unread = getattr(result.cursor, "_result", None)
        if unread is not None:
            unread.unbuffered_active = False
        result.close()


class SQLServer(Driver):
    """Has no transaction that only reads: what the query did is undone at its end."""

    def arguments(self) -> dict[str, object]:
        if self.url.get_driver_name() != "pymssql":
            return {}
        times = {"login_timeout": CONNECT_SECONDS, "timeout": ANSWER_SECONDS}
        return {"read_only": True, "appname": "tradelog", **times}

    def moment(self, naive: datetime) -> str:
        """Without the T, a server in another language takes the day for the month."""
        return naive.isoformat("T", "milliseconds")

    def rows(self, result: CursorResult) -> Iterator[Cells]:
        """One by one: pymssql gives up a row with a moment that Python's calendar does not have."""
        if self.url.get_driver_name() != "pymssql":
            yield from super().rows(result)
            return
        while (cells := self.next_row(result)) is not None:
            yield cells

    def next_row(self, result: CursorResult) -> Cells | None:
        try:
            values = result.cursor.fetchone()
        except (ValueError, OverflowError) as error:
            return Cells((), f"a value cannot be read by the driver: {error}")
        return None if values is None else Cells(values)


class SQLite(Driver):
    """A file that is opened to be read."""

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self.ends_at = 0.0

    def arguments(self) -> dict[str, object]:
        return {"timeout": CONNECT_SECONDS}

    def prepare(self, connection: Connection, zone: str) -> None:
        database: sqlite3.Connection = connection.connection.dbapi_connection
        database.execute("PRAGMA query_only = ON")
        database.text_factory = lambda text: text.decode(errors="surrogateescape")
        self.ends_at = time.monotonic() + ANSWER_SECONDS
        database.set_progress_handler(self.is_late, 10_000)

    def is_late(self) -> bool:
        return time.monotonic() > self.ends_at

    def moment(self, naive: datetime) -> str:
        return naive.isoformat(" ")

    def rows(self, result: CursorResult) -> Iterator[Cells]:
        for some in result.partitions(ROWS_AT_ONCE):
            yield from map(Cells, some)
            self.ends_at = time.monotonic() + ANSWER_SECONDS


DRIVERS = {"postgresql": PostgreSQL, "mysql": MariaDB, "mariadb": MariaDB}
DRIVERS |= {"mssql": SQLServer, "sqlite": SQLite}


def driver_of(url: URL) -> Driver:
    return DRIVERS.get(url.get_backend_name(), Driver)(url)


def parsed(location: str) -> URL:
    """The address, with the driver that is installed; an SQLite file is opened to be read."""
    url = make_url(location)
    url = url.set(drivername=USUAL.get(url.drivername, url.drivername))
    if url.get_backend_name() == "sqlite" and url.database and not url.query:
        url = url.set(database=f"file:{quote(url.database)}", query={"mode": "ro", "uri": "true"})
    return url


def driver_problem(location: str) -> str:
    """What is wrong with the address, without showing it; "" if nothing is."""
    try:
        url = parsed(location)
    except (SQLAlchemyError, ValueError):
        return "names no database"
    try:
        url.get_dialect().import_dbapi()
    except SQLAlchemyError:
        return "names no database that is known"
    except ImportError:
        return f"needs a driver that is not installed: {url.get_driver_name()}"
    return ""


def in_words(location: str) -> str:
    """The kind of database, its name and its host, for people; no credentials."""
    try:
        url = make_url(location)
    except ArgumentError:  # its text shows the address
        return "a database"
    name = Path(url.database or "").name if url.get_backend_name() == "sqlite" else url.database
    return f"{url.get_backend_name()} {' at '.join(filter(None, [name, url.host]))}"
