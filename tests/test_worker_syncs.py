"""What real workers do with a sync of the open orders, and what is left of it when they die."""

from pathlib import Path

import pytest
from django.conf import settings as ours
from django.contrib.auth.models import User

from joblogs.models import JobLog, JobLogDetail
from joblogs.states import Status, Trigger
from orders.models import OpenOrder, OpenOrderSnapshot
from orders.syncing import sync
from orders.tasks import SYNC, ask_for_sync
from tests import desk
from tests.desk import orders
from tests.workers import attend_later, bury, kill_all, start_worker, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_process_left")]

OLD, NEW = 30, 60


@pytest.fixture
def path(settings: object) -> Path:
    """Of a desk that showed other orders when it was mirrored the last time."""
    settings.TRADELOG_SOURCES = dict(settings.TRADELOG_SOURCES)
    ours.FILES_DIR.parent.mkdir(exist_ok=True)
    desk.shows(*orders(OLD, state="old"))
    sync()
    return desk.shows(*orders(NEW, state="new"))


def seen() -> list[tuple[str, str]]:
    """What readers see."""
    current = OpenOrderSnapshot.objects.current()
    return sorted(current.orders.values_list("order_id", "state"))


def all_of(number: int, state: str) -> list[tuple[str, str]]:
    return sorted((f"O-{one}", state) for one in range(1, number + 1))


def test_a_worker_that_dies_while_it_syncs_leaves_the_orders_and_the_next_mends_it(
    path: Path, olga: User
) -> None:
    source = {"TRADELOG_OPEN_ORDERS_URL": str(path)}
    ask_for_sync(Trigger.MANUAL, olga)
    worker = start_worker(chunk=10, rest=1, **source)
    told = JobLogDetail.objects.filter(message="Batch 1/6 imported (10 records)")
    until(lambda: told.exists() and OpenOrder.objects.filter(state="new").count() >= 20)
    kill_all(worker)
    assert seen() == all_of(OLD, "old")
    assert OpenOrderSnapshot.objects.loading().is_abandoned
    bury()
    broken = JobLog.objects.filter(job=SYNC, status=Status.ERROR).get()
    assert "abandoned: its process is gone" in broken.error
    assert told.get().job_log == broken

    ask_for_sync(Trigger.MANUAL, olga)
    attend_later()
    start_worker(chunk=10, **source)
    until(lambda: seen() == all_of(NEW, "new"))
    until(lambda: OpenOrderSnapshot.objects.loading() is None)
    assert not OpenOrder.objects.filter(snapshot__status="failed").exists()
