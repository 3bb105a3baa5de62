"""Workers whose database goes away, is restarted, or is held by somebody else."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from joblogs.models import JobLog
from tests.conftest import file_of
from tests.processes import end
from tests.test_crashes import some_lines, undisturbed, whole_truth
from tests.test_worker import go_on_until_ended, ring
from tests.workers import attend_later, drive_command, gets_on, hurry, start_worker, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_process_left")]

on_postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="is of PostgreSQL")
on_sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="is of SQLite")

END_THE_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend'
"""


@on_postgresql
def test_connections_that_are_ended_again_and_again_cost_nothing() -> None:
    lines = some_lines(seed=90, count=2_000)
    truth = undisturbed(lines)
    worker = start_worker(chunk=50, rest=0.3)
    log = ring(lines)
    for _ in range(3):
        is_on = gets_on(log)
        until(lambda is_on=is_on: is_on() or attend_later())
        with connection.cursor() as cursor:
            cursor.execute(END_THE_OTHERS)
    hurry()
    go_on_until_ended(log)
    assert whole_truth(log) == truth
    assert worker.poll() is None
    until(lambda: not JobLog.objects.exclude(status__in=["success", "error"]).exists())
    assert JobLog.objects.filter(status="error").exists()


@on_sqlite
def test_a_database_that_somebody_else_holds_for_long_costs_nothing() -> None:
    lines = some_lines(seed=91)
    truth = undisturbed(lines)
    worker = start_worker(chunk=50, rest=0.1, database={"timeout": 0.3})
    log = ring(lines)
    until(gets_on(log))
    with connection.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        time.sleep(2)
        cursor.execute("COMMIT")
    hurry()
    go_on_until_ended(log)
    assert whole_truth(log) == truth
    assert worker.poll() is None


# --- A server of the test's own


def found(program: str) -> str | None:
    """Where a program of the server is; Debian keeps them off the PATH."""
    debian = map(str, Path("/usr/lib/postgresql").glob("*/bin"))
    return shutil.which(program, path=os.pathsep.join([os.environ["PATH"], *debian]))


class Server:
    """A PostgreSQL server of its own folder and port; its owner is no root."""

    def __init__(self, said_in: Path) -> None:
        self.said_in = said_in
        self.user = "postgres" if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="tradelog-postgresql-"))
        if self.user:
            shutil.chown(self.folder, self.user)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.data = self.folder / "data"
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self.run("initdb", "--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8")

    def run(self, program: str, *arguments: str) -> None:
        command = [found(program), *arguments, f"--pgdata={self.data}"]
        # A file and no pipe: the server keeps what it is given open.
        with self.said_in.open("a+") as output:
            done = subprocess.run(command, stdout=output, stderr=output, user=self.user, cwd="/")
            output.seek(0)
            assert done.returncode == 0, output.read()

    def control(self, verb: str) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -k {self.folder} -c fsync=off"
        how = [] if verb == "start" else ["--mode=immediate"]
        how += [] if verb == "stop" else [f"--options={options}"]
        self.run("pg_ctl", verb, "--wait", "--silent", *how)

    def remove(self) -> None:
        shutil.rmtree(self.folder)

    def ask(self, query: str) -> tuple:
        with psycopg.connect(self.url) as asking:
            return asking.execute(query).fetchone()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    if not found("initdb"):
        pytest.skip("there is no initdb to make a server with")
    one = Server(tmp_path / "server.txt")
    one.control("start")
    yield one
    one.control("stop")
    one.remove()


@on_postgresql
def test_a_server_that_is_restarted_in_the_middle_costs_nothing(
    server: Server, tmp_path: Path
) -> None:
    lines = some_lines(seed=92, count=3_000)
    path = tmp_path / "fills.csv"
    path.write_text(file_of(*lines), newline="")
    for command in (
        ("migrate", "--verbosity=0"),
        ("import_csv", str(path), "--timezone=UTC", "--background"),
    ):
        ended = end(drive_command(*command, DATABASE_URL=server.url))
        assert (ended.status, ended.err) == (0, "")
    worker = start_worker(chunk=50, rest=0.3, DATABASE_URL=server.url)
    until(lambda: server.ask("SELECT cursor FROM import_execution_logs")[0] > 200)
    server.control("restart")
    assert server.ask("SELECT status FROM import_execution_logs") == ("running",)
    hurry()
    until(lambda: goes_on(server))
    assert worker.poll() is None
    columns = "total_rows, success_rows, failed_rows, skipped_rows"
    assert server.ask(f"SELECT {columns} FROM import_execution_logs") == undisturbed(lines)[0][1:]
    assert server.ask("SELECT count(*) FROM trades") == server.ask(
        "SELECT count(DISTINCT (account_id, execution_id)) FROM imported_executions"
    )


def goes_on(server: Server) -> bool:
    """Let a minute pass; whether the import has ended."""
    call = "from joblogs.tasks import attend; attend()"
    end(drive_command("shell", "--no-imports", "-c", call, DATABASE_URL=server.url))
    return server.ask("SELECT status FROM import_execution_logs") != ("running",)
