"""A desk's order system, as far as the tests need one: a CSV file, or a table in SQLite."""

import csv
import sqlite3
from pathlib import Path

from django.conf import settings

COLUMNS = [
    "order_id",
    "account",
    "instrument",
    "side",
    "type",
    "time_in_force",
    "quantity",
    "filled",
    "remaining",
    "limit_price",
    "stop_price",
    "state",
    "submitted_at",
    "updated_at",
]


def order(**cells: str) -> dict[str, str]:
    """A working order, but for the cells given."""
    return {
        "order_id": "O-1",
        "account": "Sim101",
        "instrument": "MNQ 03-26",
        "side": "Buy",
        "type": "Limit",
        "time_in_force": "GTC",
        "quantity": "3",
        "filled": "1",
        "remaining": "2",
        "limit_price": "21350.25",
        "stop_price": "",
        "state": "Working",
        "submitted_at": "2026-01-05 14:35:03",
        "updated_at": "2026-01-05 14:40:00",
    } | cells


def orders(number: int, **cells: str) -> list[dict[str, str]]:
    """So many different orders."""
    return [order(order_id=f"O-{one}", **cells) for one in range(1, number + 1)]


def shows(*found: dict[str, str], columns: list[str] = COLUMNS, name: str = "desk.csv") -> Path:
    """From now on the desk shows these orders."""
    path = settings.FILES_DIR.parent / name
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([[one.get(column, "") for column in COLUMNS] for one in found])
    ask(str(path))
    return path


def ask(url: str, query: str = "", columns: str = "") -> None:
    """Have the syncs of this process ask there."""
    wishes = {"URL": url, "QUERY": query, "COLUMNS": columns, "TIMEZONE": "UTC"}
    settings.TRADELOG_SOURCES = settings.TRADELOG_SOURCES | {"OPEN_ORDERS": wishes}


def shows_a_table(*found: dict[str, str]) -> Path:
    """The same in a database, asked by a query that breaks off at an order of the type Poison."""
    path = settings.FILES_DIR.parent / "desk.sqlite3"
    with sqlite3.connect(path) as desk:
        desk.execute("DROP TABLE IF EXISTS orders")
        desk.execute(f"CREATE TABLE orders ({', '.join(COLUMNS)})")
        marks = ", ".join("?" * len(COLUMNS))
        rows = [[one.get(column, "") for column in COLUMNS] for one in found]
        desk.executemany(f"INSERT INTO orders VALUES ({marks})", rows)
    desk.close()
    poison = "CASE WHEN type = 'Poison' THEN abs(-9223372036854775807 - 1) END AS poison"
    ask(f"sqlite:///{path}", f"SELECT *, {poison} FROM orders")
    return path
