"""bin/serve with a worker at work: stopped, killed, and started again."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.generate import ZONE, Expected, write_files
from imports.background import start_import
from imports.models import ImportExecutionLog, ImportRowLog
from imports.storing import Wishes, receive
from joblogs.states import Trigger
from tests.processes import PATIENCE, end, start, still_alive
from tests.test_crashes import assert_ledger_and_trades_agree
from tests.workers import gets_on, has_ended, said, said_in, until
from trades.models import Trade

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_process_left")]


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
    return write_files(tmp_path, 200_000)


@pytest.fixture
def log(expected: Expected, tmp_path: Path) -> ImportExecutionLog:
    """An import that takes some seconds, rung for."""
    with (tmp_path / "fills.csv").open("rb") as source:
        log = receive(source, "fills.csv", Wishes(timezone=ZONE))
    start_import(log, Trigger.MANUAL)
    return log


def all_is_over(process: subprocess.Popen[str]) -> int:
    """The exit status, when neither it nor anything that it started is left."""
    status = process.wait(PATIENCE)
    until(lambda: not still_alive())
    return status % 256


def main_process_of(name: str) -> int:
    """Of the web server or the worker, as bin/serve tells it."""
    return int(re.findall(rf"{name} +started \(pid=(\d+)\)", said())[-1])


WAYS_TO_END: list[tuple[Callable[[subprocess.Popen[str]], None], int]] = [
    (lambda served: os.killpg(served.pid, signal.SIGINT), 130),  # Ctrl-C, as a terminal does
    (lambda served: served.terminate(), 143),
    (lambda served: served.kill(), -signal.SIGKILL),
    (lambda served: os.kill(main_process_of("worker"), signal.SIGKILL), -signal.SIGKILL),
]


def test_however_serving_ends_nothing_is_left_running_and_the_next_goes_on(
    log: ImportExecutionLog, expected: Expected, port: int
) -> None:
    for end_it, status in WAYS_TO_END:
        served = serve(port)
        until(gets_on(log))
        assert len(still_alive()) > 3  # both together, each, and the pool of the worker
        end_it(served)
        assert (all_is_over(served), has_ended(log)) == (status % 256, False)
        assert "Traceback" not in said()
    served = serve(port)
    until(lambda: has_ended(log))
    assert served.poll() is None
    counts = (log.total_rows, log.success_rows, log.failed_rows)
    assert counts == (expected.lines, expected.lines - expected.bad, expected.bad)
    assert ImportRowLog.objects.filter(import_log=log).count() == expected.lines
    assert Trade.objects.count() == log.success_rows
    assert_ledger_and_trades_agree()


def test_a_worker_that_dies_at_once_ends_all(port: int) -> None:
    served = serve(port, TRADELOG_REDIS_URL="redis://127.0.0.1:1/0")
    assert all_is_over(served) != 0
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
