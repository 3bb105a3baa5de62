"""The log of the server: which request or job a line belongs to, and no secret in it."""

import json
import logging
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings as of_django
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client

from joblogs.models import JobLog
from joblogs.running import run_job
from joblogs.states import Trigger
from tradelog.checks import log_problems
from tradelog.logformat import JSONFormatter, TextFormatter
from web.marks import JOB, REQUEST

ID = "0123456789abcdef"
FORMATTERS = [TextFormatter(), JSONFormatter()]


def record(message: str, *arguments: object, **more: object) -> logging.LogRecord:
    level = logging.WARNING
    return logging.LogRecord("web.x", level, "x.py", 1, message, arguments, more.get("exc_info"))


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What the access log and the console get, as text."""
    found: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, one: logging.LogRecord) -> None:
            found.append(TextFormatter().format(one))

    keeper = Keeper()
    loggers = [logging.getLogger(name) for name in (None, "tradelog.access")]
    for logger in loggers:
        logger.addHandler(keeper)
    yield found
    for logger in loggers:
        logger.removeHandler(keeper)


# --- How a line looks


def test_a_line_has_its_request_and_its_job() -> None:
    marks = [(REQUEST, REQUEST.set("r1")), (JOB, JOB.set("7"))]
    text, as_json = (one.format(record("It has %s lines", 3)) for one in FORMATTERS)
    for name, mark in marks:
        name.reset(mark)
    assert text.endswith("WARNING web.x [request r1 job 7] It has 3 lines")
    told = json.loads(as_json)
    assert told.pop("time").endswith("Z")
    assert told == {
        "level": "WARNING",
        "logger": "web.x",
        "message": "It has 3 lines",
        "request": "r1",
        "job": "7",
    }


def test_outside_of_both_there_are_no_marks() -> None:
    assert FORMATTERS[0].format(record("Hello")).endswith("WARNING web.x Hello")
    assert {"request", "job"}.isdisjoint(json.loads(FORMATTERS[1].format(record("Hello"))))


@pytest.mark.parametrize("formatter", FORMATTERS, ids=["text", "json"])
def test_no_secret_gets_into_a_line(formatter: logging.Formatter, settings: object) -> None:
    settings.TRADELOG_METRICS_TOKEN = "the-token-of-the-metrics"
    settings.TRADELOG_ADMIN_PASSWORD = "adams first password"
    settings.DATABASES["default"]["PASSWORD"] = "p4ss of the database"
    said = [
        "postgresql://tradelog:s3cret-one@db/tradelog",
        "Authorization: Token abcdef0123456789",
        "Authorization: Basic dmVyYTpwYXNz",
        "Bearer the-token-of-the-metrics",
        "password=s3cret-one",
        f"key {settings.SECRET_KEY}",
        "adams first password and p4ss of the database",
    ]
    try:
        raise RuntimeError("postgresql://tradelog:s3cret-one@db/tradelog")
    except RuntimeError:
        line = formatter.format(record("%s", "\n".join(said), exc_info=sys.exc_info()))
    hidden = ["s3cret-one", "abcdef0123456789", "dmVyYTpwYXNz", "the-token-of", "adams first"]
    for secret in [*hidden, "p4ss of", settings.SECRET_KEY]:
        assert secret not in line
    assert "RuntimeError" in line
    settings.DATABASES["default"]["PASSWORD"] = ""


def test_a_job_s_lines_on_the_console_have_its_number(
    transactional_db: None, lines: list[str]
) -> None:
    log = JobLog.objects.start("sync", trigger=Trigger.SCHEDULE)
    run_job(log, lambda: logging.getLogger("imports").warning("Here"))
    assert any(line.endswith(f"WARNING imports [job {log.pk}] Here") for line in lines)


def test_the_format_is_text_or_json(settings: object) -> None:
    assert not list(log_problems())
    settings.TRADELOG_LOG_FORMAT = "xml"
    assert [one.id for one in log_problems()] == ["tradelog.E017"]


def test_the_console_gets_what_deserves_a_look() -> None:
    handlers = of_django.LOGGING["handlers"]
    assert of_django.LOGGING["root"]["handlers"] == ["console"]
    assert handlers["console"]["level"] == "WARNING"


# --- The id of a request


@pytest.mark.django_db
def test_a_request_has_an_id(client: Client) -> None:
    first, second = (client.get("/login/").headers["X-Request-ID"] for _ in range(2))
    assert len(first) == 32
    assert first != second


@pytest.mark.django_db
def test_that_of_a_proxy_is_kept(client: Client) -> None:
    answer = client.get("/login/", headers={"x-request-id": ID})
    assert answer.headers["X-Request-ID"] == ID
    assert REQUEST.get() == ""


@pytest.mark.django_db
@pytest.mark.parametrize("odd", ["short", "x" * 65, "a b c d e f g", "12345678\u0661", "<script>1"])
def test_one_that_is_not_well_formed_is_not(client: Client, odd: str) -> None:
    assert client.get("/login/", headers={"x-request-id": odd}).headers["X-Request-ID"] != odd


@pytest.mark.django_db
def test_an_error_shows_it(
    client: Client, adam: User, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug, with password=hunter22")

    monkeypatch.setattr("joblogs.views.bounded_page", broken)
    monkeypatch.setattr("joblogs.api.BoundedPaginator", broken)
    client.raise_request_exception = False
    client.force_login(adam)
    page = client.get("/", headers={"x-request-id": ID})
    assert (page.status_code, page.headers["X-Request-ID"]) == (500, ID)
    assert f"<code>{ID}</code>" in page.text
    told = client.get("/api/job-logs", headers={"x-request-id": ID})
    assert told.json()["details"] == {"request_id": ID}
    written = [line for line in lines if "RuntimeError" in line]
    assert written
    assert all(f"[request {ID}]" in line and "hunter22" not in line for line in written)


@pytest.mark.django_db
def test_what_is_logged_behind_a_request_has_its_id_too(
    client: Client, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/nowhere", headers={"x-request-id": ID})
    assert not lines
    monkeypatch.setattr("tradelog.health.connection.cursor", away)
    client.get("/health/web", headers={"x-request-id": ID})
    assert len(lines) == 2
    assert all(f"[request {ID}]" in line for line in lines)


def away() -> None:
    raise OperationalError("the server is gone")


@pytest.mark.django_db
def test_requests_are_logged_if_that_is_wanted(
    client: Client, settings: object, lines: list[str]
) -> None:
    client.get("/login/?token=abc")
    assert not lines
    settings.TRADELOG_ACCESS_LOG = True
    client.get("/login/?token=abc", headers={"x-request-id": ID})
    assert len(lines) == 1
    assert f"INFO tradelog.access [request {ID}] 127.0.0.1 GET /login/ 200 " in lines[0]
