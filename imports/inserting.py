"""Many finished rows into a table, as fast as the database takes them.

Ids are taken from the table's sequence beforehand, so that rows of several tables know each other
without asking back. Where no constraint watches over them, `hold` does what one would do.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from itertools import chain
from operator import itemgetter

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

Row = dict[str, object]  # values by the names of their fields

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


def insert(model: type[models.Model], rows: Iterable[Row]) -> None:
    """Insert rows of the same fields. The id must be among them; defaults are not filled in.

    The rows are used up: their values are made fit for the database where they stand.
    """
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return
    fields = [model._meta.get_field(name) for name in first]
    prepared = list(prepare(chain([first], rows), dict(zip(first, fields, strict=True))))
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


def prepare(rows: Iterable[Row], fields: dict[str, models.Field]) -> Iterator[tuple]:
    """The values of each row, in the order of the fields, fit for the database.

    Whole numbers fit as they are, and words nearly; to ask their fields for each of them takes half
    of the time of an import.
    """
    values_of = itemgetter(*fields)
    preparations = [
        (name, preparation(field))
        for name, field in fields.items()
        if not isinstance(field, AS_THEY_ARE)
    ]
    for row in rows:
        for name, fit in preparations:
            row[name] = fit(row[name])
        yield values_of(row)


def preparation(field: models.Field) -> Callable[[object], object]:
    """What makes a value of this field fit for the database."""
    if isinstance(field, models.CharField):
        return str  # a choice is an enum, which is a kind of str but not for every driver
    # The connection itself; a proxy would look for it again with every value.
    return partial(field.get_db_prep_save, connection=connections[DEFAULT_DB_ALIAS])
