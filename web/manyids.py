"""Thousands of ids in one statement, as one parameter: as many parameters take longer."""

import json
from collections.abc import Collection

from django.db import connection


def among(ids: Collection[int]) -> tuple[str, object]:
    """A condition for what stands before it, and its parameter."""
    if connection.vendor == "postgresql":
        return "= ANY (%s)", list(ids)
    return "IN (SELECT value FROM json_each(%s))", json.dumps(list(ids))


def change(statement: str, ids: Collection[int]) -> int:
    """Run a statement that ends with the column that is one of these ids; how many rows it met."""
    condition, parameter = among(ids)
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} {condition}", [parameter])
        return cursor.rowcount
