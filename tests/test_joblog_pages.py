"""The pages of job logs: the list that one starts from, a job, its lines while they are written."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from joblogs import details
from joblogs.linepages import PAGE
from joblogs.models import JobLog
from joblogs.states import Status
from tests.apis import basic
from tests.test_joblogs_admin import job, write
from web import bounded

LIST = reverse("job-logs")
BY_SCRIPT = {"headers": {"HX-Request": "true"}}

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_viewer(client: Client) -> Client:
    """Who is in the group and not in the staff."""
    user = User.objects.create_user("nora", password="a long enough password")
    user.groups.add(Group.objects.get(name="viewer"))
    client.force_login(user)
    return client


def some(number: int, **values: object) -> list[JobLog]:
    """Job logs a minute apart, the oldest first."""
    first = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
    moments = [first + timedelta(minutes=one) for one in range(number)]
    logs = [
        JobLog(**{"name": f"{at:%Y%m%d%H%M%S}", "job": "sync", "created_at": at} | values)
        for at in moments
    ]
    return JobLog.objects.bulk_create(logs)


def text_of(response: HttpResponse) -> str:
    assert response.status_code == 200
    return response.content.decode()


def listed(client: Client, **query: object) -> list[int]:
    found = re.findall(r'<tr id="job-log-(\d+)"', text_of(client.get(LIST, query)))
    return [int(number) for number in found]


def address(name: str) -> str:
    return reverse(
        name, args=[job().pk] if name.startswith("job-log") and name != "job-logs" else []
    )


# --- The doors

DOORS = ["job-logs", "job-log", "job-log-lines", "scheduler"]


@pytest.mark.parametrize("name", DOORS)
def test_a_stranger_is_asked_to_log_in(client: Client, name: str) -> None:
    response = client.get(address(name))
    assert (response.status_code, response.url.partition("?")[0]) == (302, reverse("login"))


@pytest.mark.parametrize("name", DOORS)
def test_who_is_in_no_group_is_refused(client: Client, name: str) -> None:
    client.force_login(User.objects.create_user("nobody"))
    assert client.get(address(name)).status_code == 403


@pytest.mark.parametrize("name", DOORS)
def test_a_viewer_sees_without_being_of_the_staff(as_viewer: Client, name: str) -> None:
    assert as_viewer.get(address(name)).status_code == 200


@pytest.mark.parametrize("name", DOORS)
def test_a_password_in_the_request_is_a_login(client: Client, vera: User, name: str) -> None:
    response = client.get(address(name), headers={"Authorization": basic(vera)})
    assert response.status_code == 200
    assert not response.cookies.get("sessionid")


def test_a_wrong_password_is_refused(client: Client, vera: User) -> None:
    response = client.get(LIST, headers={"Authorization": basic(vera, "wrong")})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Basic realm="tradelog"'


def test_passwords_cannot_be_tried_for_ever(client: Client, vera: User, settings: object) -> None:
    settings.TRADELOG_LOGIN_TRIES = 2
    wrong = {"Authorization": basic(vera, "wrong")}
    codes = [client.get(LIST, headers=wrong).status_code for _ in range(3)]
    assert codes == [401, 401, 429]


def test_a_password_gives_no_more_than_its_rights(client: Client) -> None:
    User.objects.create_user("nobody", password="a long enough password")
    assert client.get(LIST, headers={"Authorization": basic("nobody")}).status_code == 403


# --- The list


def test_an_empty_list_says_so(as_viewer: Client) -> None:
    assert "No job logs yet" in text_of(as_viewer.get(LIST))
    assert "No job logs fit these filters." in text_of(as_viewer.get(LIST, {"status": "error"}))


def test_the_newest_come_first_and_25_to_a_page(as_viewer: Client) -> None:
    keys = [log.pk for log in some(60)][::-1]
    assert listed(as_viewer) == keys[:25]
    assert listed(as_viewer, page=3) == keys[50:]
    assert listed(as_viewer, page="x") == keys[:25]
    assert listed(as_viewer, page="9" * 17) == keys[50:]


@pytest.mark.parametrize(
    ("query", "jobs"),
    [
        ({}, ["sync", "import"]),
        ({"status": "error"}, ["sync"]),
        ({"job": "import"}, ["import"]),
        ({"job": "import", "status": "error"}, []),
        ({"end_date": "2026-01-05"}, ["import"]),
        ({"start_date": "2026-01-06"}, ["sync"]),
        ({"start_date": "2026-01-05", "end_date": "2026-01-06"}, ["sync", "import"]),
    ],
)
def test_a_filter_finds_what_it_says(as_viewer: Client, query: dict, jobs: list[str]) -> None:
    job("import", created_at=datetime(2026, 1, 5, 23, 59, 59, tzinfo=UTC))
    job("sync", status=Status.ERROR, created_at=datetime(2026, 1, 6, tzinfo=UTC))
    found = {log.pk: log.job for log in JobLog.objects.all()}
    assert [found[key] for key in listed(as_viewer, **query)] == jobs


@pytest.mark.parametrize(
    "query",
    [
        {"status": "x"},
        {"job": "never heard of"},
        {"start_date": "soon"},
        {"end_date": "0001-01-01"},
        {"start_date": "2026-01-06", "end_date": "2026-01-05"},
    ],
)
def test_a_filter_that_cannot_be_used_says_so(as_viewer: Client, query: dict) -> None:
    some(1)
    text = text_of(as_viewer.get(LIST, query))
    assert "These filters cannot be used" in text
    assert "No job logs" not in text


def test_a_row_says_how_the_job_went(as_viewer: Client) -> None:
    began = timezone.now()
    times = {"started_at": began, "finished_at": began + timedelta(seconds=75)}
    job(status=Status.SUCCESS, result={"taken_in": 1412}, **times)
    job("sync", status=Status.ERROR, error="ValueError: no <b>day</b>\nLast step: none")
    text = text_of(as_viewer.get(LIST))
    assert "1 min 15 s" in text
    assert "taken in 1,412" in text
    assert "ValueError: no &lt;b&gt;day&lt;/b&gt;" in text


def test_a_script_gets_the_list_alone(as_viewer: Client) -> None:
    text = text_of(as_viewer.get(LIST, **BY_SCRIPT))
    assert text.strip().startswith("<section")


def test_the_monitor_is_offered_to_those_who_may_enter_it(
    client: Client, adam: User, as_viewer: Client
) -> None:
    assert "Jobs monitor" not in text_of(as_viewer.get(LIST))
    client.force_login(adam)
    assert f'href="{reverse("admin:app_list", args=["django_q"])}"' in text_of(client.get(LIST))
    assert client.get(reverse("admin:app_list", args=["django_q"])).status_code == 200


def test_the_open_orders_are_a_click_away_for_those_who_may(
    as_viewer: Client, client: Client, vera: User
) -> None:
    door = f'class="tl-button tl-grey" href="{reverse("open-orders")}"'
    assert door in text_of(as_viewer.get(LIST))
    other = User.objects.create_user("other", password="a long enough password")
    other.user_permissions.add(Permission.objects.get(codename="view_joblog"))
    client.force_login(other)
    assert door not in text_of(client.get(LIST))


def test_nobody_counts_to_the_end(as_viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "FAR", 30)
    some(70)
    assert "1–25 of more than 55 job logs" in text_of(as_viewer.get(LIST))
    assert "51–70 of 70 job logs" in text_of(as_viewer.get(LIST, {"page": 3}))


def test_the_list_needs_no_query_for_each_job(
    as_viewer: Client, django_assert_max_num_queries: Callable
) -> None:
    some(30)
    with django_assert_max_num_queries(10):
        as_viewer.get(LIST)


def test_each_job_is_found_by_as_many_looks(django_assert_num_queries: Callable) -> None:
    for name in ["sync", "import", "sync", "clear"]:
        job(name)
    with django_assert_num_queries(1):
        assert JobLog.objects.each_job() == ["clear", "import", "sync"]
    JobLog.objects.all().delete()
    assert JobLog.objects.each_job() == []


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="its plans name no rows")
@pytest.mark.parametrize("only", [{}, {"status": "error"}, {"job": "sync"}])
def test_a_page_of_many_is_read_by_an_index(only: dict[str, str]) -> None:
    some(5_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE job_logs")
    plan = JobLog.objects.filter(**only)[:25].explain()
    assert "Index Scan" in plan


# --- A job


def test_the_way_back_leads_to_the_same_page_and_filters(as_viewer: Client) -> None:
    some(60, status=Status.ERROR)
    query = "status=error&page=2"
    row = re.search(r'href="(/job-logs/[^"]+)"', text_of(as_viewer.get(f"{LIST}?{query}")))[1]
    text = text_of(as_viewer.get(row.replace("&amp;", "&") + "&before=99&evil=1"))
    back = re.search(r'<p class="tl-back"><a class="tl-link" href="([^"]+)"', text)[1]
    assert back.replace("&amp;", "&") == f"{LIST}?{query}"


def test_a_job_says_when_it_began_and_ended(as_viewer: Client) -> None:
    began = datetime(2026, 1, 5, 6, 35, 3, tzinfo=UTC)
    log = job(status=Status.SUCCESS, started_at=began, finished_at=began + timedelta(seconds=2))
    text = text_of(as_viewer.get(log.get_absolute_url()))
    assert "Started 2026-01-05 06:35:03" in text
    assert "Completed 2026-01-05 06:35:05" in text
    assert "Duration 2.0 s" in text


def test_a_job_that_does_not_exist_is_not_found(as_viewer: Client) -> None:
    assert as_viewer.get(reverse("job-log", args=[999])).status_code == 404


# --- Its lines while they are written


def following(text: str) -> str | None:
    """Where the page asks next; None if it does not."""
    found = re.search(r'class="tl-waiting" hx-get="([^"]+)"', text)
    return found and found[1].replace("&amp;", "&")


def messages(text: str) -> list[str]:
    return re.findall(r"<span>(line \d+)</span>", text)


@pytest.mark.parametrize("status", [Status.NEW, Status.PROCESSING])
def test_a_page_follows_its_job_to_the_end(as_viewer: Client, status: Status) -> None:
    log = job(status=status, heartbeat_at=timezone.now())
    at = following(text_of(as_viewer.get(log.get_absolute_url())))
    seen = []
    for number in range(3):
        write(log, f"line {number}")
        text = text_of(as_viewer.get(at, **BY_SCRIPT))
        seen += messages(text)
        at = following(text)
    write(log, "line 3")
    JobLog.objects.update(status=Status.SUCCESS, finished_at=timezone.now(), result={"rows": 4})
    text = text_of(as_viewer.get(at, **BY_SCRIPT))
    assert [*seen, *messages(text)] == [f"line {number}" for number in range(4)]
    assert following(text) is None
    assert 'id="outcome" aria-label="Outcome" hx-swap-oob="true"' in text
    assert "rows 4" in text


def test_a_job_that_has_ended_is_not_followed(as_viewer: Client) -> None:
    log = job(status=Status.SUCCESS)
    write(log, "line 1")
    assert following(text_of(as_viewer.get(log.get_absolute_url()))) is None


def test_older_lines_are_not_followed(as_viewer: Client) -> None:
    log = job(status=Status.PROCESSING, heartbeat_at=timezone.now())
    keys = write(log, *(f"line {number}" for number in range(PAGE + 1)))
    older = text_of(as_viewer.get(f"{log.get_absolute_url()}?before={keys[1]}"))
    assert (messages(older), following(older)) == (["line 0"], None)


def test_a_page_that_falls_behind_begins_anew(as_viewer: Client) -> None:
    log = job(status=Status.PROCESSING, heartbeat_at=timezone.now())
    at = following(text_of(as_viewer.get(log.get_absolute_url())))
    write(log, *(f"line {number}" for number in range(PAGE + 5)))
    response = as_viewer.get(at, **BY_SCRIPT)
    assert response.headers["HX-Retarget"] == "#lines"
    text = text_of(response)
    assert (messages(text)[0], len(messages(text))) == ("line 5", PAGE)
    assert "before=" in text


def test_a_page_does_not_grow_for_ever(as_viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(details, "MOST_SHOWN", 3)
    log = job(status=Status.PROCESSING, heartbeat_at=timezone.now())
    write(log, "line 0", "line 1")
    at = following(text_of(as_viewer.get(log.get_absolute_url())))
    write(log, "line 2")
    response = as_viewer.get(at, **BY_SCRIPT)
    assert "HX-Retarget" not in response.headers
    write(log, "line 3")
    response = as_viewer.get(following(text_of(response)), **BY_SCRIPT)
    assert response.headers["HX-Retarget"] == "#lines"


def test_a_log_that_is_gone_says_so_and_is_not_followed(as_viewer: Client) -> None:
    log = job(status=Status.PROCESSING, heartbeat_at=timezone.now())
    at = following(text_of(as_viewer.get(log.get_absolute_url())))
    log.delete()
    text = text_of(as_viewer.get(at, **BY_SCRIPT))
    assert "This log is gone" in text
    assert following(text) is None


@pytest.mark.parametrize("query", ["", "after=x", "after=-1&shown=-1", "after=" + "9" * 30])
def test_garbage_in_what_is_asked_for_is_no_error(as_viewer: Client, query: str) -> None:
    log = job(status=Status.PROCESSING, heartbeat_at=timezone.now())
    write(log, "line 0")
    response = as_viewer.get(reverse("job-log-lines", args=[log.pk]) + f"?{query}", **BY_SCRIPT)
    assert messages(text_of(response)) == ["line 0"]


def test_what_a_job_wrote_is_escaped(as_viewer: Client) -> None:
    log = job("sync", status=Status.PROCESSING, heartbeat_at=timezone.now())
    at = following(text_of(as_viewer.get(log.get_absolute_url())))
    write(log, "<script>alert(1)</script>")
    assert "<script>alert" not in text_of(as_viewer.get(at, **BY_SCRIPT))


def test_a_page_of_lines_asks_little(
    as_viewer: Client, django_assert_max_num_queries: Callable
) -> None:
    log = job(status=Status.PROCESSING, heartbeat_at=timezone.now())
    write(log, *(f"line {number}" for number in range(3 * PAGE)))
    with django_assert_max_num_queries(11):
        as_viewer.get(reverse("job-log-lines", args=[log.pk]) + "?after=0", **BY_SCRIPT)
