"""kill -9 while days are fetched and while they are taken in, with real processes."""

import random
import signal
from datetime import date
from pathlib import Path

import pytest

from imports.claims import claim
from imports.daterange import receive_range
from imports.models import ImportedExecution, ImportExecutionLog
from imports.rollback import roll_back
from imports.running import run_import
from imports.states import Status
from tests.fillsource import FillSource, use
from tests.processes import DRIVER, expire_lease, go, start
from tests.test_crashes import whole_truth
from trades.models import Trade

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_process_left")]
DAYS = range(5, 11)


@pytest.fixture
def source(tmp_path: Path, settings: object) -> FillSource:
    """Six days with 50 fills each, of which some have no id and some cannot be read."""
    source = FillSource(tmp_path / "desk.sqlite3").prepare()
    with source.connected() as database:
        for day in DAYS:
            rows = [
                (f"{day}-{n}" if n % 3 else None, f"2026-01-{day:02} 10:{n // 2:02}:00", n)
                for n in range(50)
            ]
            database.executemany(
                "INSERT INTO fills VALUES (?1, 'Sim101', 'MNQ 03-26', 'Buy', "
                "CASE WHEN ?3 % 17 = 5 THEN 'none' ELSE 1 END, 21350.5, 0.52, ?2)",
                rows,
            )
    use(settings, source.as_setting())
    return source


def receive() -> ImportExecutionLog:
    return receive_range(date(2026, 1, DAYS[0]), date(2026, 1, DAYS[-1]))


def die_at(log: ImportExecutionLog, source: FillSource, statement: int, moment: str) -> None:
    process = start(
        "-c",
        DRIVER,
        "import",
        str(log.pk),
        "40",
        str(statement),
        moment,
        **source.as_environment(),
    )
    assert process.stdout.readline() == "ready\n", process.communicate()[1]
    (died,) = go(process)
    assert died.status == -signal.SIGKILL, died.err


@pytest.mark.parametrize("statement", [4, 8, 13, 30])
def test_killed_at_any_statement_it_is_completed_by_the_next(
    source: FillSource, statement: int
) -> None:
    calm = run_import(receive().pk)
    truth = whole_truth(calm)
    assert (calm.status, calm.total_rows) == (Status.PARTIAL, 300)
    roll_back(calm)
    log = receive()
    moment = random.Random(statement).choice(["before", "after"])
    die_at(log, source, statement, moment)
    expire_lease(log)
    run_import(log.pk)
    assert whole_truth(log) == truth
    assert [day["status"] for day in log.days] == ["done"] * len(DAYS)


def test_days_that_were_brought_are_not_asked_for_again(source: FillSource) -> None:
    log = receive()
    die_at(log, source, 7, "after")
    log.refresh_from_db()
    brought = [day["date"] for day in log.days if day["status"] == "done"]
    assert 0 < len(brought) < len(DAYS)
    for day in brought:
        source.spoil(day)
    expire_lease(log)
    assert run_import(log.pk).success_rows == 282


def test_who_has_lost_the_import_while_fetching_writes_nothing(source: FillSource) -> None:
    log = receive()

    def lose(_: ImportExecutionLog) -> None:
        expire_lease(log)
        assert claim(log.pk, Status.RUNNING)

    lost = run_import(log.pk, on_progress=lose)
    assert (lost.status, lost.cursor, lost.file_hash) == (Status.RUNNING, 0, "")
    assert not Trade.objects.exists()
    expire_lease(log)
    assert run_import(log.pk).success_rows == 282
    assert ImportedExecution.objects.count() == 282
