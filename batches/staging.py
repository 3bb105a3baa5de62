"""Lines into the trades of a new batch: from a CSV file, from JSON, or from trades that exist.

Every line becomes a batch trade, a bad one as failed with all that is wrong with it. The lines are
read onto disk first, then written in one transaction: memory does not grow with their number, no
other writer waits while they are read, and the total is never anything but final.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import PurePath
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet

from batches.fields import FIELDS, Field
from batches.lines import PLAIN, StagedLine
from batches.mapping import StagingError, dialect_of, layout_of
from batches.models import Batch, BatchTemplate
from batches.reading import (
    Source,
    as_given,
    lines_of_csv,
    lines_of_objects,
    name_of,
    opened_text,
    storable,
)
from batches.restaging import reader_for
from batches.wishes import Wishes
from batches.writing import Staged
from imports.dialect import Dialect, in_words
from imports.identify import Layout
from imports.textfile import TextFile
from orders.spool import opened_spool
from trades.models import Trade

__all__ = ["FIELDS", "Field", "StagedLine", "StagingError"]

LOT = 500  # lines
SHOWN = 50  # lines of a preview
MOST_KEYS = 200  # of objects, to choose from


class Wished(TypedDict, total=False):
    """What may be said of a new batch; what each means: batches/wishes.py."""

    name: str
    executor: str
    executor_settings: Mapping[str, object] | None
    priority: int | None
    parallel: int | None
    template: BatchTemplate | None
    columns: Mapping[str, str]
    defaults: Mapping[str, str]
    timezone: str
    user: AbstractBaseUser | None


@dataclass
class Preview:
    """What a file would become. `columns` has, by field, the heading that feeds it.

    Of all lines, and of those with errors, the first are kept.
    """

    header: list[str]
    columns: dict[str, str]
    dialect: str  # in words
    lines: list[StagedLine] = field(default_factory=list)
    bad_lines: list[StagedLine] = field(default_factory=list)
    total: int = 0
    bad: int = 0

    @property
    def good(self) -> int:
        return self.total - self.bad

    def add_all(self, lines: Iterable[StagedLine]) -> None:
        for line in lines:
            self.total += 1
            self.bad += bool(line.problems)
            if len(self.lines) < SHOWN:
                self.lines.append(line)
            if line.problems and len(self.bad_lines) < SHOWN:
                self.bad_lines.append(line)


@dataclass(frozen=True)
class Reading:
    """A CSV file that is being read for a batch, which is not saved yet."""

    file: TextFile
    layout: Layout
    dialect: Dialect
    columns: dict[str, str]
    batch: Batch
    lines: Iterator[StagedLine]

    @property
    def dialect_in_words(self) -> str:
        told = {"encoding": self.file.encoding, "delimiter": self.layout.delimiter}
        return in_words(self.dialect.as_json() | told)


def stage_csv(source: Source, *, file_name: str = "", **wished: Unpack[Wished]) -> Batch:
    """A new batch of the lines of a CSV file. Raises StagingError."""
    with staged_csv(source, Wishes(**wished), file_name=file_name) as staged:
        return staged.save()


def stage_json(
    items: Iterable[Any],
    *,
    file_name: str = "",
    own_names: bool = True,
    **wished: Unpack[Wished],
) -> Batch:
    """A new batch of objects with the fields of instructions. Raises StagingError.

    Without `own_names`, a field is only read from the key that was chosen for it.
    """
    wishes, name = Wishes(**wished), PurePath(file_name).stem
    with staged_json(items, wishes, name, own_names=own_names) as staged:
        return staged.save()


def stage_trades(trades: QuerySet[Trade], **wished: Unpack[Wished]) -> Batch:
    """A new batch that does again what these trades did, in their order.

    `defaults` stand in place of what a trade has: {"account": "Sim101"}. Raises StagingError.
    """
    with staged_trades(trades, Wishes(**wished)) as staged:
        return staged.save()


def preview_csv(source: Source, *, file_name: str = "", **wished: Unpack[Wished]) -> Preview:
    """What `stage_csv` would make of it; nothing is written. Raises StagingError."""
    with read_csv(source, Wishes(**wished), file_name) as reading:
        preview = Preview(reading.layout.header, reading.columns, reading.dialect_in_words)
        preview.add_all(reading.lines)
        require_some(preview.total, reading.file.name)
    return preview


def preview_json(
    items: Sequence[Any], *, file_name: str, own_names: bool = True, **wished: Unpack[Wished]
) -> Preview:
    """What `stage_json` would make of them; nothing is written. Raises StagingError."""
    wishes, header = Wishes(**wished), keys_of(items)
    columns = wishes.mapping(own_names)
    reader = reader_for(wishes.new_batch(""), columns, wishes.timezone, PLAIN)
    preview = Preview(header, columns.headings(header), "JSON")
    preview.add_all(limited(lines_of_objects(items, reader)))
    require_some(preview.total, file_name)
    return preview


def keys_of(items: Iterable[Any]) -> list[str]:
    """Of all objects, in the order in which they come; the first of very many."""
    keys = (key for item in items if isinstance(item, Mapping) for key in storable(item))
    return list(islice(dict.fromkeys(keys), MOST_KEYS))


@contextmanager
def staged_csv(source: Source, wishes: Wishes, file_name: str = "") -> Iterator[Staged]:
    """The lines of a CSV file on disk, ready to be saved. Raises StagingError."""
    with (
        read_csv(source, wishes, file_name) as reading,
        spooled(reading.batch, reading.lines, reading.file.name) as staged,
    ):
        yield staged


@contextmanager
def staged_json(
    items: Iterable[Any], wishes: Wishes, name: str = "", *, own_names: bool = True
) -> Iterator[Staged]:
    """The same of objects."""
    columns, batch = wishes.mapping(own_names), wishes.new_batch(name)
    reader = reader_for(batch, columns, wishes.timezone, PLAIN)
    with spooled(batch, limited(lines_of_objects(items, reader)), "The list of trades") as staged:
        yield staged


def staged_trades(trades: QuerySet[Trade], wishes: Wishes) -> AbstractContextManager[Staged]:
    """The same of trades that exist."""
    instead, wishes = wishes.defaults, replace(wishes, defaults={})
    found = trades.select_related("account", "instrument").order_by("executed_at", "pk")
    return staged_json(as_given(found.iterator(LOT), instead), wishes, "Copied trades")


@contextmanager
def read_csv(source: Source, wishes: Wishes, file_name: str) -> Iterator[Reading]:
    """A CSV file whose columns are known. Raises StagingError."""
    name = name_of(source, file_name)
    columns, batch = wishes.mapping(), wishes.new_batch(PurePath(name).stem)
    with opened_text(source, name) as file:
        layout = layout_of(file, columns)
        dialect = dialect_of(file, layout)
        reader = reader_for(batch, columns, wishes.timezone, dialect)
        lines = limited(lines_of_csv(file, layout, dialect, reader))
        yield Reading(file, layout, dialect, columns.headings(layout.header), batch, lines)


@contextmanager
def spooled(batch: Batch, lines: Iterator[StagedLine], name: str) -> Iterator[Staged]:
    with opened_spool() as spool:
        staged = Staged(batch, spool)
        while lot := list(islice(lines, LOT)):
            staged.add(lot)
        require_some(spool.rows, name)
        yield staged


def require_some(total: int, name: str) -> None:
    if not total:
        raise StagingError(f"{name} has no lines that could become trades.")


def limited(lines: Iterator[StagedLine]) -> Iterator[StagedLine]:
    """Raises StagingError behind as many lines as a batch may have."""
    for line in lines:
        require_few(line.sequence)
        yield line


def require_few(lines: int) -> None:
    """Raises StagingError for more lines than a batch may have."""
    most = settings.TRADELOG_MAX_BATCH_LINES
    if lines > most:
        raise StagingError(
            f"More than {most:,} lines, the most that a batch may have "
            "(TRADELOG_MAX_BATCH_LINES); make several batches of them."
        )
