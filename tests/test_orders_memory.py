"""Many orders: a sync's memory does not grow with them, and readers see whole snapshots only."""

from subprocess import Popen

import pytest
from django.conf import settings
from django.db.models import Count

from bench.syncing import write_orders
from orders.models import OpenOrder, OpenOrderSnapshot
from tests.processes import begin, end, start, wait_until

FEW, MANY = 1_500, 6_000
MOST_GROWTH = 6 * 1024  # kB; all the rows of so many more orders would be several times that
# What `manage.py sync_open_orders` does, and the most memory that it ever had.
DRIVER = """
import sys
import django
django.setup()
from bench.step import peak_memory
from orders import syncing

syncing.settings.TRADELOG_SOURCES["OPEN_ORDERS"]["URL"] = sys.argv[1]
add_lot = syncing.add_lot

def add_and_wait(snapshot, lot):
    add_lot(snapshot, lot)
    syncing.add_lot = add_lot
    say("loading")

def say(word):
    print(word, flush=True)
    sys.stdin.readline()

syncing.add_lot = add_and_wait
say("ready")
syncing.sync()
print(peak_memory())
"""

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_process_left")]


@pytest.fixture(autouse=True)
def own_desk(settings: object) -> None:
    settings.TRADELOG_SOURCES = dict(settings.TRADELOG_SOURCES)
    settings.FILES_DIR.parent.mkdir(exist_ok=True)


def ready(number: int, state: str) -> Popen[str]:
    path = settings.FILES_DIR.parent / "desk.csv"
    write_orders(path, number, state)
    process = start("-c", DRIVER, str(path))
    assert process.stdout.readline() == "ready\n", process.communicate()[1]
    return process


def seen() -> dict[str, int]:
    """What readers see: how many orders of which state."""
    current = OpenOrderSnapshot.objects.current()
    found = OpenOrder.objects.filter(snapshot=current).values_list("state")
    return dict(found.order_by().annotate(number=Count("pk")))


def watched(process: Popen[str], before: dict[str, int], after: dict[str, int]) -> int | None:
    """The peak memory of a sync in kB; nobody saw anything but what was there and what came."""
    begin(process)
    assert process.stdout.readline() == "loading\n"
    assert seen() == before
    begin(process)
    readings: list[dict[str, int]] = []
    wait_until(lambda: readings.append(seen()) or readings[-1] == after, process)
    assert all(one in (before, after) for one in readings)
    ended = end(process)
    assert ended.status == 0, ended.err
    told = ended.out.strip()
    return None if told == "None" else int(told)


def test_four_times_the_orders_need_no_more_memory_and_nobody_sees_a_mixture() -> None:
    few = {"Working": FEW - FEW // 10, "Filled": FEW // 10}
    many = {"Working": MANY - MANY // 10, "Held": MANY // 10}
    peak_of_few = watched(ready(FEW, "Filled"), {}, few)
    peak_of_many = watched(ready(MANY, "Held"), few, many)
    if peak_of_few is None:
        pytest.skip("this system does not tell how much memory a process had")
    assert peak_of_many - peak_of_few < MOST_GROWTH
