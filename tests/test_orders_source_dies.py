"""Servers of the desk that end our session while we fetch, as when they are stopped."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from joblogs.models import JobLog
from joblogs.running import run_job, start
from joblogs.states import Trigger
from orders.models import OpenOrder, OpenOrderSnapshot
from orders.spool import Spool
from orders.states import Status, Step
from orders.syncing import sync
from orders.tasks import SYNC
from sources.reading import SourceError
from tests import desk
from tests.desk import orders
from tests.test_sources_servers import MariaDB, PostgreSQL, at_work

Server = PostgreSQL | MariaDB

FIELDS = ("order_id", "account", "instrument", "side", "quantity")
QUERY = """
SELECT n AS order_id, 'Sim101' AS account, 'ES 03-26' AS instrument, 'Buy' AS side, 1 AS quantity
FROM ({}) AS numbers
"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[PostgreSQL, MariaDB], ids=lambda kind: kind.__name__)
def server(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[Server]:
    with closing(at_work(request.param)) as one:
        yield one


@pytest.fixture(autouse=True)
def own_desk(settings: object, transactional_db: None) -> None:
    """Three orders are there, from a file."""
    settings.TRADELOG_SOURCES = dict(settings.TRADELOG_SOURCES)
    settings.FILES_DIR.parent.mkdir(exist_ok=True)
    desk.shows(*orders(3))
    sync()


def ask(server: Server, numbers: str) -> None:
    mapping = ",".join(f"{name}={name}" for name in FIELDS)
    desk.ask(server.url.render_as_string(hide_password=False), QUERY.format(numbers), mapping)


def die_behind(lots: int, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    add = Spool.add

    def add_and_end(spool: Spool, lot: list) -> None:
        add(spool, lot)
        if spool.lots == lots:
            (reader,) = server.readers()
            server.end(reader)

    monkeypatch.setattr(Spool, "add", add_and_end)


def sync_as_job() -> JobLog:
    log = start(SYNC, trigger=Trigger.MANUAL)
    run_job(log, sync)
    return log


def test_the_orders_stay_the_log_says_why_and_the_next_run_mends_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = OpenOrderSnapshot.objects.current()
    ask(server, server.endless)
    die_behind(3, server, monkeypatch)
    with pytest.raises(SourceError, match="broke off"):
        sync_as_job()
    assert OpenOrderSnapshot.objects.current() == before
    assert OpenOrder.objects.count() == before.orders.count() == 3
    broken = OpenOrderSnapshot.objects.last_ended()
    assert (broken.status, broken.step) == (Status.FAILED, Step.FETCH)

    log = JobLog.objects.get()
    assert log.status == "error"
    assert "Open orders: the database at 127.0.0.1" in log.error
    said = [*log.details.values_list("message", flat=True)]
    assert any(one.startswith("Connected to ") for one in said)
    assert any(one.startswith("Fetching failed: Open orders: the database at ") for one in said)
    assert not any(one.startswith("Batch ") for one in said)

    monkeypatch.undo()
    ask(server, "SELECT 1 AS n UNION ALL SELECT 2")
    sync_as_job()
    current = OpenOrderSnapshot.objects.current()
    assert [*current.orders.values_list("order_id", flat=True)] == ["1", "2"]
    assert OpenOrderSnapshot.objects.loading() is None
