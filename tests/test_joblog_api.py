"""Job logs and recurring jobs by the API."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from joblogs.models import JobLog
from joblogs.states import Status
from tests.apis import asking, got, refused
from tests.test_joblog_pages import some
from tests.test_joblogs_admin import job, write
from web import bounded

LIST = "/api/job-logs"
SCHEDULES = "/api/schedules"

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_vera(vera: User) -> Client:
    return asking(vera)


def test_the_newest_come_first(as_vera: Client) -> None:
    keys = [log.pk for log in some(30)][::-1]
    answer = got(as_vera, LIST)
    assert [log["id"] for log in answer["job_logs"]] == keys[:25]
    pages = {"page": 1, "per_page": 25, "total": 30, "pages": 2, "is_cut": False}
    assert answer["pagination"] == pages
    assert [log["id"] for log in got(as_vera, LIST, page=2)["job_logs"]] == keys[25:]
    assert got(as_vera, LIST, page=3)["job_logs"] == []


def test_it_is_told_who_has_asked_for_it(as_vera: Client, olga: User) -> None:
    job("import", asked_by=olga)
    (log,) = got(as_vera, LIST)["job_logs"]
    assert log["asked_by"] == "olga"
    olga.delete()
    assert got(as_vera, f"{LIST}/{log['id']}")["job_log"]["asked_by"] is None


def test_nobody_counts_to_the_end(as_vera: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("joblogs.api.FAR", 5)
    some(40)
    pages = got(as_vera, LIST)["pagination"]
    assert (pages["total"], pages["is_cut"]) == (30, True)
    assert bounded.FAR == 10_000


@pytest.mark.parametrize(
    ("query", "jobs"),
    [
        ({"status": "error"}, ["sync"]),
        ({"job": "import"}, ["import"]),
        ({"end_date": "2026-01-05"}, ["import"]),
        ({"start_date": "2026-01-06"}, ["sync"]),
    ],
)
def test_the_filters_are_those_of_the_page(as_vera: Client, query: dict, jobs: list[str]) -> None:
    job("import", created_at=datetime(2026, 1, 5, 23, 59, 59, tzinfo=UTC))
    job("sync", status=Status.ERROR, created_at=datetime(2026, 1, 6, tzinfo=UTC))
    assert [log["job"] for log in got(as_vera, LIST, **query)["job_logs"]] == jobs


@pytest.mark.parametrize(
    "query",
    [{"status": "x"}, {"job": "x"}, {"start_date": "x"}, {"page": "0"}, {"per_page": "7"}],
)
def test_what_cannot_be_understood_is_refused(as_vera: Client, query: dict[str, str]) -> None:
    answer = refused(as_vera.get(LIST, query), 400, "INVALID_PARAMETER")
    assert answer["details"].keys() == query.keys()


def test_a_job_log_is_found_by_number_and_by_name(as_vera: Client) -> None:
    began = datetime(2026, 1, 5, 6, 35, 3, tzinfo=UTC)
    times = {"started_at": began, "finished_at": began.replace(second=4, microsecond=500_000)}
    log = job(status=Status.SUCCESS, result={"rows": 3, "by": {"x": [1]}}, **times)
    found = got(as_vera, f"{LIST}/{log.pk}")["job_log"]
    assert found == got(as_vera, f"{LIST}/{log.name}")["job_log"]
    assert (found["started_at"], found["duration_ms"]) == ("2026-01-05T06:35:03Z", 1500)
    assert found["result"] == {"rows": 3, "by": {"x": [1]}}


@pytest.mark.parametrize("name", ["0", "x", "9" * 40, "%F0%9F"])
@pytest.mark.parametrize("rest", ["", "/lines"])
def test_a_job_log_that_does_not_exist(as_vera: Client, name: str, rest: str) -> None:
    refused(as_vera.get(f"{LIST}/{name}{rest}"), 404, "JOB_LOG_NOT_FOUND")


def test_a_job_is_followed_to_its_end(as_vera: Client) -> None:
    log, last, seen = job(status=Status.PROCESSING), 0, []
    write(log, *map(str, range(12)))
    for _ in range(3):
        answer = got(as_vera, f"{LIST}/{log.pk}/lines", after=last, per_page=10)
        seen += [line["message"] for line in answer["lines"]]
        last = answer["lines"][-1]["id"]
        assert (answer["pagination"]["next"] is None) == (len(seen) != 10)
        if len(seen) == 12:
            write(log, "12")
            JobLog.objects.update(status=Status.SUCCESS)
    assert seen == list(map(str, range(13)))
    assert answer["status"] == "success"


# --- Recurring jobs


def test_the_recurring_jobs_are_told(as_vera: Client) -> None:
    answer = got(as_vera, SCHEDULES)
    names = [one["name"] for one in answer["schedules"]]
    assert "scan_inbox" in names
    assert "attend" not in names
    assert answer["beat"] == {"at": None, "is_silent": True, "waiting": 0}


@pytest.mark.django_db(transaction=True)
def test_a_job_is_run_now_but_not_twice(olga: User) -> None:
    client = asking(olga)
    response = client.post(f"{SCHEDULES}/scan_inbox/run")
    assert response.status_code == 202
    log = JobLog.objects.get()
    assert (response.json()["id"], response.json()["name"]) == (log.pk, log.name)
    assert (log.job, log.status, log.trigger) == ("scan_inbox", Status.NEW, "api")
    assert log.rung_at
    refused(client.post(f"{SCHEDULES}/scan_inbox/run"), 409, "STATE_CONFLICT")
    assert JobLog.objects.count() == 1


def test_a_job_is_paused_and_resumed(adam: User) -> None:
    client = asking(adam)

    def is_paused() -> bool:
        found = {one["name"]: one for one in got(client, SCHEDULES)["schedules"]}
        return found["scan_inbox"]["is_paused"]

    for verb, expected in [("pause", True), ("pause", True), ("resume", False)]:
        assert client.post(f"{SCHEDULES}/scan_inbox/{verb}").status_code == 200
        assert is_paused() is expected


@pytest.mark.parametrize("name", ["attend", "import", "x", "9" * 200])
@pytest.mark.parametrize("verb", ["run", "pause", "resume"])
def test_what_does_not_recur_is_not_found(adam: User, name: str, verb: str) -> None:
    refused(asking(adam).post(f"{SCHEDULES}/{name}/{verb}"), 404, "SCHEDULE_NOT_FOUND")
