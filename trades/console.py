"""How the commands show that positions are computed: a bar on a terminal, silent elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from trades.positions import Progress, recompute_touched


@contextmanager
def fills_bar(total: int | None = None) -> Iterator[Progress]:
    """Call it with the number of fills that were looked at since the last call."""
    quiet = not sys.stderr.isatty()
    with tqdm(
        desc="positions", unit=" fills", total=total, leave=False, disable=quiet, file=sys.stderr
    ) as bar:
        yield bar.update


def recompute_aloud(account_id: int | None = None, total: int | None = None) -> None:
    """Compute anew what is marked, however long it takes."""
    with fills_bar(total) as progress:
        recompute_touched(account_id=account_id, on_progress=progress)
