"""Ctrl-C, wherever it comes."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from django.db import DEFAULT_DB_ALIAS, connection, connections


@contextmanager
def heeding_ctrl_c() -> Iterator[None]:
    """Ends in KeyboardInterrupt if Ctrl-C was pressed, whatever came of that inside.

    In the middle of a statement it may come out as an error of the database, since Django's atomic
    cannot roll back then, or not at all. The connection is a new one after that: the old one may be
    in a statement, or in a transaction that nobody ends.
    """
    heed = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(heed):
        yield
        return
    pressed, is_ours = False, not connection.in_atomic_block

    def remember(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        heed(number, frame)

    signal.signal(signal.SIGINT, remember)
    try:
        yield
    except (Exception, KeyboardInterrupt):
        if not pressed:
            raise
    finally:
        signal.signal(signal.SIGINT, heed)
    if pressed:
        if is_ours:
            connect_anew()
        raise KeyboardInterrupt


def connect_anew() -> None:
    """With the next statement. Of use no more is one that was closed within a transaction."""
    left = connections[DEFAULT_DB_ALIAS]
    del connections[DEFAULT_DB_ALIAS]
    left.close()
