"""Real processes that work on the database of the running tests, to be killed, raced and measured.

A test that starts one needs `django_db(transaction=True)`, or the process would see nothing.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO
from urllib.parse import quote

from django.conf import settings
from django.db import connection
from django.utils import timezone

from imports.models import ImportExecutionLog
from joblogs.owners import begun

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 300  # seconds; on a busy machine nothing is quick
MARK = "TESTED_BY"  # in the environment of every process that a test has started

AT_WORK = """
    SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'
    AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""

# What `manage.py` would do with an import, in chunks so small that a short file has many. It dies,
# as by kill -9, before or after the SQL statement of that number, or is stopped behind a chunk.
DRIVER = """
import os, signal, sys
import django
django.setup()
from django.db import connection
from imports import gathering, rollback, running
from imports.models import ImportExecutionLog
from imports.states import StateConflict
from trades import positions

verb, key, chunk, fatal, moment = sys.argv[1:]
running.CHUNK = rollback.SLICE = positions.SLICE = int(chunk)
gathering.WORTH = 0
countdown = int(fatal)

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def execute_or_die(execute, *arguments):
    global countdown
    countdown -= 1
    if countdown == 0 and moment == "before":
        die()
    result = execute(*arguments)
    if countdown == 0:
        die()
    return result

connection.execute_wrappers.append(execute_or_die)
print("ready", flush=True)
sys.stdin.readline()
def rest(_):
    if moment == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)

if verb == "import":
    print(running.run_import(int(key), on_progress=rest) is not None)
elif verb == "recompute":
    print(positions.recompute_touched())
else:
    try:
        print(rollback.roll_back(ImportExecutionLog.objects.get(pk=key), on_progress=rest))
    except StateConflict:
        print("conflict")
"""


def database_url() -> str:
    """The database of the running tests, as DATABASE_URL."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{at['NAME']}"
    user = ":".join(quote(at[part], safe="") for part in ("USER", "PASSWORD") if at[part])
    return f"postgresql://{user}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


started: list[subprocess.Popen[str]] = []
seen: dict[int, int | None] = {}  # processes with the mark, and when each began


def start(
    *arguments: str, output: IO[str] | int = subprocess.PIPE, **more: str
) -> subprocess.Popen[str]:
    """Python with these arguments, on the tests' database and the test's folder of files.

    A group of its own, as a terminal would make it. `more` goes into its environment.
    """
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "tradelog.settings",
            "DATABASE_URL": database_url(),
            "SECRET_KEY": settings.SECRET_KEY,
            "TRADELOG_DATA_DIR": str(settings.FILES_DIR.parent),
            "TRADELOG_ENV_FILE": "",
            MARK: str(os.getpid()),
        }
        | more,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        text=True,
        start_new_session=True,
    )
    started.append(process)
    seen[process.pid] = begun(process.pid)
    return process


def still_alive() -> list[int]:
    """Processes that the test has started, and those that these have, whose parent may be gone.

    One that was seen once counts until it is gone: while it dies it has no environment any more.
    """
    mark = f"{MARK}={os.getpid()}".encode()
    seen.update({pid: begun(pid) for pid in pids() if has(pid, mark)})
    return [pid for pid, began in seen.items() if began and begun(pid) == began]


def pids() -> Iterator[int]:
    return map(int, filter(str.isdecimal, os.listdir("/proc")))


def has(pid: int, mark: bytes) -> bool:
    try:
        return mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # gone, or somebody else's
        return False


def alive_in_group(group: int) -> list[int]:
    return [pid for pid in pids() if group_of(pid) == group and begun(pid)]


def group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def end_the_rest() -> None:
    """End every process that was started and still lives, and whatever it has started."""
    while alive := still_alive():
        for pid in alive:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    seen.clear()
    if started:
        wait_for_the_sessions_of_the_dead()
    while started:
        process = started.pop()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()


def wait_for_the_sessions_of_the_dead() -> None:
    """PostgreSQL ends the statement that it is at, and keeps what that has done."""
    if connection.vendor != "postgresql":
        return
    deadline = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        cursor.execute(AT_WORK)
        while cursor.fetchall():
            assert time.monotonic() < deadline, "The dead go on."
            time.sleep(0.01)
            cursor.execute(AT_WORK)


@dataclass
class Ended:
    status: int
    out: str
    err: str


def end(process: subprocess.Popen[str]) -> Ended:
    """Wait for a process, and end it by force when the patience is over."""
    try:
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return Ended(process.returncode, out, err)


def drive(
    verb: str, log: ImportExecutionLog, *, chunk: int = 100, die_at: int = 0, moment: str = "before"
) -> subprocess.Popen[str]:
    """Start a process that will import, roll back or recompute, and wait until it is `ready`."""
    process = start("-c", DRIVER, verb, str(log.pk), str(chunk), str(die_at), moment)
    assert process.stdout.readline() == "ready\n", process.communicate()[1]
    return process


def begin(*processes: subprocess.Popen[str]) -> None:
    """Let processes that are ready begin at the same moment."""
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()


def go(*processes: subprocess.Popen[str]) -> list[Ended]:
    """Let processes that are ready do their work, and wait for all."""
    begin(*processes)
    return [end(process) for process in processes]


def kill(process: subprocess.Popen[str]) -> None:
    """kill -9, and wait until the process and its connection are gone."""
    process.send_signal(signal.SIGKILL)
    end(process)


def wait_until(fact: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for what the process is to bring about; fail if it ends or dawdles instead."""
    deadline = time.monotonic() + PATIENCE
    while True:
        is_last = process.poll() is not None or time.monotonic() > deadline
        if fact():  # asked after that: it may be the last thing that the process has done
            return
        if is_last:
            process.kill()
            raise AssertionError(f"It did not come true: {end(process)}")
        time.sleep(0.005)


def wait_until_stopped(process: subprocess.Popen[str]) -> None:
    assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1]), "it ended instead"


def expire_lease(log: ImportExecutionLog) -> None:
    """As if the time that a dead owner had left were over."""
    past = timezone.now() - timedelta(seconds=1)
    ImportExecutionLog.objects.filter(pk=log.pk, lease_until__isnull=False).update(lease_until=past)
