"""Many finished rows into a table, as fast as the database takes them.

Ids are taken from the table's sequence beforehand, so that rows of several tables know each other
without asking back. Where no constraint watches over them, `hold` does what one would do.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from itertools import chain, islice
from typing import Any

from django.db import connection, models

UTC_OFFSET = "+00:00"
NULL = "\\N"
ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
TRANSLATION = str.maketrans(ESCAPES)
PIECE = 500  # rows
HEAVIEST = 1 << 20  # characters of a piece


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """So many new ids, in ascending order; nobody else will get them.

    On SQLite that holds for as long as the surrounding transaction, which is the only one that
    writes.
    """
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # The name of the sequence is looked up once, in a row of its own.
            cursor.execute(
                "SELECT min(id), max(id), CASE WHEN max(id) - min(id) >= %s THEN array_agg(id) END "
                "FROM (SELECT nextval(sequence) AS id FROM generate_series(1, %s), "
                "(SELECT pg_get_serial_sequence(%s, 'id')::regclass AS sequence OFFSET 0) AS named"
                ") AS taken",
                [count, count, table],
            )
            first, last, ids = cursor.fetchone()
            return ids or list(range(first or 0, (last or -1) + 1))
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        last = (cursor.fetchone() or (0,))[0]
        return list(range(last + 1, last + 1 + count))


def hold(model: type[models.Model], ids: Collection[int]) -> int:
    """Keep rows from being deleted until the transaction ends; how many of them there are.

    In ascending order, like everybody who deletes many, so that nobody locks the other out.
    SQLite has one writer at a time, which is us.
    """
    if not ids:
        return 0
    if connection.vendor != "postgresql":
        return model.objects.filter(pk__in=ids).count()
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM {table} WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE", [list(ids)]
        )
        return cursor.rowcount


def insert(model: type[models.Model], columns: dict[str, Any], count: int) -> None:
    """Insert so many rows, given in columns by the names of their fields, or as one value for all.

    The id must be among them; defaults are not filled in. Values are texts, or what the driver
    takes as it is; moments are texts in UTC, without offset.
    """
    fields = [model._meta.get_field(name) for name in columns]
    quote = connection.ops.quote_name
    into = f"{quote(model._meta.db_table)} ({', '.join(quote(one.column) for one in fields)})"
    write = copy_into if connection.vendor == "postgresql" else insert_into
    values = [
        column if isinstance(column, (list, tuple)) else [column] * count
        for column in columns.values()
    ]
    if count:
        write(into, fields, values)


def copy_into(into: str, fields: list[models.Field], columns: list[Sequence[Any]]) -> None:
    """By COPY in PostgreSQL, a piece at a time: the server takes one while we make the next."""
    texts = [list(as_copied(*pair)) for pair in zip(fields, columns, strict=True)]
    height = max(1, min(PIECE, HEAVIEST // sum(max(map(len, column)) for column in texts)))
    rows = zip(*texts, strict=True)
    # Errors come at the end of the copying, where Django does not translate them.
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f"COPY {into} FROM STDIN") as copy,
    ):
        while piece := "\n".join(map("\t".join, islice(rows, height))):
            copy.write(f"{piece}\n")


def as_copied(field: models.Field, column: Sequence[Any]) -> Iterable[str]:
    """The values of a column in the text format of COPY."""
    if isinstance(field, models.DateTimeField):
        return [moment + UTC_OFFSET for moment in column]
    if isinstance(field, (models.CharField, models.TextField)):
        return escaped(column)
    if field.null:
        return [NULL if value is None else str(value) for value in column]
    return map(str, column)


def escaped(words: Sequence[str]) -> Sequence[str]:
    """The words with what COPY would take for the end of a value; most columns have none."""
    slices = (words[place : place + PIECE] for place in range(0, len(words), PIECE))
    if not any(has_marks("".join(some)) for some in slices):
        return words
    return [word.translate(TRANSLATION) for word in words]


def has_marks(text: str) -> bool:
    return any(mark in text for mark in ESCAPES)


def insert_into(into: str, fields: list[models.Field], columns: list[Sequence[Any]]) -> None:
    """By statements of many rows in SQLite: it lets other threads run for as long as one takes."""
    rows = zip(*columns, strict=True)
    with connection.cursor(), connection.wrap_database_errors:
        while piece := list(islice(rows, PIECE)):
            connection.connection.execute(
                statement(into, len(fields), len(piece)), list(chain.from_iterable(piece))
            )


@cache
def statement(into: str, width: int, height: int) -> str:
    row = f"({', '.join(['?'] * width)})"
    return f"INSERT INTO {into} VALUES {', '.join([row] * height)}"
