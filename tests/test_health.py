"""Health for load balancers and supervisors, and metrics for Prometheus."""

import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from django_q.models import Task
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoAssertNumQueries

from joblogs.models import JobLog, Notice
from joblogs.reconciliations import Reconciliation
from joblogs.states import Trigger
from tests.batching import started
from tests.conftest import TakeIn, file_of, fill
from tradelog import health as healths
from tradelog.checks import metrics_problems

pytestmark = pytest.mark.django_db

TOKEN = "a token of more than 24 characters"
GOOD = {"status": "ok", "database": "ok", "worker": "ok", "queue": "ok"}


@pytest.fixture
def beat() -> Task:
    """A worker attended just now."""
    return attended(timedelta(0))


def attended(ago: timedelta) -> Task:
    then = timezone.now() - ago
    values = {"func": "joblogs.tasks.attend", "started": then, "stopped": then}
    return Task.objects.create(id=f"{ago}", name="attend", **values)


def away(*_: object) -> None:
    raise OperationalError('connection to server at "db.secret.example" failed: password=hunter2')


def run() -> str:
    out = io.StringIO()
    call_command("worker_health", stdout=out)
    return out.getvalue().strip()


# --- Health


def test_a_stranger_learns_that_all_is_well_and_no_more(client: Client, beat: Task) -> None:
    answer = client.get("/health?details")
    assert (answer.status_code, answer.json()) == (200, GOOD)
    assert (
        answer.headers["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
    )


def test_nobody_works(client: Client) -> None:
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["worker"]) == (503, "never seen")


def test_a_worker_hangs(client: Client) -> None:
    attended(timedelta(minutes=4))
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["worker"]) == (503, "silent")
    with pytest.raises(CommandError, match="worker silent"):
        run()


def test_work_waits_too_long(client: Client, beat: Task) -> None:
    log = JobLog.objects.start("import", trigger=Trigger.MANUAL)
    assert client.get("/health").json() == GOOD
    old = timezone.now() - timedelta(minutes=16)
    JobLog.objects.filter(pk=log.pk).update(created_at=old)
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["queue"]) == (503, "waits too long")


def test_the_database_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(healths, "beat", away)
    answer = client.get("/health?details")
    assert (answer.status_code, answer.json()["database"]) == (503, "away")
    assert "secret" not in answer.text
    with pytest.raises(CommandError, match="database away"):
        run()


def test_a_web_server_is_well_without_a_worker(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/health/web").json() == {"status": "ok", "database": "ok"}
    monkeypatch.setattr("tradelog.health.connection.cursor", away)
    assert client.get("/health/web").status_code == 503


def test_details_are_for_those_with_the_right(client: Client, beat: Task, vera: User) -> None:
    client.force_login(User.objects.create_user("nobody"))
    assert client.get("/health?details").json() == GOOD
    client.force_login(vera)
    assert client.get("/health").json() == GOOD
    details = client.get("/health?details").json()
    assert details.keys() - GOOD.keys() == {"worker_seen_at", "jobs_waiting", "oldest_job_at"}


def test_a_supervisor_is_told_that_a_worker_works(beat: Task) -> None:
    assert "A worker was seen" in run()
    assert "0 jobs wait." in run()


def test_health_is_asked_for_without_tls(client: Client, beat: Task, settings: object) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/health").status_code == 200
    assert client.get("/login/").status_code == 301


# --- Metrics


def scraped(client: Client, **headers: str) -> dict[tuple[str, ...], float]:
    """By name and labels."""
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name.removeprefix("tradelog_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_metrics_tell_how_it_goes(client: Client, vera: User, beat: Task, take_in: TakeIn) -> None:
    take_in(file_of(fill(), fill(ID="x", Quantity="abc")))
    take_in(b"undefined", "broken.csv")
    started(1)
    log = JobLog.objects.start("sync", trigger=Trigger.SCHEDULE)
    now = timezone.now()
    ended = {"started_at": now - timedelta(seconds=4), "finished_at": now, "status": "error"}
    words = "django.db.utils.OperationalError: gone"
    JobLog.objects.filter(pk=log.pk).update(**ended, error=words)
    Reconciliation.objects.create(finished_at=now, differences=3)
    client.force_login(vera)
    found = scraped(client)
    assert found[("queue_jobs",)] == 1
    assert found[("queue_oldest_seconds",)] >= 0
    assert found[("worker_beat_age_seconds",)] >= 0
    assert found["jobs", "sync", "error"] == 1
    assert found["job_seconds_average", "sync"] == pytest.approx(4, abs=0.01)
    assert found["imports", "partial"] == found["imports", "failed"] == 1
    assert found["imports", "success"] == 0
    assert (found[("import_lines",)], found[("import_trades",)]) == (2, 1)
    assert found["batches", "pending"] == found[("batches_active",)] == 1
    assert (found[("database_errors",)], found[("differences",)]) == (1, 3)
    assert found[("notices_open",)] == Notice.objects.count()


def test_an_empty_log_has_metrics_too(client: Client, vera: User) -> None:
    client.force_login(vera)
    found = scraped(client)
    assert found[("queue_jobs",)] == 0
    assert ("worker_beat_age_seconds",) not in found


def test_a_scrape_takes_few_questions(
    client: Client,
    settings: object,
    take_in: TakeIn,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    settings.TRADELOG_METRICS_TOKEN = TOKEN
    take_in(file_of(fill()))
    with django_assert_max_num_queries(15):
        scraped(client, authorization=f"Bearer {TOKEN}")


@pytest.mark.parametrize("token", ["", "Bearer ", "Bearer wrong", f"Token {TOKEN}", TOKEN])
def test_metrics_are_closed_to_strangers(client: Client, settings: object, token: str) -> None:
    for known in (TOKEN, ""):
        settings.TRADELOG_METRICS_TOKEN = known
        answer = client.get("/metrics", headers={"authorization": token} if token else {})
        assert answer.status_code == 401
        assert "tradelog_queue" not in answer.text


def test_metrics_are_closed_to_users_without_the_right(client: Client) -> None:
    client.force_login(User.objects.create_user("nobody"))
    assert client.get("/metrics").status_code == 403


def test_a_token_that_can_be_guessed_is_told(settings: object) -> None:
    settings.TRADELOG_METRICS_TOKEN = "short"
    assert [one.id for one in metrics_problems()] == ["tradelog.E016"]
    for good in ("", TOKEN):
        settings.TRADELOG_METRICS_TOKEN = good
        assert not list(metrics_problems())
