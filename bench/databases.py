"""Fresh databases for the measurements, one after the other, and what they are."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

Fresh = Callable[[], AbstractContextManager[str]]


@dataclass(frozen=True)
class Vendor:
    """A kind of database. `fresh` gives the DATABASE_URL of an empty one and removes it again."""

    title: str
    version: str
    fresh: Fresh


def sqlite() -> Vendor:
    return Vendor("SQLite", sqlite3.sqlite_version, fresh_file)


@contextmanager
def fresh_file() -> Iterator[str]:
    with TemporaryDirectory(prefix="tradelog-bench-") as folder:
        yield f"sqlite:///{Path(folder).as_posix()}/bench.sqlite3"


def postgresql(server: str, name: str) -> Vendor:
    """PostgreSQL at the address `server`, where a database `name` may be made and dropped.

    Raises psycopg.OperationalError if none answers.
    """
    with psycopg.connect(server, connect_timeout=3) as connection:
        version = connection.execute("SHOW server_version").fetchone()[0].split()[0]

    @contextmanager
    def fresh() -> Iterator[str]:
        drop = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
        # Not by force: one that somebody works on belongs to another run.
        execute(server, drop)
        execute(server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            execute(server, drop)

    return Vendor("PostgreSQL", version, fresh)


def execute(server: str, statement: sql.Composed) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)
