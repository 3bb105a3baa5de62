"""Syncs by real processes that are killed, raced and watched: readers see whole snapshots only."""

import os
import signal
from collections.abc import Iterator
from subprocess import Popen

import pytest
from django.conf import settings
from django.test import Client

from joblogs.models import JobLog
from joblogs.reaper import bury_the_silent
from orders.models import OpenOrder, OpenOrderSnapshot
from orders.states import Status
from orders.syncing import sync
from tests import desk
from tests.desk import orders
from tests.processes import begin, end, go, kill, start, wait_until, wait_until_stopped

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_process_left")]

MANY = 60
# `manage.py sync_open_orders` in lots of ten. It dies, as by kill -9, at the SQL statement of that
# number, or is stopped behind its second lot.
DRIVER = """
import os, signal, sys
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from orders import syncing

url, fatal = sys.argv[1:]
syncing.LOT = 10
syncing.settings.TRADELOG_SOURCES["OPEN_ORDERS"]["URL"] = url
countdown = int(fatal) if fatal.isdecimal() else 0
add_lot, lots = syncing.add_lot, []

def execute_or_die(execute, *arguments):
    global countdown
    countdown -= 1
    if countdown == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(*arguments)

def add_and_rest(snapshot, lot):
    add_lot(snapshot, lot)
    lots.append(lot)
    if fatal == "stop" and len(lots) == 2:
        os.kill(os.getpid(), signal.SIGSTOP)

syncing.add_lot = add_and_rest
connection.execute_wrappers.append(execute_or_die)
print("ready", flush=True)
sys.stdin.readline()
call_command("sync_open_orders")
"""


@pytest.fixture(autouse=True)
def own_desk(settings: object) -> Iterator[None]:
    settings.TRADELOG_SOURCES = dict(settings.TRADELOG_SOURCES)
    settings.FILES_DIR.parent.mkdir(exist_ok=True)
    desk.shows(*orders(MANY, state="old"))
    sync()
    desk.shows(*orders(MANY + 7, state="new"))


def ready(fatal: str = "0") -> Popen[str]:
    url = settings.TRADELOG_SOURCES["OPEN_ORDERS"]["URL"]
    process = start("-c", DRIVER, url, fatal)
    assert process.stdout.readline() == "ready\n", process.communicate()[1]
    return process


def seen() -> dict[str, int]:
    """What readers see: how many orders of which state."""
    current = OpenOrderSnapshot.objects.current()
    found = OpenOrder.objects.filter(snapshot=current).values_list("state", flat=True)
    states = [*found]
    return {state: states.count(state) for state in {*states}}


OLD, NEW = {"old": MANY}, {"new": MANY + 7}


@pytest.mark.parametrize("statement", [4, 11, 18, 25, 31])
def test_a_kill_at_any_moment_leaves_a_whole_snapshot_and_the_next_sync_mends_it(
    statement: int,
) -> None:
    process = ready(str(statement))
    [ended] = go(process)
    assert seen() in (OLD, NEW)
    assert ended.status == -signal.SIGKILL
    bury_the_silent()
    assert not JobLog.objects.filter(status="processing").exists()
    sync()
    assert seen() == NEW
    assert OpenOrderSnapshot.objects.loading() is None
    broken = OpenOrder.objects.exclude(snapshot__status=Status.COMPLETE)
    assert not broken.exists()


def test_two_at_once_are_one() -> None:
    ended = go(*[ready() for _ in range(2)])
    assert [one.status for one in ended] == [0, 0], ended
    left = [one for one in ended if "Another sync is at work; this one leaves." in one.out]
    complete = OpenOrderSnapshot.objects.filter(status=Status.COMPLETE)
    assert complete.count() == 1 + 2 - len(left)
    assert seen() == NEW


def test_while_one_is_stopped_another_leaves_and_readers_read(client: Client, vera: object) -> None:
    process = ready("stop")
    begin(process)
    wait_until_stopped(process)
    assert OpenOrder.objects.filter(state="new").count() == 20
    assert seen() == OLD
    client.force_login(vera)
    assert f"of {MANY} open orders" in client.get("/open-orders/").content.decode()
    assert sync() == {"left": True}
    os.kill(process.pid, signal.SIGCONT)
    assert end(process).status == 0
    assert seen() == NEW


def test_one_that_is_killed_while_it_writes_is_no_obstacle() -> None:
    process = ready("stop")
    begin(process)
    wait_until_stopped(process)
    kill(process)
    assert seen() == OLD
    sync()
    assert seen() == NEW
    assert not OpenOrder.objects.filter(snapshot__status=Status.FAILED).exists()


def test_whoever_reads_all_the_while_sees_old_or_new_and_never_both() -> None:
    before = OpenOrderSnapshot.objects.current()
    process = ready("stop")
    begin(process)
    wait_until_stopped(process)
    readings = [seen()]
    os.kill(process.pid, signal.SIGCONT)
    wait_until(lambda: readings.append(seen()) or readings[-1] == NEW, process)
    end(process)
    assert readings[0] == OLD
    assert all(one in (OLD, NEW) for one in readings)
    # Who began before the change reads to the end.
    assert OpenOrder.objects.filter(snapshot=before).count() == MANY
