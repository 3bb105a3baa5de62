"""The queue between the processes of a worker, from which any of them may be killed.

The standard one is read with a lock in hand, also while there is nothing to read. Who is killed
while it waits, by `kill -9` or for want of memory, leaves that lock locked for ever: the others of
its worker wait on, give signs of life, and do nothing any more.
"""

import time
from multiprocessing.connection import wait
from queue import Empty
from typing import Any

from django_q import cluster
from django_q.queues import Queue

REST = 0.01  # seconds, when somebody else was quicker


class WaitingWithEmptyHands(Queue):
    """Whoever waits for something holds nothing."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        if not block or timeout is not None:
            return super().get(block, timeout)
        while True:
            wait([self._reader])
            try:
                return super().get(block=False)
            except Empty:
                time.sleep(REST)


def use_between_processes() -> None:
    """Let workers that are started from now on have such queues."""
    cluster.Queue = WaitingWithEmptyHands
