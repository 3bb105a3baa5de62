"""Things that a process of its own makes, so that two processors are busy.

A thread shares the interpreter with who writes, and each waits for the other again and again. The
process is a fork, for that begins at once. It asks no database and says all by a pipe; when nobody
listens there any more, it ends.
"""

import gc
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from queue import Queue
from threading import Thread
from typing import Any, NoReturn

if sys.platform == "linux":
    import fcntl

AHEAD = 6  # of them wait until somebody listens
PATIENCE = 120  # seconds for one of them: a fork may inherit a lock that nobody opens
WIDE = 1 << 20  # bytes, the widest pipe that Linux gives to everybody


class ReaderGone(Exception):
    """The process that reads has ended or stands still; who claims the import next goes on."""


class Apart:
    """Iterates over things that another process makes, and sends up to AHEAD of them beforehand.

    What is raised there is raised here. Raises ReaderGone if nothing comes any more. Who may leave
    in the middle closes it.
    """

    def __init__(self, things: Iterator[Any]) -> None:
        self.coming: list[Any] = []  # one at most
        self.pipe, theirs = Pipe(duplex=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of locks; hence PATIENCE
            self.pid = os.fork()
        if not self.pid:
            self.pipe.close()
            send_all(things, theirs)
        theirs.close()

    def is_there(self) -> bool:
        """Whether another one can be had at once; it is made without being asked for."""
        if not self.coming and self.pipe.poll():
            self.coming.append(self.received())
        return bool(self.coming) and not is_end(self.coming[0])

    def __iter__(self) -> Iterator[Any]:
        while not is_end(thing := self.coming.pop() if self.coming else self.received()):
            yield thing
        if thing is not None:
            raise thing

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


def is_end(thing: Any) -> bool:
    return thing is None or isinstance(thing, BaseException)


def send_all(things: Iterator[Any], pipe: Connection) -> NoReturn:
    """The life of the other process."""
    try:
        for one in (signal.SIGINT, signal.SIGTERM):  # they are meant for who writes
            signal.signal(one, signal.SIG_IGN)
        gc.disable()  # see beside_a_reader
        with suppress(OSError):  # who has many pipes may have no wide one
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, WIDE)
        waiting: Queue[Any] = Queue(AHEAD)
        sender = Thread(target=send_each, args=(waiting, pipe))
        sender.start()
        for one in packed(things):
            waiting.put(one)
        waiting.put(None)
        sender.join()
    finally:
        os._exit(0)


def packed(things: Iterator[Any]) -> Iterator[Any]:
    """Each of them, and how it ended."""
    try:
        while (thing := next(things, None)) is not None:
            one = ForkingPickler.dumps(thing)
            del thing  # or it would stay until the next one is made
            yield one
        yield ForkingPickler.dumps(None)
    except BaseException as problem:
        problem.add_note(traceback.format_exc())
        yield ForkingPickler.dumps(problem)


def send_each(waiting: Queue[Any], pipe: Connection) -> None:
    """Until nothing comes any more; when nobody listens, all ends."""
    try:
        while (one := waiting.get()) is not None:
            pipe.send_bytes(one)
    except OSError:
        os._exit(0)
