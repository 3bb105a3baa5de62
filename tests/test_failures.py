"""A disk that is full, a database that is away, a clock that jumps, a worker that hangs."""

import errno
import io
import os
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from imports.models import ImportExecutionLog
from imports.running import run_import
from imports.states import Status
from imports.storing import Wishes, receive
from tests.conftest import file_of, fill
from web.failures import reason

pytestmark = pytest.mark.django_db

AWAY = 'connection to server at "db.example", port 5432 failed: Connection refused'
FILE = file_of(*(fill(ID=f"e{number}") for number in range(300)))


@pytest.fixture
def browser(client: Client, adam: User) -> Client:
    """A browser that shows what the server answers, whatever was raised there."""
    client.force_login(adam)
    client.raise_request_exception = False
    return client


def failing(problem: Exception) -> Callable:
    def execute(*_: object) -> None:
        raise problem

    return connection.execute_wrapper(execute)


# --- The database


@pytest.mark.parametrize("problem", [OperationalError(AWAY), InterfaceError("already closed")])
def test_a_page_says_that_the_database_is_away(browser: Client, problem: Exception) -> None:
    with failing(problem):
        page = browser.get("/")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "10")
    assert "The database cannot be reached at the moment" in page.text
    assert "db.example" not in page.text
    assert page.headers["X-Request-ID"] in page.text
    assert browser.get("/").status_code == 200


def test_the_api_says_it_in_its_own_way(browser: Client) -> None:
    with failing(OperationalError(AWAY)):
        answer = browser.get("/api/import-logs/list")
    assert (answer.status_code, answer.json()["error_code"]) == (503, "UNAVAILABLE")
    assert answer.json()["success"] is False
    assert browser.get("/api/import-logs/list").status_code == 200


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (OperationalError("database or disk is full"), "disk of the server is full"),
        (
            OperationalError('could not extend file "base/1": No space'),
            "disk of the server is full",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), "disk of the server is full"),
        (OperationalError("database is locked"), "busy with something else"),
        (OSError(errno.ENOENT, "No such file"), ""),
        (ValueError("a bug"), ""),
        (None, ""),
    ],
)
def test_it_says_what_it_is(problem: Exception | None, words: str) -> None:
    assert words in reason(problem)
    assert bool(words) == bool(reason(problem))


# --- The disk


def test_a_file_that_does_not_fit_is_a_failed_import(
    browser: Client, monkeypatch: pytest.MonkeyPatch, settings: object
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("imports.storing.os.fsync", full)
    file = SimpleUploadedFile("fills.csv", FILE.encode())
    answer = browser.post("/api/import-logs/upload", {"file": file})
    assert "could not be read or stored: No space left on device" in answer.json()["message"]
    assert ImportExecutionLog.objects.get().status == Status.FAILED
    assert os.listdir(settings.FILES_DIR) == []
    monkeypatch.undo()
    file.seek(0)
    browser.post("/api/import-logs/upload", {"file": file})
    call_command("reconcile", stdout=io.StringIO())


@pytest.fixture
def nearly_full() -> Iterator[None]:
    """SQLite may make its file no larger: what it does on a full disk."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL cannot be told to find its disk full")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        pages = cursor.fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        yield
        cursor.execute("PRAGMA max_page_count = 1073741823")


@pytest.mark.django_db(transaction=True)
def test_an_import_goes_on_when_there_is_room_again(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr("imports.running.CHUNK", 100)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # no room is left that others have emptied
    log = receive(io.BytesIO(FILE.encode()), "fills.csv", Wishes(timezone="UTC"))

    def fills_up(done: ImportExecutionLog) -> None:
        if done.cursor == 100:
            request.getfixturevalue("nearly_full")

    with pytest.raises(OperationalError, match="full"):
        run_import(log.pk, on_progress=fills_up)
    log.refresh_from_db()
    assert (log.status, log.owner) == (Status.RUNNING, "")
    assert 100 <= log.cursor < 300
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count = 1073741823")
    assert run_import(log.pk).status == Status.SUCCESS
    log.refresh_from_db()
    assert (log.total_rows, log.success_rows) == (300, 300)
    call_command("reconcile", stdout=io.StringIO())
