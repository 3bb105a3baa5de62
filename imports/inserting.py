"""Many finished rows into a table, as fast as the database takes them.

Ids are taken from the table's sequence beforehand, so that rows of several tables know each other
without asking back. Where no constraint watches over them, `hold` does what one would do.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

AS_THEY_ARE = (models.IntegerField, models.BooleanField, models.ForeignKey)


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


def insert(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence]) -> None:
    """Insert rows of the named fields. The id must be among them; defaults are not filled in."""
    fields = [model._meta.get_field(name) for name in names]
    prepare = [preparation(field) for field in fields]
    prepared = [[one(value) for one, value in zip(prepare, row, strict=True)] for row in rows]
    if not prepared:
        return
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    table = quote(model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Errors come at the end of the copying, where Django does not translate them.
            copying = f"COPY {table} ({columns}) FROM STDIN"
            with connection.wrap_database_errors, cursor.copy(copying) as copy:
                for row in prepared:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", prepared)


def preparation(field: models.Field) -> Callable[[object], object]:
    """What makes a value of this field fit for the database.

    Numbers and words fit as they are. To ask their fields for each of them takes half of the time
    of an import.
    """
    if isinstance(field, AS_THEY_ARE):
        return lambda value: value
    if isinstance(field, models.CharField):
        return str  # a choice is an enum, which is a kind of str but not for every driver
    # The connection itself; a proxy would look for it again with every value.
    return partial(field.get_db_prep_save, connection=connections[DEFAULT_DB_ALIAS])
