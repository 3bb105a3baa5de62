"""Many rows into a table at once."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import TypeVar

from django.db import connection, models

PIECE = 500  # rows of one statement
Some = TypeVar("Some")


def batched(values: Iterable[Some], size: int) -> Iterator[list[Some]]:
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some


def create(model: type[models.Model], rows: list[models.Model]) -> None:
    """Insert these; they know their ids then."""
    model._default_manager.bulk_create(rows, batch_size=PIECE)


def replace(model: type[models.Model], rows: list[models.Model], names: Sequence[str]) -> None:
    """Give the rows of these ids other values in those fields, and leave the others alone."""
    model._default_manager.bulk_create(
        rows, batch_size=PIECE, update_conflicts=True, unique_fields=["id"], update_fields=names
    )


def insert(
    model: type[models.Model],
    names: Sequence[str],
    rows: Sequence[tuple[int | Decimal, ...]],
) -> None:
    """Insert rows of numbers into these columns. They get ids in their order."""
    if not rows:
        return
    quote = connection.ops.quote_name
    into = f"{quote(model._meta.db_table)} ({', '.join(map(quote, names))})"
    with connection.cursor() as cursor, connection.wrap_database_errors:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {into} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join("?" * len(names))
            as_texts = (tuple(map(as_text, row)) for row in rows)
            connection.connection.executemany(f"INSERT INTO {into} VALUES ({marks})", as_texts)


def as_text(number: int | Decimal) -> int | str:
    return number if isinstance(number, int) else f"{number:f}"
