"""A stand-in for SQL Server: speaks TDS 7.4 without TLS, so that the real driver can be tested.

There is no SQL in it. A test gives what becomes of a query: rows, an error, or the end of the
connection. The tokens are those of Microsoft's [MS-TDS].
"""

import select
import socketserver
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

PRELOGIN, LOGIN, BATCH, ATTENTION, ANSWER = 0x12, 0x10, 0x01, 0x06, 0x04
PACKET = 4096
DONE_ERROR, DONE_ATTENTION = 0x02, 0x20
COLLATION = bytes.fromhex("0904d00034")
DAY_ONE = datetime(1, 1, 1)


class Vanish(Exception):
    """Raised among the rows: the server goes away without a word."""


@dataclass(frozen=True)
class Refusal:
    """An error of the server, with its number and severity."""

    number: int
    text: str
    severity: int = 16


@dataclass(frozen=True)
class Rows:
    """Columns as name and kind (a key of KINDS), and rows of Python's values."""

    columns: dict[str, str]
    rows: Iterable[tuple]


def one(value: str) -> Rows:
    return Rows({"": "nvarchar"}, [(value,)])


# What SQLAlchemy asks every SQL Server that it meets.
CANNED = {
    "@@version": one("Microsoft SQL Server 2022 (RTM) - 16.0.1000.6 (X64)"),
    "schema_name()": one("dbo"),
    "transaction_isolation_level": one("READ COMMITTED"),
    "sys.system_views": one("dm_exec_sessions"),
    "max support": one("test max support"),
    "fn_listextendedproperty": one("1"),
}


# --- Values


def pascal(text: str) -> bytes:
    return bytes([len(text)]) + text.encode("utf-16-le")


def short(data: bytes) -> bytes:
    """A value behind a length of one byte; none is NULL."""
    return bytes([len(data)]) + data


def nvarchar(value: str) -> bytes:
    data = value.encode("utf-16-le")
    return struct.pack("<H", len(data)) + data


def decimal(value: Decimal) -> bytes:
    whole = int(value.scaleb(10))
    return short(bytes([whole >= 0]) + abs(whole).to_bytes(16, "little"))


def datetime2(value: datetime | tuple[int, int]) -> bytes:
    """A moment; as days and tenths of microseconds where Python's are too coarse."""
    if isinstance(value, datetime):
        since = value - DAY_ONE
        value = since.days, (since.seconds * 1_000_000 + since.microseconds) * 10
    days, ticks = value
    return short(ticks.to_bytes(5, "little") + days.to_bytes(3, "little"))


# By kind: its type as the header has it, how a value is written, and NULL.
KINDS: dict[str, tuple[bytes, Callable, bytes]] = {
    "bigint": (b"\x26\x08", lambda value: short(value.to_bytes(8, "little", signed=True)), b"\0"),
    "float": (b"\x6d\x08", lambda value: short(struct.pack("<d", value)), b"\0"),
    "decimal": (b"\x6c\x11\x26\x0a", decimal, b"\0"),
    "datetime2": (b"\x2a\x07", datetime2, b"\0"),
    "nvarchar": (b"\xe7\x40\x1f" + COLLATION, nvarchar, b"\xff\xff"),
    "varbinary": (b"\xa5\x40\x1f", lambda v: struct.pack("<H", len(v)) + v, b"\xff\xff"),
}


# --- Tokens


def header(columns: dict[str, str]) -> bytes:
    written = [
        struct.pack("<IH", 0, 9) + KINDS[kind][0] + pascal(name) for name, kind in columns.items()
    ]
    return b"\x81" + struct.pack("<H", len(columns)) + b"".join(written)


def row(values: tuple, kinds: list[str]) -> bytes:
    cells = zip(values, kinds, strict=True)
    return b"\xd1" + b"".join(
        KINDS[kind][2] if value is None else KINDS[kind][1](value) for value, kind in cells
    )


def done(status: int = 0) -> bytes:
    return b"\xfd" + struct.pack("<HHQ", status, 0, 0)


