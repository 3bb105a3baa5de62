"""Rows by ranges of their keys: one statement looks at so many, however many there are."""

from collections.abc import Iterable

from django.db import connection, models
from django.db.models import Max


def end_of_range(model: type[models.Model], behind: int, size: int) -> int | None:
    """The last key of the next so many rows; None if there are none."""
    keys = model._default_manager.filter(pk__gt=behind).order_by("pk").values("pk")[:size]
    return keys.aggregate(last=Max("pk"))["last"]


def rows_of(statement: str, parameters: Iterable[object] = ()) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters))
        return cursor.fetchall()


def changed_by(statement: str, parameters: Iterable[object] = ()) -> int:
    """How many rows a statement has changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters))
        return cursor.rowcount
