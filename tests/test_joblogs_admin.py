"""The pages of job logs in the admin: the list, its filters, a job and its lines."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from joblogs.linepages import PAGE, line_page
from joblogs.models import JobLog, JobLogDetail
from joblogs.running import start
from joblogs.states import Level, Status, Trigger

LIST = reverse("admin:joblogs_joblog_changelist")


@pytest.fixture
def as_vera(client: Client, vera: User) -> Client:
    client.force_login(vera)
    return client


def job(what: str = "import", trigger: Trigger = Trigger.MANUAL, **values: object) -> JobLog:
    log = start(what, trigger=trigger)
    JobLog.objects.filter(pk=log.pk).update(**values)
    log.refresh_from_db()
    return log


def write(log: JobLog, *messages: str, level: Level = Level.INFO) -> list[int]:
    details = [JobLogDetail(job_log=log, message=message, level=level) for message in messages]
    return [detail.pk for detail in JobLogDetail.objects.bulk_create(details)]


def shown(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


# --- The list


def test_the_list_says_how_jobs_went(as_vera: Client, db: None) -> None:
    began = timezone.now()
    job(
        status=Status.SUCCESS,
        started_at=began,
        finished_at=began + timedelta(seconds=75),
        result={"taken_in": 1412},
    )
    job(status=Status.ERROR, error="ValueError: no <b>day</b>\nLast step: none")
    text = shown(as_vera, LIST)
    assert "1 min 15 s" in text
    assert "taken in 1,412" in text
    assert "ValueError: no &lt;b&gt;day&lt;/b&gt;" in text
    assert "Last step" not in text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "No job logs yet."),
        ("?q=9", "No job logs fit the filters."),
        ("?status__exact=new", "fit the"),
    ],
)
def test_an_empty_list_says_why(as_vera: Client, query: str, words: str) -> None:
    assert words in shown(as_vera, LIST + query)


@pytest.mark.parametrize(
    ("query", "jobs"),
    [
        ("", ["sync", "import"]),
        ("status__exact=error", ["sync"]),
        ("status__exact=success", []),
        ("job=import", ["import"]),
        ("trigger__exact=schedule", ["sync"]),
        ("created_at_to=2026-01-05", ["import"]),
        ("created_at_from=2026-01-06", ["sync"]),
        ("q=2026010", ["import"]),
    ],
)
def test_a_filter_finds_what_it_says(as_vera: Client, query: str, jobs: list[str]) -> None:
    job("import", created_at=datetime(2026, 1, 5, 6, 35, tzinfo=UTC), name="20260105063500")
    job("sync", Trigger.SCHEDULE, status=Status.ERROR, name="20270105063500")
    found = as_vera.get(f"{LIST}?{query}").context["cl"].result_list
    assert [log.job for log in found] == jobs


def test_the_list_needs_no_query_for_each_job(
    as_vera: Client, django_assert_max_num_queries: Callable
) -> None:
    for _ in range(12):
        write(job(), "line")
    with django_assert_max_num_queries(8):
        as_vera.get(LIST)


# --- A job


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (Status.NEW, "Waits to be taken up."),
        (Status.PROCESSING, "At work; last sign of life"),
        (Status.SUCCESS, "rows 3"),
        (Status.ERROR, "ValueError"),
    ],
)
def test_a_job_says_how_it_goes(as_vera: Client, status: Status, sentence: str) -> None:
    error = "ValueError" if status == Status.ERROR else ""
    log = job(status=status, heartbeat_at=timezone.now(), result={"rows": 3}, error=error)
    assert sentence in shown(as_vera, log.get_absolute_url())


@pytest.mark.parametrize(
    ("status", "query", "words"),
    [
        (Status.NEW, "", "No lines yet."),
        (Status.SUCCESS, "", "This job wrote no lines."),
        (Status.SUCCESS, "?after=5", "No lines here."),
    ],
)
def test_a_job_without_lines_says_so(
    as_vera: Client, status: Status, query: str, words: str
) -> None:
    assert words in shown(as_vera, job(status=status).get_absolute_url() + query)


def test_lines_have_their_time_and_their_level(as_vera: Client, settings: object) -> None:
    settings.TIME_ZONE = "America/Chicago"
    log = job()
    write(log, "<script>", level=Level.WARNING)
    JobLogDetail.objects.update(created_at=datetime(2026, 1, 5, 6, 35, 3, 70_999, tzinfo=UTC))
    text = shown(as_vera, log.get_absolute_url())
    assert ">00:35:03.070</time>" in text
    assert "<b>WARNING</b> &lt;script&gt;" in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0304, "30 ms"), (1.25, "1.2 s"), (61, "1 min 01 s"), (3_725, "1 h 02 min")],
)
def test_a_duration_is_said_in_words(db: None, seconds: float, words: str) -> None:
    began = timezone.now()
    log = job(started_at=began, finished_at=began + timedelta(seconds=seconds))
    assert log.duration_in_words == words


# --- Its lines, page by page


def test_the_newest_lines_are_shown_and_older_are_a_page_away(db: None) -> None:
    log, other = job(), job()
    write(other, "not of this job")
    keys = write(log, *map(str, range(2 * PAGE + 1)))
    newest = line_page(log)
    assert [line.pk for line in newest.lines] == keys[PAGE + 1 :]
    assert newest.newer is None
    middle = line_page(log, before=str(newest.older))
    assert [line.pk for line in middle.lines] == keys[1 : PAGE + 1]
    oldest = line_page(log, before=str(middle.older))
    assert ([line.pk for line in oldest.lines], oldest.older) == ([keys[0]], None)
    assert line_page(log, after=str(oldest.newer)).lines == middle.lines


@pytest.mark.parametrize("garbage", ["x", "-1", "9" * 30, "%00x", "1 or 1"])
def test_garbage_counts_as_the_newest(db: None, garbage: str) -> None:
    log = job()
    write(log, "line")
    assert line_page(log, before=garbage, after=garbage) == line_page(log)


def test_a_page_of_lines_is_all_that_is_read(
    as_vera: Client, django_assert_max_num_queries: Callable
) -> None:
    log = job()
    write(log, *map(str, range(3 * PAGE)))
    with django_assert_max_num_queries(8):
        text = shown(as_vera, log.get_absolute_url())
    assert text.count("</time>") == PAGE
    assert 'rel="prev"' in text
    assert 'rel="next"' not in text


@pytest.mark.parametrize("text", ["0", "999", "x", "9" * 30])
def test_a_job_that_does_not_exist_is_not_found(as_vera: Client, text: str) -> None:
    address = reverse("admin:joblogs_joblog_change", args=[text])
    assert as_vera.get(address).status_code == 404
