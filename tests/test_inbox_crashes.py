"""The inbox when scans are killed, stopped or at work at the same time. With real processes."""

import signal
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from imports.models import ImportedExecution, ImportExecutionLog
from imports.states import Status
from tests.conftest import file_of, fill
from tests.processes import PATIENCE, end, start, wait_until
from tests.workers import drive_command
from trades.models import Trade

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_process_left")]

# For each number a new file and a child that scans and dies, as by kill -9, before the step of that
# number: a statement to the database, or a change in the folders. Then a child that scans in peace.
# It ends with the number that no scan has as many steps as, and prints the names of the files.
KILLER = """
import os, signal, sys
from datetime import timedelta
from itertools import count
import django
django.setup()
from django.conf import settings
from django.db import connection
from django.utils import timezone
from imports import inbox
from imports.models import ImportExecutionLog
from imports.running import run_import
from tests.conftest import file_of, fill

name = sys.argv[1]
inbox.LOOKS_APART = 0
FOLDER_STEPS = {"os.rename", "os.link", "os.remove", "os.mkdir", "tempfile.mkstemp"}
countdown = 0

def step():
    global countdown
    countdown -= 1
    if countdown == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def execute(run, *arguments):
    step()
    return run(*arguments)

def scan(die_at):
    global countdown
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        past = timezone.now() - timedelta(seconds=1)
        ImportExecutionLog.objects.exclude(lease_until=None).update(lease_until=past)
        connection.execute_wrappers.append(execute)
        countdown = die_at
        inbox.scan("command", lambda log: run_import(log.pk))
        os._exit(0)
    finally:
        os._exit(1)

sys.addaudithook(lambda event, _: step() if event in FOLDER_STEPS else None)
folder = settings.TRADELOG_INBOX_DIR / "inbox"
folder.mkdir()
for step_number in count(1):
    path = folder / name.format(step_number)
    lines = [fill(ID=f"{step_number}-{line}") for line in range(3)]
    path.write_text(file_of(*lines), newline="")
    status = scan(step_number)
    print(path.name)
    if status == 0:
        break
    assert status == -signal.SIGKILL, status
    assert scan(0) == 0
    path.unlink(missing_ok=True)
"""


def folders() -> dict[str, list[str]]:
    root = Path(settings.FILES_DIR.parent)
    return {
        name: sorted(path.name for path in (root / name).rglob("*.csv"))
        for name in ("inbox", "processing", "archive", "error")
    }


def assert_each_once(names: list[str], lines: int) -> None:
    """One import of each file, every line of it once."""
    logs = ImportExecutionLog.objects.all()
    assert Counter(log.file_name for log in logs) == Counter(names)
    assert {(log.status, log.success_rows) for log in logs} == {(Status.SUCCESS, lines)}
    assert Trade.objects.count() == ImportedExecution.objects.count() == lines * len(names)


def test_a_scan_killed_at_any_step_is_completed_by_the_next() -> None:
    ended = end(start("-c", KILLER, "fills-{}.csv"))
    assert (ended.status, ended.err) == (0, "")
    names = ended.out.split()
    assert len(names) > 30
    assert_each_once(names, 3)
    assert folders() == {"inbox": [], "processing": [], "archive": sorted(names), "error": []}


def test_a_scan_of_a_growing_file_killed_at_any_step_is_completed_by_the_next() -> None:
    name = f"fills-{timezone.localdate()}-{{}}.csv"
    ended = end(start("-c", KILLER, name))
    assert (ended.status, ended.err) == (0, "")
    names = ended.out.split()
    assert len(names) > 30
    assert_each_once(names, 3)
    assert folders() == {"inbox": names[-1:], "processing": [], "archive": [], "error": []}


# What `manage.py` would do, with two looks in quick succession.
QUICK = """
import sys
import django
django.setup()
from django.core.management import call_command
from imports import inbox
inbox.LOOKS_APART = 0.2
print("ready", flush=True)
call_command("scan_inbox", *sys.argv[1:])
"""


def drop(name: str, content: str) -> None:
    folder = settings.FILES_DIR.parent / "inbox"
    folder.mkdir(exist_ok=True)
    draft = folder / f"{name}.part"
    draft.write_text(content, newline="")
    draft.rename(folder / name)


def test_several_watchers_take_each_file_once() -> None:
    today = f"{timezone.localdate()}.csv"
    names = [f"fills-{number}.csv" for number in range(12)]
    watchers = [start("-c", QUICK, "--watch", "--every=0.05") for _ in range(3)]
    for watcher in watchers:
        assert watcher.stdout.readline() == "ready\n"
    for name in [*names, today]:
        drop(name, file_of(*(fill(ID=f"{name} {line}") for line in range(20))))
    done = ImportExecutionLog.objects.filter(status=Status.SUCCESS)
    wait_until(lambda: done.count() > 12 and len(folders()["archive"]) == 12, watchers[0])
    for watcher in watchers:
        watcher.send_signal(signal.SIGINT)
    for ended in map(end, watchers):
        assert (ended.status, ended.err) == (0, "")
        assert ended.out.endswith("Stopped.\n")
    assert_each_once([*names, today], 20)
    rest = {"inbox": [today], "processing": [], "error": []}
    assert folders() == rest | {"archive": sorted(names)}


def test_ctrl_c_in_the_middle_of_an_import_loses_nothing() -> None:
    lines = [fill(ID=f"exec-{number}") for number in range(2_000)]
    drop("fills.csv", file_of(*lines))
    watcher = drive_command("scan_inbox", "--watch", chunk=500, rest=PATIENCE)
    wait_until(ImportExecutionLog.objects.filter(cursor__gt=0).exists, watcher)
    watcher.send_signal(signal.SIGINT)
    ended = end(watcher)
    assert (ended.status, ended.err) == (0, "")
    assert folders()["inbox"] == ["fills.csv"]
    assert ImportExecutionLog.objects.get().status == Status.FAILED
    assert end(start("-c", QUICK)).status == 0
    assert folders()["archive"] == ["fills.csv"]
    assert Trade.objects.count() == len(lines)
