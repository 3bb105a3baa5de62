"""Write trades and logs into a file that brings them back (see imports/backuplines.py)."""

import gzip
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.utils import timezone

from imports.backuplines import (
    DELETED,
    IMPORT,
    OF_DELETED,
    OF_POSITIONS,
    OF_TRADES,
    POSITION,
    SETTINGS,
    TRADE,
    BackupWriter,
)
from imports.backuplogs import ended, logs
from imports.inserting import hold
from imports.models import ImportedExecution
from trades.models import Position, Trade
from trades.positions import recompute_for_a_while

SLICE = 2_000  # rows
BY_HAND = "hand:"  # how identities begin that a backup has given
Progress = Callable[[int, int], None]  # trades done, trades in all


class FileExists(Exception):
    """There is such a file, and nobody has said that it may be replaced."""


def save_backup(
    path: Path, *, force: bool = False, on_progress: Progress = lambda done, of: None
) -> BackupWriter:
    """Write a backup; a name that ends with .gz makes it a compressed one.

    It gets its name when it is on the disk in full. Raises FileExists, OSError, or FileError for a
    trade that fits into no line.
    """
    refuse_existing(path, force)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".backup-")
    try:
        with os.fdopen(handle, "wb") as stream:
            with packing(stream, path) as target:
                writer = write_backup(target, path.name, on_progress)
            stream.flush()
            os.fsync(stream.fileno())
        refuse_existing(path, force)
        os.replace(draft, path)
    finally:
        Path(draft).unlink(missing_ok=True)
    return writer


def backup_for_download() -> tuple[BinaryIO, str]:
    """A compressed backup in an open file without a name on the disk, and a name for it.

    Raises FileError for a trade that fits into no line, or OSError.
    """
    name = f"tradelog-{timezone.localtime():%Y-%m-%d}.jsonl.gz"
    settings.FILES_DIR.mkdir(parents=True, exist_ok=True)
    with ExitStack() as closing:
        stream = closing.enter_context(tempfile.TemporaryFile(dir=settings.FILES_DIR))
        with packing(stream, Path(name)) as target:
            write_backup(target, name)
        closing.pop_all()
    return stream, name


def refuse_existing(path: Path, force: bool) -> None:
    if path.exists() and not force:
        raise FileExists(f"{path} exists already.")


@contextmanager
def packing(stream: BinaryIO, path: Path) -> Iterator[BinaryIO]:
    if path.suffix != ".gz":
        yield stream
        return
    with gzip.GzipFile(path.stem, "wb", 6, stream) as target:
        yield target


def write_backup(
    target: BinaryIO, name: str, on_progress: Progress = lambda done, of: None
) -> BackupWriter:
    """Write everything as it is at one moment, in bounded memory."""
    writer = BackupWriter(target)
    recompute_for_a_while()  # a position whose first trade is gone would be left out
    while True:
        enter_by_hand()
        with at_one_moment():
            # One that was made by hand since would come back without an identity, as a failure.
            if not made_by_hand().exists():
                write_all(writer, name, on_progress)
                return writer


def write_all(writer: BackupWriter, name: str, on_progress: Progress) -> None:
    kinds = questions()
    counts = {kind: rows.count() for kind, (rows, _) in kinds.items()} | {IMPORT: ended().count()}
    writer.begin(filename=name, created_at=timezone.now(), counts=counts)
    for kind, (rows, fields) in kinds.items():
        for values in rows.values_list(*fields.values()).iterator(SLICE):
            writer.put(kind, dict(zip(fields, values, strict=True)))
            if kind == TRADE:
                on_progress(writer.counts[TRADE], counts[TRADE])
    for kind, content in logs():
        writer.put(kind, content)
    writer.end()


def questions() -> dict[str, tuple[QuerySet[Model], dict[str, str]]]:
    """By kind, in the order of the lines: what is asked for, and its fields by their names."""
    kept = {
        kind: (model.objects.order_by(names[0]), {name: name for name in names})
        for kind, (model, names) in SETTINGS.items()
    }
    gone = ~Exists(Trade.objects.filter(pk=OuterRef("trade_id")))
    deleted = ImportedExecution.objects.filter(gone).order_by("pk")
    # As they were taken in: of fills in the same second, the order tells.
    trades = Trade.objects.order_by("pk")
    said = Position.objects.with_remarks().order_by("pk")
    return kept | {
        DELETED: (deleted, OF_DELETED),
        TRADE: (trades, OF_TRADES),
        POSITION: (said, OF_POSITIONS),
    }


@contextmanager
def at_one_moment() -> Iterator[None]:
    """All that is read inside is of one moment; nobody who writes has to wait for it."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")  # an atomic() of ours would be the one that writes
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


# --- Trades that no import has made


def made_by_hand() -> QuerySet[Trade]:
    """The trades that the ledger does not have."""
    entered = ImportedExecution.objects.filter(
        account=OuterRef("account"), execution_id=OuterRef("execution_id"), trade=OuterRef("pk")
    )
    return Trade.objects.filter(~Exists(entered)).order_by("pk")


def enter_by_hand() -> None:
    """Enter the trades that the ledger does not have.

    A restore knows a trade by its identity. One that was made by hand has none: if the backup alone
    gave it one, a restore into the same database would make it twice. So it is given one here, in
    the ledger, and keeps it: its execution id, or a new one if that is empty or another trade's.
    """
    last = 0
    while trades := list(made_by_hand().filter(pk__gt=last)[:SLICE]):
        with transaction.atomic():
            for trade in trades:
                enter(trade)
        last = trades[-1].pk


def enter(trade: Trade) -> None:
    if not hold(Trade, [trade.pk]):  # somebody has deleted it meanwhile
        return
    values = {"instrument_id": trade.instrument_id, "trade": trade, "csv_filename": "BACKUP"}
    key = {"account_id": trade.account_id, "execution_id": trade.execution_id}
    if trade.execution_id:
        _, is_new = ImportedExecution.objects.get_or_create(**key, defaults=values)
        if is_new:
            return
    trade.execution_id = key["execution_id"] = f"{BY_HAND}{uuid4().hex}"
    trade.save(update_fields=["execution_id"])
    ImportedExecution.objects.create(**key, **values)
