"""Chunks that a process of its own reads ahead, so that a long file keeps two processors busy.

A thread shares the interpreter with who writes, and each waits for the other again and again. The
process is a fork, for that begins at once. It asks no database and says all by a pipe; when nobody
listens there any more, it ends.
"""

import gc
import json
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from imports.chunks import Ahead, Chunk
from imports.lines import LineReader

if sys.platform == "linux":
    import fcntl

WORTH = 50_000  # lines; fewer are hardly read faster
PATIENCE = 120  # seconds for one chunk: a fork may inherit a lock that nobody opens
COPIED = ("row_number", "raw_row_data")  # the columns of the lines for COPY
WIDE = 1 << 20  # bytes, the widest pipe that Linux gives to everybody


class ReaderGone(Exception):
    """The process that reads has ended or stands still; who claims the import next goes on."""


class Made(Sequence[Any]):
    """What is made of each of these, once it is asked for: few are."""

    def __init__(self, of: Sequence[Any], make: Callable[[Any], Any]) -> None:
        self.of = of
        self.make = make

    def __len__(self) -> int:
        return len(self.of)

    def __getitem__(self, place: Any) -> Any:
        found = self.of[place]
        return Made(found, self.make) if isinstance(place, slice) else self.make(found)


def reading_ahead(chunks: Iterator[Chunk], reader: LineReader, lines: int) -> "Ahead | Apart":
    """The way to read so many lines with this reader. On a Mac, a fork is not safe."""
    if lines < WORTH or sys.platform != "linux":
        return Ahead(chunks)
    return Apart(map(light, chunks), partial(whole, reader))


def light(chunk: Chunk) -> Chunk:
    """Without what the other side has, or can make of the rest."""
    chunk.reader = chunk.rows.cells = None
    if chunk.is_clean and COPIED in chunk.for_row_logs:
        chunk.raw = None
    return chunk


def whole(reader: LineReader, chunk: Chunk) -> Chunk:
    chunk.reader = reader
    if chunk.raw is None:
        chunk.raw = Made(chunk.for_row_logs[COPIED], json_of)
    chunk.rows.cells = Made(chunk.raw, json.loads)
    return chunk


def json_of(line: str) -> str:
    """The JSON of a row, from the line that COPY gets of it: there it stands as it is."""
    return line.partition("\t")[2]


class Apart:
    """As Ahead, but in another process; each thing is made `whole` on this side.

    What is raised there is raised here. Raises ReaderGone if nothing comes any more.
    """

    def __init__(
        self, things: Iterator[Any], whole: Callable[[Any], Any] = lambda one: one
    ) -> None:
        self.whole = whole
        self.coming: list[Any] = []  # one at most
        self.pipe, theirs = Pipe(duplex=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of locks; hence PATIENCE
            self.pid = os.fork()
        if not self.pid:
            self.pipe.close()
            send_all(things, theirs)
        theirs.close()

    def go_on(self) -> None:
        """Unpack the next thing if it is there; it is read without being asked for."""
        if not self.coming and self.pipe.poll():
            self.coming.append(self.received())

    def __iter__(self) -> Iterator[Any]:
        while (thing := self.next()) is not None:
            yield thing

    def next(self) -> Any:
        found = self.coming.pop() if self.coming else self.received()
        if isinstance(found, BaseException):
            raise found
        return None if found is None else self.whole(found)

    def received(self) -> Any:
        if not self.pipe.poll(PATIENCE):
            return ReaderGone("the process that reads the file stands still")
        try:
            return self.pipe.recv()
        except EOFError:
            return ReaderGone("the process that reads the file has ended")

    def close(self) -> None:
        self.pipe.close()
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def send_all(things: Iterator[Any], pipe: Connection) -> NoReturn:
    """The life of the other process."""
    try:
        for one in (signal.SIGINT, signal.SIGTERM):  # they are meant for who writes
            signal.signal(one, signal.SIG_IGN)
        gc.disable()  # see beside_a_reader
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, WIDE)
        while (thing := next(things, None)) is not None:
            pipe.send(thing)
            del thing  # or it would stay until the next one is made
        pipe.send(None)
    except BaseException as problem:
        problem.add_note(traceback.format_exc())
        with suppress(BrokenPipeError):
            pipe.send(problem)
    finally:
        os._exit(0)
