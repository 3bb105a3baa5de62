"""Many finished rows into a table, as fast as the database takes them.

Ids are taken from the table's sequence beforehand, so that rows of several tables know each other
without asking back. Where no constraint watches over them, `hold` does what one would do.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain, islice
from typing import Any

from django.db import connection, models
from django.utils import timezone

from imports.wallclock import as_text
from web.manyids import among

# By the name of a field, or the names of several that are joined: a value for each row, or for all.
Columns = dict[str | tuple[str, ...], Any]
NOW = object()  # what the default of such a column gives
UTC_OFFSET = "+00:00"
NULL = "\\N"
ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
TRANSLATION = str.maketrans(ESCAPES)
PIECE = 1_000  # rows
HEIGHT = 1_000  # rows of a statement for SQLite, which keeps each with its last values: 4 MB
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


def hold(model: type[models.Model], ids: Collection[int], strength: str = "KEY SHARE") -> int:
    """Keep rows from being deleted until the transaction ends; how many of them there are.

    In ascending order, like everybody who deletes many, so that nobody locks the other out.
    SQLite has one writer at a time, which is us.
    """
    if not ids:
        return 0
    condition, parameter = among(ids)
    table = connection.ops.quote_name(model._meta.db_table)
    lock = f"ORDER BY id FOR {strength}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE id {condition} {lock}) AS held",
            [parameter],
        )
        return cursor.fetchone()[0]


def joined(model: type[models.Model], columns: Columns, is_clean: bool = False) -> Columns:
    """These columns, made ready for `insert`: work for another thread, as it asks no database.

    For PostgreSQL they become one column of lines for COPY, under all their names; what is one
    value for all stays as it is. Who knows that no value needs an escape says so.
    """
    if connection.vendor != "postgresql":
        return columns
    for_each = {name: column for name, column in columns.items() if is_column(column)}
    for_all = {name: value for name, value in columns.items() if name not in for_each}
    lines = list(lines_of(model, for_each, is_clean))
    return {tuple(for_each): lines} | for_all if for_each else for_all


@contextmanager
def inserting(model: type[models.Model], columns: Columns, count: int) -> Iterator[None]:
    """Insert so many rows, given in columns by the names of their fields, or as one value for all.

    What is missing is left to the defaults of the database, ids too. Values are texts, or what the
    driver takes as it is; moments are texts in UTC, without offset, or NOW. The body runs while
    PostgreSQL is still busy with them, or before SQLite's turn: a thread that it starts runs
    beside both. Who has nothing else to do calls `insert`.
    """
    if not count:
        yield
    elif connection.vendor == "postgresql":
        with copying(model, columns):
            yield
    else:
        yield
        insert_into(model, columns)


def insert(model: type[models.Model], columns: Columns, count: int) -> None:
    with inserting(model, columns, count):
        pass


def into(model: type[models.Model], names: Iterable[str]) -> str:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(model._meta.get_field(name).column) for name in names)
    return f"{quote(model._meta.db_table)} ({columns})"


def is_column(values: Any) -> bool:
    return isinstance(values, (list, tuple, range))


@contextmanager
def copying(model: type[models.Model], columns: Columns) -> Iterator[None]:
    """By COPY in PostgreSQL, a piece at a time: the server takes one while we make the next."""
    columns = {name: column for name, column in columns.items() if column is not NOW}
    for_all = {name: [value] for name, value in columns.items() if not is_column(value)}
    ready = {name: lines for name, lines in columns.items() if isinstance(name, tuple)}
    for_each = {name: columns[name] for name in columns if name not in ready | for_all}
    words = {name: for_each.pop(name) for name in list(for_each) if is_of_words(model, name)}
    numbers = [as_texts(model, name, column) for name, column in for_each.items()]
    lines = map(
        "\t".join, zip(*numbers, *joined(model, words).values(), *ready.values(), strict=True)
    )
    end = "".join(f"\t{value}" for value in lines_of(model, for_all)) + "\n"
    names = [*for_each, *words, *chain.from_iterable(ready), *for_all]
    widest = max(map(len, chain.from_iterable(ready.values())), default=1)
    height = max(1, min(PIECE, HEAVIEST // max(1, widest)))
    # Errors come at the end of the copying, where Django does not translate them.
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f"COPY {into(model, names)} FROM STDIN") as copy,
    ):
        while piece := end.join(islice(lines, height)):
            copy.write(piece + end)
        yield


def lines_of(model: type[models.Model], columns: Columns, is_clean: bool = False) -> Iterator[str]:
    """The rows in the text format of COPY."""
    rows = zip(*(as_texts(model, name, column) for name, column in columns.items()), strict=True)
    if is_clean:
        yield from map("\t".join, rows)
    while piece := list(islice(rows, PIECE)):
        yield from map("\t".join, piece if are_clean(piece) else map(escaped, piece))


def as_texts(model: type[models.Model], name: str, column: Sequence[Any]) -> Iterable[str]:
    field = model._meta.get_field(name)
    if isinstance(field, models.DateTimeField):
        return [f"{moment}{UTC_OFFSET}" for moment in column]
    if is_of_words(model, name):
        return ["" if word is None else word for word in column] if None in column else column
    if field.null and None in column:
        return [NULL if value is None else str(value) for value in column]
    return map(str, column)


def is_of_words(model: type[models.Model], name: str) -> bool:
    return isinstance(model._meta.get_field(name), (models.CharField, models.TextField))


def are_clean(rows: list[tuple[str, ...]]) -> bool:
    """Whether nothing in them is what COPY would take for the end of a value; so are nearly all."""
    text = "\t".join(map("\t".join, rows))
    marks = sum(map(len, rows)) - 1
    return text.count("\t") == marks and not any(mark in text for mark in "\\\n\r")


def escaped(row: tuple[str, ...]) -> list[str]:
    return [value if value is NULL else value.translate(TRANSLATION) for value in row]


def insert_into(model: type[models.Model], columns: Columns) -> None:
    """By statements of many rows in SQLite: it lets other threads run for as long as one takes.

    What is left over goes in row by row: a statement for each number of rows would be kept, too.
    """
    # A default of SQLite would look at its clock for every row.
    moment = as_text(timezone.now())
    for_all = {
        name: moment if value is NOW else value
        for name, value in columns.items()
        if not is_column(value)
    }
    for_each = {name: value for name, value in columns.items() if is_column(value)}
    target, same = into(model, [*for_all, *for_each]), [*for_all.values()]
    rows = zip(*for_each.values(), strict=True)
    with connection.cursor(), connection.wrap_database_errors:
        while len(piece := list(islice(rows, HEIGHT))) == HEIGHT:
            connection.connection.execute(
                statement(target, len(columns), HEIGHT, len(same)),
                [*same, *chain.from_iterable(piece)],
            )
        connection.connection.executemany(
            statement(target, len(columns), 1, len(same)), ([*same, *row] for row in piece)
        )


@cache
def statement(into: str, width: int, height: int, for_all: int = 0) -> str:
    """An INSERT of so many rows, whose first values, so many of them, are the same in all."""
    same = [f"?{number}" for number in range(1, for_all + 1)]
    row = f"({', '.join(same + ['?'] * (width - for_all))})"
    return f"INSERT INTO {into} VALUES {', '.join([row] * height)}"
