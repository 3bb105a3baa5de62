"""manage.py scan_inbox: what it says and how it ends."""

import argparse
from pathlib import Path

import pytest
from django.db import OperationalError

from imports import inbox
from imports.inboxfolders import Folders
from imports.management.commands import scan_inbox
from imports.models import ImportExecutionLog
from tests.conftest import file_of, fill
from tests.test_commands import manage, refused

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.TRADELOG_INBOX_DIR = tmp_path
    monkeypatch.setattr(inbox, "LOOKS_APART", 0)
    return Folders().inbox


def test_each_file_has_its_lines_and_the_scan_a_sum(folder: Path) -> None:
    (folder / "fills.csv").write_text(file_of(fill()))
    (folder / "notes.doc").write_text("")
    said = manage("scan_inbox").splitlines()
    log = ImportExecutionLog.objects.get()
    place = f"archive/{log.queued_at:%Y-%m}/fills.csv"
    assert said[:2] == ["Left alone in inbox: notes.doc.", f"fills.csv: import {log.pk}."]
    assert said[2].startswith("fills.csv: 1 taken in, 0 known, 0 failed in ")
    assert said[3:] == [
        f"fills.csv: import {log.pk} is success; moved to {place}.",
        "1 taken, 0 known, 0 waiting, 1 archived, 0 failed.",
    ]


def test_what_waits_is_told_to_those_who_ask(folder: Path) -> None:
    (folder / "fills.csv").write_text("Instrument")
    why = "fills.csv waits: it has no whole line yet."
    assert why not in manage("scan_inbox")
    assert why in manage("scan_inbox", verbosity=2)


def test_a_failed_file_is_a_failure(folder: Path) -> None:
    (folder / "bad.csv").write_text("no,format\n1,2\n")
    assert "1 failed." in refused("scan_inbox")


def test_an_inbox_that_cannot_be_used_is_a_failure(folder: Path, settings: object) -> None:
    (folder / "file").write_text("")
    settings.TRADELOG_INBOX_DIR = folder / "file"
    assert "cannot be used as a folder of the inbox: Not a dir" in refused("scan_inbox")
    assert "cannot be used as a folder of the inbox: Not a dir" in refused("scan_inbox", "--watch")


def test_a_watch_goes_on_when_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = iter([OperationalError("it is away"), KeyboardInterrupt()])

    def away(*_: object) -> None:
        raise next(ends)

    monkeypatch.setattr(scan_inbox, "scan", away)
    monkeypatch.setattr(scan_inbox, "close_old_connections", lambda: None)
    said = manage("scan_inbox", "--watch", "--every", "0.001").splitlines()
    assert said[1:] == ["it is away", "Stopped."]


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "soon"])
def test_a_pause_is_a_number_of_seconds(text: str) -> None:
    with pytest.raises((argparse.ArgumentTypeError, ValueError)):
        scan_inbox.seconds(text)
