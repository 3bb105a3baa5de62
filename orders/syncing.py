"""One sync with the desk's order system. Read this first.

Connect, fetch everything onto disk, write it as a new snapshot in lots, each committed, compare,
and make the snapshot the current one in a single update. Whatever happens before that update,
readers keep the snapshot that they have.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils import timezone

from joblogs.wording import worded
from orders.building import checked, order_of
from orders.claims import LeaseLost, claim, finish, renew
from orders.clearing import clear_old, mark_replaced
from orders.comparing import compare
from orders.models import LONGEST_TEXT, OpenOrder, OpenOrderSnapshot
from orders.spool import Spool, opened_spool
from orders.states import Status, Step
from sources.configured import open_orders
from sources.ondemand import drivers
from sources.reading import Row, SourceError, reading
from sources.source import Source

logger = logging.getLogger(__name__)

LOT = 500  # orders in one transaction
BETWEEN_RENEWALS = 20  # seconds
PROBLEMS_TOLD = 100  # values that get a line each; the others are counted


def sync(*, allow_empty: bool | None = None) -> dict[str, object]:
    """Mirror the open orders anew; the counters of the job.

    An empty fetch keeps what is there unless `allow_empty` (by default as the settings say). Leaves
    at once if another process is at it. Raises SourceError, and whatever else goes wrong.
    """
    snapshot = claim()
    if snapshot is None:
        logger.info("Another sync is at work; this one leaves.")
        return {"left": True}
    allow_empty = settings.TRADELOG_OPEN_ORDERS_ALLOW_EMPTY if allow_empty is None else allow_empty
    try:
        with opened_spool() as spool:
            tidy_up(snapshot)
            problems = fetch(snapshot, spool)
            if not spool.rows and not allow_empty:
                return keep(snapshot)
            return load(snapshot, spool, problems)
    except LeaseLost as lost:
        logger.warning("%s Nothing more is written.", lost)
        return {"left": True}
    except BaseException as problem:
        give_up(snapshot, problem)
        raise


def tidy_up(snapshot: OpenOrderSnapshot) -> None:
    cleared = clear_old(lambda: renew(snapshot))
    if cleared:
        logger.info("Cleared %s orders of older snapshots.", f"{cleared:,}")


# --- From the source


def fetch(snapshot: OpenOrderSnapshot, spool: Spool) -> int:
    """Read all rows of the source onto disk; how many values could not be converted."""
    logger.info("Connecting to the source of the open orders")
    renew(snapshot, step=Step.CONNECT)
    source = open_orders()
    where = in_words(source)
    renew(snapshot, source=where, taken_at=timezone.now())
    problems = Problems()
    with reading(source) as rows:
        logger.info("Connected to %s, its columns are all there", where)
        renew(snapshot, step=Step.FETCH)
        rows = kept_ours(rows, snapshot)
        while lot := [checked(row) for row in islice(rows, LOT)]:
            spool.add(lot)
            problems.tell(lot)
    logger.info("Fetched %s records", f"{spool.rows:,}")
    problems.sum_up()
    return problems.count


def kept_ours(rows: Iterator[Row], snapshot: OpenOrderSnapshot) -> Iterator[Row]:
    """The rows, while the snapshot's lease is renewed, however slowly they come."""
    renewed_at = time.monotonic()
    for row in rows:
        yield row
        if time.monotonic() > renewed_at + BETWEEN_RENEWALS:
            renew(snapshot)
            renewed_at = time.monotonic()


def in_words(source: Source) -> str:
    """The source for people: a file's name, or a database and its host; no credentials."""
    if "://" not in source.location:
        return Path(source.location).name
    return drivers().in_words(source.location)[:LONGEST_TEXT].strip()


class Problems:
    """Tells the first values that could not be converted, and counts all."""

    def __init__(self) -> None:
        self.by_field: Counter[str] = Counter()

    @property
    def count(self) -> int:
        return self.by_field.total()

    def tell(self, lot: list[Row]) -> None:
        for number, field, error in problems_of(lot):
            if self.count < PROBLEMS_TOLD:
                logger.warning("Row %s, %s: %s", number, field, error)
            self.by_field[field] += 1

    def sum_up(self) -> None:
        if not self.count:
            return
        fields = ", ".join(f"{field} {number:,}" for field, number in self.by_field.most_common())
        values = "1 value" if self.count == 1 else f"{self.count:,} values"
        logger.warning("%s could not be converted: %s", values, fields)


def problems_of(lot: list[Row]) -> Iterator[tuple[int, str, str]]:
    for row in lot:
        for problem in row.problems:
            yield row.number, problem.field or "the row", problem.error


# --- Into our tables


def load(snapshot: OpenOrderSnapshot, spool: Spool, problems: int) -> dict[str, object]:
    renew(snapshot, step=Step.WRITE)
    for number, lot in enumerate(spool, 1):
        add_lot(snapshot, lot)
        logger.info("Batch %s/%s imported (%s records)", number, spool.lots, len(lot))
    renew(snapshot, step=Step.COMPARE)
    changes = compare(snapshot, OpenOrderSnapshot.objects.current())
    if changes.repeated:
        records = (
            "1 record repeats" if changes.repeated == 1 else f"{changes.repeated:,} records repeat"
        )
        logger.warning("%s an order of another", records)
    counts = {
        "total_orders": spool.rows,
        "new_orders": changes.new,
        "changed_orders": changes.changed,
        "gone_orders": changes.gone,
        "bad_values": problems,
    }
    finish(snapshot, Status.COMPLETE, **counts)
    mark_replaced(snapshot)
    logger.info(
        "Complete: %s open orders, %s new, %s changed, %s gone",
        *(f"{number:,}" for number in list(counts.values())[:4]),
    )
    return {name.replace("total_orders", "orders"): number for name, number in counts.items()}


def add_lot(snapshot: OpenOrderSnapshot, lot: list[Row]) -> None:
    with transaction.atomic():
        renew(snapshot)  # first: who has lost the snapshot writes nothing
        OpenOrder.objects.bulk_create([order_of(snapshot, row) for row in lot])


def keep(snapshot: OpenOrderSnapshot) -> dict[str, object]:
    """The source gave nothing, which is rarely meant: what is there stays."""
    finish(snapshot, Status.EMPTY, error="The source has no open orders; those before are kept.")
    logger.warning(
        "The source has no open orders; those before are kept. To take that for the truth: "
        "--allow-empty, or TRADELOG_OPEN_ORDERS_ALLOW_EMPTY=1."
    )
    return {"orders": 0, "kept": True}


def give_up(snapshot: OpenOrderSnapshot, problem: BaseException) -> None:
    """Write down at which step and why. If our database is away, the lease has to run out."""
    words = "" if isinstance(problem, SourceError) else f"{type(problem).__name__}: "
    words = worded(f"{Step(snapshot.step).label} failed: {words}{problem}")
    logger.error(words)
    try:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        finish(snapshot, Status.FAILED, error=words)
    except (LeaseLost, DatabaseError, InterfaceError) as trouble:
        logger.warning("That it failed cannot be written down: %s", trouble)
