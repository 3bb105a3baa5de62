"""What was fetched, on disk until it is written: memory does not grow with the number of orders.

So the source is let go before the first order is written, and one that stops in the middle has
changed nothing here.
"""

import pickle
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from sources.reading import Row


class Spool:
    """Lots of rows in a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.lots = self.rows = 0

    def add(self, lot: list[Row]) -> None:
        pickle.dump(lot, self.file)
        self.lots += 1
        self.rows += len(lot)

    def __iter__(self) -> Iterator[list[Row]]:
        self.file.seek(0)
        for _ in range(self.lots):
            yield pickle.load(self.file)


@contextmanager
def opened_spool() -> Iterator[Spool]:
    """A spool whose file is gone when it is closed."""
    with tempfile.TemporaryFile() as file:
        yield Spool(file)
