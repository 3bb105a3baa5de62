"""How the command speaks: a sentence about a new batch, its first problems, a bar while it runs."""

import sys
import time
from collections.abc import Iterator

from tqdm import tqdm

from batches.errors import grouped_errors
from batches.models import Batch
from batches.staging import Preview
from joblogs.recurring import beat

PROBLEMS_SHOWN = 5
BETWEEN_LOOKS = 0.5  # seconds
NO_WORKER = (
    "No worker runs, so nothing is executed: start one with bin/serve or manage.py qcluster. "
    "Waiting for it; Ctrl-C ends only the waiting."
)


def staged_in_words(batch: Batch) -> str:
    bad = f", {batch.failed_trades:,} of them failed" if batch.failed_trades else ""
    return f"{batch.name}: staged as batch {batch.pk}, {batch.trades_in_words}{bad}."


def preview_in_words(name: str, preview: Preview) -> Iterator[str]:
    read = ", ".join(f"{field} from {heading}" for field, heading in preview.columns.items())
    yield f"{name}: {preview.total:,} trades, {preview.bad:,} of them would fail."
    yield f"  Read as {preview.dialect}: {read}."
    for line in preview.bad_lines[:PROBLEMS_SHOWN]:
        place = f"line {line.row_number}" if line.row_number else f"trade {line.sequence}"
        yield f"  {place}: {line.message}"


def problems_in_words(batch: Batch) -> Iterator[str]:
    """The most frequent sentences, with the lines that they are about."""
    groups = grouped_errors(batch)
    for group in groups[:PROBLEMS_SHOWN]:
        which = ", ".join(map(str, group["sequences"][:PROBLEMS_SHOWN]))
        rest = ", …" if group["count"] > PROBLEMS_SHOWN else ""
        yield f"  {group['count']:,} × {group['message']} (trade {which}{rest})"
    if len(groups) > PROBLEMS_SHOWN:
        yield f"  … and {len(groups) - PROBLEMS_SHOWN:,} more reasons."


def follow(batch: Batch) -> None:
    """Wait until a started batch is final, with a bar on a terminal; say it if no worker runs."""
    is_told = False
    with tqdm(
        desc=batch.name,
        unit=" trades",
        total=batch.total_trades,
        leave=False,
        disable=not sys.stderr.isatty(),
        file=sys.stderr,
    ) as bar:
        while not batch.is_completed:
            if not is_told and beat().is_silent:
                tqdm.write(NO_WORKER, file=sys.stderr)
                is_told = True
            time.sleep(BETWEEN_LOOKS)
            batch.refresh_from_db()
            bar.update(batch.processed_trades - bar.n)


def outcome(batch: Batch) -> str:
    facts = {
        "executed": batch.executed_trades,
        "failed": batch.failed_trades,
        "cancelled": batch.cancelled_trades,
    }
    counted = ", ".join(f"{count:,} {word}" for word, count in facts.items() if count)
    took = f" in {batch.duration_in_words}" if batch.duration_in_words else ""
    return f"{batch.name}: {batch.get_status_display().lower()}, {counted}{took}."
