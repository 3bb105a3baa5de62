"""What the database itself can do: the rows that an import made, put into the same tables again.

They are kept in the form that is handed to the database, so that nobody else has work to do: lines
of COPY for PostgreSQL; for SQLite what it stores, which goes in by statements of many rows. In
slices, each a transaction, so that a million rows need no more memory than one slice. Only the
writing is measured.
"""

import pickle
import sqlite3
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from django.db import connection, models, transaction

from bench.step import Clock, calm_down
from imports.inserting import PIECE, statement
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from trades.models import Trade

SLICE = 50_000  # rows of one table
TABLES: dict[str, type[models.Model]] = {
    model._meta.db_table: model for model in (ImportRowLog, Trade, ImportedExecution)
}
# Which rows the import of that number made.
MADE_BY = {
    ImportRowLog: "import_id = {0}",
    Trade: "id IN (SELECT trade_id FROM imported_executions WHERE import_id = {0})",
    ImportedExecution: "import_id = {0}",
}


def keep(folder: Path) -> dict[str, object]:
    """Write the rows of the import to files, which are named in the order of their writing."""
    log = ImportExecutionLog.objects.get(file_name="fills.csv")
    for place, (table, model) in enumerate(TABLES.items()):
        rows = finished_rows(model, log.pk)
        number = 0
        while slice_of_rows := list(islice(rows, SLICE)):
            path = folder / f"{number:06}-{place}.{table}"
            path.write_bytes(pickle.dumps(slice_of_rows))
            number += 1
    return {}


def finished_rows(model: type[models.Model], import_id: int) -> Iterator[object]:
    query = (
        f"SELECT {columns(model)} FROM {model._meta.db_table} "
        f"WHERE {MADE_BY[model].format(import_id)} ORDER BY id"
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT") as copy:
            yield from map(bytes, copy)
    else:
        # Not Django's connection: that would turn the values into Python's.
        database = sqlite3.connect(connection.settings_dict["NAME"])
        yield from database.execute(query)
        database.close()


def columns(model: type[models.Model]) -> str:
    return ", ".join(connection.ops.quote_name(field.column) for field in model._meta.fields)


def put_back(folder: Path) -> dict[str, object]:
    calm_down()
    clock = Clock()
    for path in sorted(path for path in folder.iterdir() if path.suffix[1:] in TABLES):
        rows = pickle.loads(path.read_bytes())
        model = TABLES[path.suffix[1:]]
        write = copied if connection.vendor == "postgresql" else inserted
        write(model, rows, clock)
    counts = {table: model.objects.count() for table, model in TABLES.items()}
    return {"seconds": clock.seconds, "counts": counts}


def copied(model: type[models.Model], rows: list[bytes], clock: Clock) -> None:
    statement = f"COPY {model._meta.db_table} ({columns(model)}) FROM STDIN"
    block = b"".join(rows)
    with (
        clock.running(),
        transaction.atomic(),
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        copy.write(block)


def inserted(model: type[models.Model], rows: list[tuple], clock: Clock) -> None:
    into = f"{model._meta.db_table} ({columns(model)})"
    pieces = [rows[place : place + PIECE] for place in range(0, len(rows), PIECE)]
    values = [list(chain.from_iterable(piece)) for piece in pieces]
    statements = [statement(into, len(piece[0]), len(piece)) for piece in pieces]
    with clock.running(), transaction.atomic():
        for one, piece in zip(statements, values, strict=True):
            connection.connection.execute(one, piece)
