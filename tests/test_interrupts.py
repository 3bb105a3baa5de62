"""Ctrl-C ends what is at work, also where something else comes of it on the way."""

import runpy
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest
from django.contrib.auth.models import User
from django.core import management
from django.db import Error, ProgrammingError, connection

from imports import console, inbox, running
from imports.management.commands import scan_inbox
from imports.models import ImportExecutionLog
from imports.running import run_import
from imports.states import Status
from joblogs.interrupts import heeding_ctrl_c
from tests.conftest import file_of, fill
from tests.processes import ROOT
from tests.test_commands import manage
from tests.test_crashes import queue


def press(*_: object) -> None:
    signal.raise_signal(signal.SIGINT)


def press_and_fail(*_: object) -> None:
    """As Django's atomic does when it cannot roll back."""
    try:
        press()
    except KeyboardInterrupt as pressed:
        raise ProgrammingError("connection in transaction status ACTIVE") from pressed


def press_in_vain(*_: object) -> None:
    """As where Python can only write "Exception ignored"."""
    with suppress(KeyboardInterrupt):
        press()


IN_EACH_WAY = pytest.mark.parametrize("press", [press, press_and_fail, press_in_vain])
COMMITTED = pytest.mark.django_db(transaction=True)


def test_a_command_ends_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(management, "execute_from_command_line", press)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "manage.py"), run_name="__main__")
    assert ended.value.code == 130


@COMMITTED
@IN_EACH_WAY
def test_it_is_heeded_whatever_comes_of_it(press: Callable[[], None]) -> None:
    with pytest.raises(KeyboardInterrupt), heeding_ctrl_c():
        press()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.django_db
def test_what_did_not_come_of_it_stays_what_it_is() -> None:
    with pytest.raises(Error, match="away"), heeding_ctrl_c():
        raise Error("away")
    with pytest.raises(KeyboardInterrupt, match="of its own"), heeding_ctrl_c():
        raise KeyboardInterrupt("of its own")


@COMMITTED
def test_it_is_heeded_by_all_that_heed_it() -> None:
    in_vain = suppress(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt), heeding_ctrl_c(), in_vain, heeding_ctrl_c():
        press()


def test_a_thread_leaves_it_to_the_main_thread() -> None:
    heeded: list[bool] = []

    def work() -> None:
        with heeding_ctrl_c():
            heeded.append(signal.getsignal(signal.SIGINT) is signal.default_int_handler)

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert heeded == [True]


@heeding_ctrl_c()
def begin_by_half() -> None:
    connection.set_autocommit(False)
    connection.in_atomic_block = True
    User.objects.create(username="half")
    press()


@COMMITTED
def test_a_transaction_that_was_begun_by_half_is_left_behind() -> None:
    with pytest.raises(KeyboardInterrupt):
        begin_by_half()
    User.objects.create(username="whole")
    connection.close()
    assert [user.username for user in User.objects.all()] == ["whole"]


@pytest.mark.django_db
def test_a_transaction_around_it_is_not_ours_to_end() -> None:
    ours = connection.connection
    with pytest.raises(KeyboardInterrupt), heeding_ctrl_c():
        press()
    assert connection.connection is ours


@COMMITTED
@IN_EACH_WAY
def test_a_watch_ends(
    press: Callable[[], None], monkeypatch: pytest.MonkeyPatch, settings: object, tmp_path: Path
) -> None:
    settings.TRADELOG_INBOX_DIR = tmp_path
    monkeypatch.setattr(scan_inbox, "scan", press)
    assert manage("scan_inbox", "--watch").splitlines()[1:] == ["Stopped."]


@COMMITTED
@pytest.mark.parametrize("press", [press, press_and_fail])
def test_an_import_tells_that_it_was_stopped(press: Callable[[], None]) -> None:
    log = stopped_by(press)
    assert (log.status, log.owner, log.cursor) == (Status.FAILED, "", 1)
    assert "broke off after 1 lines: stopped by the user." in log.error_summary


@COMMITTED
def test_an_import_that_could_not_be_stopped_tells_that_it_is_done() -> None:
    assert stopped_by(press_in_vain).status == Status.SUCCESS


def stopped_by(press: Callable[[], None]) -> ImportExecutionLog:
    log = queue([fill()])
    with pytest.raises(KeyboardInterrupt):
        run_import(log.pk, on_progress=press)
    log.refresh_from_db()
    return log


@COMMITTED
@IN_EACH_WAY
def test_its_file_is_in_the_inbox_again(
    press: Callable[[], None], monkeypatch: pytest.MonkeyPatch, settings: object, tmp_path: Path
) -> None:
    settings.TRADELOG_INBOX_DIR = tmp_path
    monkeypatch.setattr(inbox, "LOOKS_APART", 0)
    monkeypatch.setattr(console, "recompute_aloud", press)
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "fills.csv").write_text(file_of(fill()))
    assert manage("scan_inbox", "--watch").splitlines()[-1] == "Stopped."
    assert [path.name for path in tmp_path.rglob("*.csv")] == ["fills.csv"]
    assert (tmp_path / "inbox" / "fills.csv").exists()


@COMMITTED
def test_of_several_files_none_is_taken_in_behind_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(file_of(fill(ID=name)))
    monkeypatch.setattr(running, "recompute_for_a_while", press_in_vain)
    with pytest.raises(KeyboardInterrupt):
        manage("import_csv", tmp_path, "--timezone", "UTC")
    assert [log.file_name for log in ImportExecutionLog.objects.all()] == ["a.csv"]
