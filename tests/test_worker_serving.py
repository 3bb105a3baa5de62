"""bin/serve with a worker at work: stopped, killed, and started again."""

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from bench.generate import ZONE, Expected, write_files
from imports.background import start_import
from imports.models import ImportExecutionLog, ImportRowLog
from imports.states import Status
from imports.storing import Wishes, receive
from joblogs.states import Trigger
from tests.processes import end, start, still_alive
from tests.test_crashes import assert_ledger_and_trades_agree
from tests.workers import has_ended, said, said_in, until
from trades.models import Trade

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_process_left")]

ENOUGH = 20  # seconds in which everything must have ended


def serve(port: int, **environment: str) -> subprocess.Popen[str]:
    with said_in().open("w") as output:
        return start("bin/serve", "--port", str(port), output=output, **environment)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def expected(tmp_path: Path) -> Expected:
    return write_files(tmp_path, 20_000)


@pytest.fixture
def log(expected: Expected, tmp_path: Path) -> ImportExecutionLog:
    """An import that takes some seconds, rung for."""
    with (tmp_path / "fills.csv").open("rb") as source:
        log = receive(source, "fills.csv", Wishes(timezone=ZONE))
    start_import(log, Trigger.MANUAL)
    return log


def is_at_work(log: ImportExecutionLog) -> bool:
    log.refresh_from_db()
    return log.cursor > 0


def all_is_over(process: subprocess.Popen[str]) -> int:
    """The exit status, when neither it nor anything that it started is left."""
    began = time.monotonic()
    status = process.wait(ENOUGH)
    until(lambda: not still_alive())
    assert time.monotonic() - began < ENOUGH
    return status


def serve_to_the_end(log: ImportExecutionLog, expected: Expected, port: int) -> None:
    """Serve again on the same port until the import has ended, as it should."""
    log.refresh_from_db()
    assert log.status == Status.RUNNING
    served = serve(port)
    until(lambda: has_ended(log))
    assert served.poll() is None
    assert log.total_rows == expected.lines
    assert log.failed_rows == expected.bad
    assert log.success_rows == expected.lines - expected.bad == Trade.objects.count()
    assert ImportRowLog.objects.filter(import_log=log).count() == expected.lines
    assert_ledger_and_trades_agree()


@pytest.mark.parametrize(("stop", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_serving_ends_at_once_and_goes_on_where_it_was(
    log: ImportExecutionLog, expected: Expected, port: int, stop: signal.Signals, status: int
) -> None:
    served = serve(port)
    until(lambda: is_at_work(log))
    if stop == signal.SIGINT:
        os.killpg(served.pid, stop)  # as a terminal does
    else:
        served.send_signal(stop)
    assert all_is_over(served) == status
    assert "Traceback" not in said()
    serve_to_the_end(log, expected, port)


def test_killed_it_leaves_no_process_behind(
    log: ImportExecutionLog, expected: Expected, port: int
) -> None:
    served = serve(port)
    until(lambda: is_at_work(log))
    served.kill()
    assert all_is_over(served) == -signal.SIGKILL
    serve_to_the_end(log, expected, port)


@pytest.mark.parametrize("name", ["web", "worker"])
def test_when_one_of_the_two_is_killed_all_ends(port: int, name: str) -> None:
    served = serve(port)
    started = re.compile(rf"{name} +started \(pid=(\d+)\)")
    until(lambda: started.search(said()) and len(still_alive()) > 8)
    os.kill(int(started.search(said())[1]), signal.SIGKILL)
    assert all_is_over(served) != 0


def test_a_worker_that_dies_at_once_ends_all(port: int) -> None:
    served = serve(port, TRADELOG_REDIS_URL="redis://127.0.0.1:1/0")
    assert all_is_over(served) not in (None, 0)
    assert "tradelog is at" in said()
    assert "Can not connect to Redis server." in said()


def test_a_port_that_is_taken_is_told_before_anything_is_done(port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        ended = end(start("bin/serve", "--port", str(port)))
    assert ended.status == 1
    assert ended.err == f"Port {port} is taken; choose another, like: bin/serve --port {port + 1}\n"
    assert not ImportExecutionLog.objects.exists()