def refused(refusal: Refusal) -> bytes:
    text = refusal.text.encode("utf-16-le")
    body = struct.pack("<iBBH", refusal.number, 1, refusal.severity, len(refusal.text)) + text
    body += pascal("STANDIN") + pascal("") + struct.pack("<I", 1)
    return b"\xaa" + struct.pack("<H", len(body)) + body + done(DONE_ERROR)


def welcome() -> bytes:
    ack = b"\x01" + bytes.fromhex("74000004") + pascal("Microsoft SQL Server") + b"\x10\0\x03\xe8"
    size = b"\x04" + pascal(str(PACKET)) + pascal(str(PACKET))
    tokens = [(b"\xe3", size), (b"\xad", ack)]
    return b"".join(name + struct.pack("<H", len(body)) + body for name, body in tokens) + done()


# --- The server


@dataclass
class StandIn:
    """What the test gave: an answer for each query that holds a text; and what was asked."""

    answers: dict[str, Rows | Refusal]
    login: Refusal | None = None
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def answer(self, query: str) -> Rows | Refusal | None:
        self.asked.append(query)
        known = self.answers | CANNED
        return next((known[part] for part in known if part in query), None)

    @property
    def url(self) -> str:
        return f"mssql://reader:hunter2@127.0.0.1:{self.port}/trading"


class Session(socketserver.StreamRequestHandler):
    """One client, from its first packet to its last."""

    def handle(self) -> None:
        try:
            while (message := self.read()) is not None:
                self.answer(*message)
        except (Vanish, ConnectionError, BrokenPipeError):
            return

    def read(self) -> tuple[int, bytes] | None:
        """The kind of the next message and its bytes, which may come in packets."""
        body = b""
        while head := self.rfile.read(8):
            kind, status, length = struct.unpack(">BBH", head[:4])
            body += self.rfile.read(length - 8)
            if status & 1:
                return kind, body
        return None

    def answer(self, kind: int, body: bytes) -> None:
        stand_in: StandIn = self.server.stand_in
        if kind == PRELOGIN:
            options = b"\x00\x00\x0b\x00\x06" + b"\x01\x00\x11\x00\x01" + b"\xff"
            self.send([options + b"\x10\x00\x03\xe8\x00\x00" + b"\x02"])  # 2: no encryption
        elif kind == LOGIN:
            self.send([refused(stand_in.login) if stand_in.login else welcome()])
        elif kind == ATTENTION:
            self.send([done(DONE_ATTENTION)])
        else:
            headers = struct.unpack("<I", body[:4])[0]
            self.send(self.tokens(stand_in.answer(body[headers:].decode("utf-16-le"))))

    def tokens(self, answer: Rows | Refusal | None) -> Iterator[bytes]:
        if isinstance(answer, Refusal):
            yield refused(answer)
        elif answer is None:
            yield done()
        else:
            kinds = list(answer.columns.values())
            yield header(answer.columns)
            yield from (row(values, kinds) for values in answer.rows)
            yield done()

    def send(self, tokens: Iterable[bytes]) -> None:
        """As packets. A client that cancels gets no more rows."""
        waiting = b""
        for token in tokens:
            waiting += token
            while len(waiting) > PACKET - 8:
                self.send_packet(waiting[: PACKET - 8], last=False)
                waiting = waiting[PACKET - 8 :]
                if select.select([self.connection], [], [], 0)[0]:
                    self.send_packet(waiting, last=True)
                    return
        self.send_packet(waiting, last=True)

    def send_packet(self, data: bytes, *, last: bool) -> None:
        self.wfile.write(struct.pack(">BBHHBB", ANSWER, last, len(data) + 8, 0, 1, 0) + data)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def standing_in(
    answers: dict[str, Rows | Refusal], login: Refusal | None = None
) -> Iterator[StandIn]:
    """A server on a port of its own, for as long as the test needs it."""
    with Server(("127.0.0.1", 0), Session) as server:
        server.stand_in = StandIn(answers, login, port=server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.stand_in
        finally:
            server.shutdown()
            thread.join()
