"""What was fetched, on disk until it is written: memory does not grow with the number of orders.

So the source is let go before the first order is written, and one that stops in the middle has
changed nothing here.
"""

import pickle
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from sources.reading import Row


class Spool:
    """Lots of rows in a file that is gone when it is closed."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile()
        self.lots = self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.file.close()

    def add(self, lot: list[Row]) -> None:
        pickle.dump(lot, self.file)
        self.lots += 1
        self.rows += len(lot)

    def __iter__(self) -> Iterator[list[Row]]:
        self.file.seek(0)
        for _ in range(self.lots):
            yield pickle.load(self.file)
