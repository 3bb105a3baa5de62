"""Many rows into a table at once."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
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


def reserve_ids(model: type[models.Model], count: int) -> Iterable[int]:
    """So many new ids, in ascending order; nobody else gets them in the transaction."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sequence = (
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
            )
            cursor.execute(sequence, [table, count])
            return [pk for (pk,) in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        last = (cursor.fetchone() or (0,))[0]
        return range(last + 1, last + 1 + count)


def replace(model: type[models.Model], rows: list[models.Model], names: Sequence[str]) -> None:
    """Give the rows of these ids other values in those fields, and leave the others alone."""
    model._default_manager.bulk_create(
        rows, batch_size=PIECE, update_conflicts=True, unique_fields=["id"], update_fields=names
    )


Value = int | Decimal | str | datetime | None


def insert(
    model: type[models.Model], names: Sequence[str], rows: Sequence[tuple[Value, ...]]
) -> None:
    """Insert rows into these columns. Without ids, they get some in their order."""
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
            kept = (tuple(map(as_kept, row)) for row in rows)
            connection.connection.executemany(f"INSERT INTO {into} VALUES ({marks})", kept)


def as_kept(value: Value) -> int | str | None:
    """As Django keeps it in SQLite."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value.replace(tzinfo=None)) if isinstance(value, datetime) else value
