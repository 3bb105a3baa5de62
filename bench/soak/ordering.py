"""The desk's open orders: a file that changes, those who have it synced, and those who look.

Every order of one version of the file has the number of the version as its quantity. Who looks must
see all orders of one version, and of no other.
"""

import csv
import os
import random
import time
from pathlib import Path

from bench.soak.client import Client
from bench.soak.model import Model
from orders.models import OpenOrder, OpenOrderSnapshot

COLUMNS = "order_id,account,instrument,side,type,time_in_force,quantity,filled,remaining,"
COLUMNS += "limit_price,stop_price,state,submitted_at,updated_at"
A_PAGE = 100


class Desk:
    """Writes a new version now and then and has it synced."""

    def __init__(self, name: str, client: Client, model: Model, path: Path) -> None:
        self.client = client
        self.model = model
        self.path = path
        self.chance = random.Random(name)
        self.counts: dict[int, int] = {}
        self.write()

    def write(self) -> None:
        """In one step, as the desk's system does."""
        version, count = len(self.counts) + 1, self.chance.randint(1, 1_500)
        self.counts[version] = count
        draft = self.path.with_suffix(".new")
        with draft.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS.split(","), restval="")
            writer.writeheader()
            for number in range(count):
                order = {"order_id": f"{version}-{number}", "account": "Soak-01", "side": "buy"}
                order |= {"instrument": "CL 02-26", "quantity": version, "state": "working"}
                writer.writerow(order)
        os.replace(draft, self.path)

    def work(self) -> None:
        if self.chance.random() < 0.5:
            self.write()
        self.client.surely("POST", "/api/open-orders/sync").raise_for_status()
        self.model.count("syncs")
        for _ in range(5):
            self.look()
            time.sleep(self.chance.uniform(0, 0.5))

    def look(self) -> None:
        seen = self.client.get("/api/open-orders", per_page=A_PAGE)
        total, versions = seen["pagination"]["total"], versions_of(seen["open_orders"])
        self.model.count("looks")
        if seen["sync"].get("taken_at") is None and not total:
            return
        wanted = self.counts.get(min(versions, default=0))
        if len(versions) != 1 or total != wanted:
            self.model.differ(f"{total} open orders of the versions {versions}; one has {wanted}")

    def last_differs(self) -> list[str]:
        """What of the current snapshot is not as the file, which was synced once more."""
        current = OpenOrderSnapshot.objects.current()
        orders = OpenOrder.objects.filter(snapshot=current).values_list("order_id", flat=True)
        version = len(self.counts)
        wanted = {f"{version}-{number}" for number in range(self.counts[version])}
        if sorted(orders) == sorted(wanted):
            return []
        return [f"the open orders are {len(orders)}, not the {len(wanted)} of version {version}"]


def versions_of(orders: list[dict[str, object]]) -> set[int]:
    return {int(float(str(order["quantity"]))) for order in orders}
