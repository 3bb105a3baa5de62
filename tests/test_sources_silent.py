"""Servers that hang: they take a connection and say nothing, or no more, and never close it."""

import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import URL

from sources import drivers
from sources.reading import SourceError, reading
from sources.source import Source
from tests.test_sources_servers import MariaDB, N, PostgreSQL, at_work

Server = PostgreSQL | MariaDB


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what never comes; long enough for what does, on a busy machine."""
    monkeypatch.setattr(drivers, "CONNECT_SECONDS", 2)
    monkeypatch.setattr(drivers, "ANSWER_SECONDS", 2)


@pytest.mark.parametrize("kind", ["postgresql", "mariadb", "mssql"])
def test_a_server_that_never_says_a_word_is_given_up(kind: str) -> None:
    # Else the driver tries each version of the protocol for so long.
    option = "?tds_version=7.4" if kind == "mssql" else ""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        address = f"{kind}://reader:pw@127.0.0.1:{port}/desk{option}"
        source = Source("open orders", address, "SELECT 1", N)
        with (
            pytest.raises(SourceError, match=f"at 127.0.0.1:{port} cannot be reached: "),
            reading(source),
        ):
            pytest.fail("nothing can be read")


class Line:
    """Between a reader and a server, until it goes dead: then nothing gets through any more."""

    def __init__(self, server: URL) -> None:
        self.server = server
        self.is_dead = threading.Event()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.ends: list[socket.socket] = []
        threading.Thread(target=self.connect, daemon=True).start()

    @property
    def port(self) -> int:
        return self.listening.getsockname()[1]

    def connect(self) -> None:
        reader, _ = self.listening.accept()
        server = socket.create_connection((self.server.host, self.server.port))
        self.ends = [reader, server]
        for one, other in ((reader, server), (server, reader)):
            threading.Thread(target=self.carry, args=(one, other), daemon=True).start()

    def carry(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(4096):
                if self.is_dead.is_set():
                    return
                other.sendall(data)
        except OSError:  # the test is over
            return

    def close(self) -> None:
        self.is_dead.set()
        for one in (*self.ends, self.listening):
            one.close()


@pytest.fixture(params=[PostgreSQL, MariaDB], ids=lambda kind: kind.__name__)
def server(request: pytest.FixtureRequest, django_db_setup: None) -> Iterator[Server]:
    with closing(at_work(request.param)) as one:
        yield one


@contextmanager
def by_a_line(server: Server, query: str) -> Iterator[tuple[Source, Line]]:
    with closing(Line(server.url)) as line:
        url = server.url.set(host="127.0.0.1", port=line.port)
        yield Source("open orders", url.render_as_string(hide_password=False), query, N), line


def test_a_server_that_hangs_in_the_middle_is_given_up(server: Server) -> None:
    with by_a_line(server, server.endless) as (source, line), reading(source) as rows:
        assert next(rows).values == {"n": 1}
        line.is_dead.set()
        with pytest.raises(SourceError, match="broke off: .*tim"):
            deque(rows, maxlen=0)


def test_a_server_that_hangs_at_the_query_is_given_up(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with by_a_line(server, "SELECT 1 AS n") as (source, line):
        driver = type(drivers.driver_of(drivers.parsed(source.location)))
        monkeypatch.setattr(driver, "prepare", lambda *_: line.is_dead.set())
        with pytest.raises(SourceError, match="refuses the query: .*tim"), reading(source):
            pytest.fail("nothing can be read")
