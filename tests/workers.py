"""Real workers (`manage.py qcluster`) on the database of the running tests, to be killed and raced.

Each is a main process with its pool in a group of its own. What would take minutes is made short:
a driver sets chunks, slices and times before it runs the command.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from imports.models import ImportExecutionLog
from imports.states import ACTIVE
from joblogs.models import JobLog
from joblogs.owners import is_dead
from joblogs.states import Status
from joblogs.tasks import attend
from tests.processes import PATIENCE, alive_in_group, start

# Dies, as by kill -9, when it comes to a line with the word poison. Rests while nobody hurries.
DRIVER = """
import json, os, signal, sys, time
import django
from django.conf import settings
wishes = json.loads(sys.argv[1])
settings.Q_CLUSTER |= wishes["queue"]
settings.DATABASES["default"].setdefault("OPTIONS", {}).update(wishes["database"])
django.setup()
from django.core.management import call_command
import django_q.pusher
from imports import background, claims, inbox, rollback, running
from orders import syncing
from batches import background as of_batches
from tests import brokers

brokers.know_all()
of_batches.SLICE = wishes["slice"]
running.CHUNK = rollback.SLICE = wishes["chunk"]
inbox.LOOKS_APART = 0.2
background.SLICE = wishes["slice"]
django_q.pusher.sleep = lambda seconds: time.sleep(0.5)  # ten, when the database is away
write_chunk = running.write_chunk

def rest():
    over_at = time.monotonic() + wishes["rest"]
    while time.monotonic() < over_at and not os.path.exists(wishes["hurry"]):
        time.sleep(0.01)

def write_or_die(log, chunk, places, meanwhile):
    if any("poison" in cells for cells in chunk.rows.cells):
        os.kill(os.getpid(), signal.SIGKILL)
    write_chunk(log, chunk, places, meanwhile)
    rest()

running.write_chunk = write_or_die
syncing.LOT = wishes["chunk"]
add_lot = syncing.add_lot

def add_lot_and_rest(snapshot, lot):
    add_lot(snapshot, lot)
    rest()

syncing.add_lot = add_lot_and_rest
call_command(*sys.argv[2:])
"""


def drive_command(
    *command: str,
    chunk: int = 100,
    slice: float = 60,
    rest: float = 0,
    queue: dict[str, object] | None = None,
    database: dict[str, object] | None = None,
    output: int = subprocess.PIPE,
    **environment: str,
) -> subprocess.Popen[str]:
    """A command of manage.py that rests (seconds) behind every chunk, of lines or of open orders.

    Until `hurry`: so it does not come to its end before a test has done what it wants to. `queue`
    is of Q_CLUSTER.
    """
    wishes = {"chunk": chunk, "slice": slice, "rest": rest, "hurry": str(hurry_when_there())}
    wishes |= {"queue": queue or {}, "database": database or {}}
    arguments = ["-c", DRIVER, json.dumps(wishes), *command]
    return start(*arguments, output=output, **environment)


def start_worker(**wishes: object) -> subprocess.Popen[str]:
    """A worker with its whole pool; what it says is in `said`."""
    settings.FILES_DIR.mkdir(parents=True, exist_ok=True)
    with said_in().open("a") as output:
        return drive_command("qcluster", output=output, **wishes)


def hurry_when_there() -> Path:
    return settings.FILES_DIR.parent / "hurry"


def hurry() -> None:
    """Let workers and batches of this test rest no more."""
    hurry_when_there().touch()


def said_in() -> Path:
    return settings.FILES_DIR.parent / "workers.txt"


def said() -> str:
    """What the workers of this test have said."""
    return said_in().read_text()


def kill_all(worker: subprocess.Popen[str]) -> None:
    """kill -9 of the whole group, as when the machine goes down, until all of it is gone."""
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    until(lambda: not alive_in_group(worker.pid))


def start_whole_workers(count: int, **wishes: object) -> list[subprocess.Popen[str]]:
    """Workers with their pools: while it starts, none bears that its database goes away."""
    workers = [start_worker(**wishes) for _ in range(count)]
    whole = 4 + settings.Q_CLUSTER["workers"]  # and who starts, guards, fetches and writes down
    until(lambda: all(len(alive_in_group(worker.pid)) >= whole for worker in workers))
    return workers


def kill_the_busy(log: ImportExecutionLog) -> None:
    """kill -9 of the one process of the pool that works on an import."""
    log.refresh_from_db()
    os.kill(int(log.owner.split(":")[1]), signal.SIGKILL)
    until(lambda: is_dead(log.owner))


def until(fact: Callable[[], object]) -> None:
    """Wait for what the workers are to bring about."""
    deadline = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < deadline, f"It did not come true. {state()}"
        time.sleep(0.02)


def state() -> str:
    jobs = list(JobLog.objects.values_list("name", "job", "status", "error"))
    imports = ImportExecutionLog.objects.values_list("pk", "status", "cursor", "attempt", "owner")
    return f"{jobs} {list(imports)} {said() if said_in().exists() else ''}"


def attend_later() -> None:
    """What bin/serve does at its start and a worker every minute, when a minute has passed."""
    rung_at = timezone.now() - timedelta(minutes=2)
    JobLog.objects.filter(status=Status.NEW).update(rung_at=rung_at)
    attend()


def bury() -> None:
    """What the minute tick does for the jobs of the dead, once the living have ended theirs."""
    working = JobLog.objects.filter(status=Status.PROCESSING).values_list("owner", flat=True)
    until(lambda: all(map(is_dead, working.all())))
    attend()


def has_ended(log: ImportExecutionLog) -> bool:
    log.refresh_from_db()
    return log.status not in ACTIVE


def gets_on(log: ImportExecutionLog) -> Callable[[], bool]:
    """Whether more lines are done than when this was asked for."""
    log.refresh_from_db()
    further = ImportExecutionLog.objects.filter(pk=log.pk, cursor__gt=log.cursor)
    return further.exists
