"""Many finished rows into a table, as fast as the database takes them.

Ids are taken from the table's sequence beforehand, so that rows of several tables know each other
without asking back. Where no constraint watches over them, `hold` does what one would do.
"""

import re
from collections.abc import Collection, Iterable
from operator import itemgetter
from typing import Any

from django.db import connection, models

from imports.models import JSONTextField

Row = dict[str, object]  # values by the names of their fields

UTC_OFFSET = "+00:00"
NULL = "\\N"
SPECIAL = re.compile(r"[\\\t\n\r]").search
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """So many new ids, in ascending order; nobody else will get them.

    On SQLite that holds for as long as the surrounding transaction, which is the only one that
    writes.
    """
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
                [table, count],
            )
            return [row[0] for row in cursor.fetchall()]
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


def insert(model: type[models.Model], rows: Iterable[Row]) -> None:
    """Insert rows of the same fields. The id must be among them; defaults are not filled in.

    Moments must be in UTC. The values are made fit for the database column by column, and not by
    their fields: to ask a field for each value takes half of the time of an import.
    """
    rows = list(rows)
    if not rows:
        return
    fields = [model._meta.get_field(name) for name in rows[0]]
    values = zip(*map(itemgetter(*rows[0]), rows), strict=True)
    quote = connection.ops.quote_name
    into = f"{quote(model._meta.db_table)} ({', '.join(quote(one.column) for one in fields)})"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            columns = [as_copied(*pair) for pair in zip(fields, values, strict=True)]
            text = "".join("\t".join(row) + "\n" for row in zip(*columns, strict=True))
            # Errors come at the end of the copying, where Django does not translate them.
            with connection.wrap_database_errors, cursor.copy(f"COPY {into} FROM STDIN") as copy:
                copy.write(text)
        else:
            columns = [as_bound(*pair) for pair in zip(fields, values, strict=True)]
            marks = ", ".join(["%s"] * len(fields))
            cursor.executemany(
                f"INSERT INTO {into} VALUES ({marks})", list(zip(*columns, strict=True))
            )


def as_bound(field: models.Field, column: Iterable[Any]) -> Iterable[object]:
    """The values of a column as SQLite's driver takes them, stored as Django would."""
    if isinstance(field, JSONTextField):
        return map(field.encoded, column)
    if isinstance(field, models.DateTimeField):
        return [str(moment)[: -len(UTC_OFFSET)] for moment in column]
    if isinstance(field, models.DecimalField):
        return map("{:f}".format, column)
    return map(str, column) if field.choices else column


def as_copied(field: models.Field, column: Iterable[Any]) -> Iterable[str]:
    """The values of a column in the text format of PostgreSQL's COPY."""
    if isinstance(field, JSONTextField):
        return escaped(list(map(field.encoded, column)))
    if isinstance(field, (models.CharField, models.TextField)):
        return escaped(list(map(str, column)))
    if field.null:
        return [NULL if value is None else str(value) for value in column]
    return map(str, column)


def escaped(words: list[str]) -> list[str]:
    """The words with what COPY would take for the end of a value; most columns have none."""
    if SPECIAL("".join(words)) is None:
        return words
    return [word.translate(ESCAPES) for word in words]
