"""The database behind a test that has committed: as the migrations had left it.

Django's own way takes a second on PostgreSQL: TRUNCATE gives new files to every table, and content
types, permissions and groups are made anew, one by one.
"""

from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.db import connection, transaction

# Bytes in a table, those of deleted rows with them, above which TRUNCATE is the quicker one.
MUCH = 4_000_000

Row = tuple[object, ...]


class Emptying:
    """Knows the tables, and the rows that are in them when it is made."""

    def __init__(self) -> None:
        names = connection.introspection.django_table_names
        self.tables = sorted(names(only_existing=True, include_views=False))
        self.kept = {table: rows_of(table) for table in with_rows(self.tables)}

    def put_back(self) -> None:
        """Leave those rows in the tables, and no others."""
        with connection.constraint_checks_disabled(), transaction.atomic():
            if holds_much():
                truncate(self.tables)
            for table in filter(self.is_changed, with_rows(self.tables)):
                run(f"DELETE FROM {quoted(table)}")
            lost = self.kept.keys() - with_rows(self.tables)
            for table in lost:
                insert(table, self.kept[table])
        if lost:
            ContentType.objects.clear_cache()

    def is_changed(self, table: str) -> bool:
        return table not in self.kept or rows_of(table) != self.kept[table]


def quoted(table: str) -> str:
    return connection.ops.quote_name(table)


def run(statement: str, *values: object) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


def rows_of(table: str) -> set[Row]:
    return set(run(f"SELECT * FROM {quoted(table)}"))


def with_rows(tables: list[str]) -> set[str]:
    """Those that are not empty."""
    asks = (f"SELECT '{one}' WHERE EXISTS (SELECT 1 FROM {quoted(one)})" for one in tables)
    return {table for (table,) in run(" UNION ALL ".join(asks))}


def insert(table: str, rows: set[Row]) -> None:
    places = ", ".join(["%s"] * len(next(iter(rows))))
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {quoted(table)} VALUES ({places})", rows)


def holds_much() -> bool:
    """SQLite has but one way to delete."""
    if connection.vendor != "postgresql":
        return False
    ((most,),) = run("SELECT max(pg_relation_size(relid)) FROM pg_stat_user_tables")
    return most > MUCH


def wait_for_no_disk() -> None:
    """Have transactions on PostgreSQL end before they are on the disk, in every process."""
    if connection.vendor == "postgresql":
        name = quoted(connection.settings_dict["NAME"])
        run(f"ALTER DATABASE {name} SET synchronous_commit = off")
        connection.close()


def truncate(tables: list[str]) -> None:
    connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), tables))
