"""The steps that mirror a desk's open orders: write its file, sync for the first time and again."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

from bench.step import Clock, calm_down
from orders.building import FIELDS
from orders.models import OpenOrder, OpenOrderSnapshot
from orders.syncing import sync

BEGUN = datetime(2026, 1, 5, 14, tzinfo=UTC)
CHANGED = 10  # of so many orders one is another in the second sync


def first(folder: Path) -> dict[str, object]:
    return measured(folder, state="Working")


def again(folder: Path) -> dict[str, object]:
    """The same orders, some of which have changed, and those from before to compare with."""
    return measured(folder, state="PartFilled")


def measured(folder: Path, state: str) -> dict[str, object]:
    desk, number = folder / "orders.csv", json.loads((folder / "sizes.json").read_text())["orders"]
    write_orders(desk, number, state)
    wishes = {"URL": str(desk), "QUERY": "", "COLUMNS": "", "TIMEZONE": "UTC"}
    settings.TRADELOG_SOURCES["OPEN_ORDERS"] = wishes
    calm_down()
    clock = Clock()
    with clock.running():
        said = sync()
    current = OpenOrderSnapshot.objects.current()
    kept = OpenOrder.objects.filter(snapshot=current).count()
    counts = {"kept": kept, "new": said["new_orders"], "changed": said["changed_orders"]}
    return {"seconds": clock.seconds, "counts": counts}


def write_orders(path: Path, number: int, state: str) -> None:
    """One order of CHANGED is in this state, the others work."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        writer.writerows(row(one, state) for one in range(number))


def row(one: int, state: str) -> list[object]:
    at = BEGUN + timedelta(seconds=one)
    price = f"{21_000 + one % 4_000 / 4:.2f}"
    what = [f"O-{one}", f"Sim{one % 40}", "MNQ 03-26", "Buy", "Limit", "GTC", 3, 1, 2, price, ""]
    return [*what, "Working" if one % CHANGED else state, at, at]
