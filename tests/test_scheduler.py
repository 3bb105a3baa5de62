"""The recurring jobs: how they go, what a user may do, and that none stops the others."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import OperationalError
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_q import cluster
from django_q.brokers import get_broker
from django_q.models import OrmQ, Schedule, Task
from django_q.signals import post_spawn

from audit.models import AuditEntry
from joblogs import recurring
from joblogs.models import JobLog
from joblogs.recurring import beat, one_of, pause, resume, run_now
from joblogs.registry import JOBS, Job
from joblogs.schedules import ATTEND, GREET, RECUR, place_schedules, recurring_jobs
from joblogs.sections import SECTIONS, Section
from joblogs.states import Status, Trigger
from joblogs.tasks import recur
from tests.apis import basic
from tests.processes import go, start
from tests.test_joblogs_admin import job, write
from tests.workers import start_worker, until

PAGE = reverse("scheduler")
NAME = "count"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that recurs every ten minutes; none is due at once."""
    monkeypatch.setitem(JOBS, NAME, Job(NAME, lambda _: {"counted": 1}, every=10))
    place_schedules()
    Schedule.objects.update(next_run=timezone.now() + timedelta(seconds=40))


def schedule(**values: object) -> Schedule:
    """Its schedule, changed behind the back of the code."""
    Schedule.objects.filter(name=NAME).update(**values)
    return Schedule.objects.get(name=NAME)


def due() -> None:
    Schedule.objects.update(next_run=timezone.now() - timedelta(seconds=1))


def one_round() -> list[str]:
    """What the main process of a worker does every 30 seconds; the names of what it rang for."""
    OrmQ.objects.all().delete()
    cluster.scheduler(broker=get_broker())
    return sorted(bell.task["group"] for bell in OrmQ.objects.all())


def everything() -> list[str]:
    """All that recurs."""
    return sorted(["attend", *recurring_jobs()])


def look(func: str = RECUR, success: bool = True, **times: object) -> None:
    """The queue has called a recurring job, or attended."""
    now = timezone.now()
    values = {"group": NAME, "func": func, "success": success, "result": "There was nothing."}
    Task.objects.create(id=uuid4().hex, **({"started": now, "stopped": now} | values | times))


def ago(**of: int) -> object:
    return timezone.now() - timedelta(**of)


def shown(client: Client, user: User) -> str:
    client.force_login(user)
    return client.get(PAGE).content.decode()


def row_of(text: str) -> str:
    row = re.search(rf'<tr id="schedule-{NAME}">.*?</tr>', text, re.DOTALL)[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row))


# --- None stops the others


def test_a_round_rings_for_what_is_due() -> None:
    due()
    assert one_round() == everything()
    assert one_round() == []


@pytest.mark.parametrize(
    "change",
    [
        {"args": "2, ("},
        {"kwargs": "3"},
        {"schedule_type": "?"},
        {"schedule_type": "C", "cron": "every now and then"},
        {"func": "no.such.function"},
        {"cluster": "another"},
        {"minutes": 0},
        {"next_run": None},
        {"repeats": 7},
        {"intended_date_kwarg": "day"},
    ],
    ids=str,
)
def test_an_edited_schedule_is_mended_and_stops_no_other(change: dict) -> None:
    due()
    schedule(**change)
    assert one_round() == everything()
    mended = schedule()
    assert (mended.func, mended.args, mended.minutes) == (RECUR, repr(NAME), 10)
    assert (mended.repeats, mended.cluster, mended.kwargs) == (-1, None, None)


def test_an_edited_attendance_is_mended_too() -> None:
    due()
    Schedule.objects.filter(name="attend").update(args=")", minutes=600)
    assert "attend" in one_round()


def test_a_schedule_that_was_put_off_for_years_runs_now() -> None:
    schedule(next_run=timezone.now() + timedelta(days=3650))
    assert one_round() == [NAME]


@pytest.mark.parametrize(
    "broken",
    [{"args": "2, ("}, {"kwargs": "[1]"}, {"schedule_type": "?"}, {"schedule_type": "C"}],
    ids=str,
)
def test_a_broken_schedule_of_somebody_else_is_paused(broken: dict) -> None:
    theirs = Schedule.objects.create(name="theirs", func="math.hypot")
    Schedule.objects.filter(pk=theirs.pk).update(**broken)
    due()
    assert one_round() == everything()
    theirs.refresh_from_db()
    assert (theirs.repeats, theirs.func) == (0, "math.hypot")


def test_a_sound_schedule_of_somebody_else_runs() -> None:
    Schedule.objects.create(name="theirs", func="math.hypot", args="3, 4", kwargs="x=1")
    due()
    assert "theirs" in one_round()


def test_what_was_missed_is_caught_up_once() -> None:
    schedule(next_run=ago(hours=3))
    assert one_round() == [NAME]
    assert timezone.now() < schedule().next_run <= timezone.now() + timedelta(minutes=10)
    assert one_round() == []


def test_a_real_worker_goes_on_beside_broken_schedules(no_process_left: None) -> None:
    due()
    Schedule.objects.create(name="theirs", func="math.hypot", args="2, (", minutes=1)
    Schedule.objects.filter(name="attend").update(args=")")
    start_worker(queue={"guard_cycle": 30})  # so that its first round is at once
    until(lambda: {*Task.objects.values_list("group", flat=True)} >= {"attend", "scan_inbox"})
    assert not beat().is_silent
    assert Schedule.objects.get(name="theirs").repeats == 0


# --- Pause and resume


def test_a_pause_survives_whatever_places_the_schedules(adam: User) -> None:
    due()
    pause(NAME, adam)
    place_schedules()
    call_command("place_schedules")
    assert one_round() == [name for name in everything() if name != NAME]
    schedule(args="2, (")
    assert NAME not in one_round()
    assert one_of(NAME).is_paused


def test_what_fell_into_a_pause_is_not_made_up_for(adam: User) -> None:
    next_run = schedule(next_run=ago(minutes=25), repeats=0).next_run
    resume(NAME, adam)
    assert one_round() == []
    assert schedule().next_run == next_run + timedelta(minutes=30)


def test_resuming_what_is_not_paused_changes_nothing(adam: User) -> None:
    before = schedule(next_run=ago(minutes=1)).next_run
    resume(NAME, adam)
    assert schedule().next_run == before


def test_who_paused_it_is_kept(adam: User) -> None:
    pause(NAME, adam)
    resume(NAME, adam)
    kept = AuditEntry.objects.order_by("pk").values_list("user__username", "deed", "subject")
    assert [*kept] == [("adam", "pause", "count"), ("adam", "resume", "count")]


# --- Run now

BEGIN = """
import sys
import django
django.setup()
from joblogs.schedules import begin
from joblogs.states import Trigger
print("ready", flush=True)
sys.stdin.readline()
print(begin("count", Trigger.API))
"""


def test_of_processes_that_begin_it_at_once_one_does(no_process_left: None) -> None:
    rivals = [start("-c", BEGIN) for _ in range(3)]
    assert [rival.stdout.readline() for rival in rivals] == ["ready\n"] * 3
    said = [ended.out.strip() for ended in go(*rivals)]
    log = JobLog.objects.get()
    assert sorted(said) == sorted([log.name, "None", "None"])


def test_what_was_asked_for_is_done_once(olga: User) -> None:
    log = run_now(NAME, olga, Trigger.MANUAL)
    assert log.asked_by == olga
    assert recur(NAME) == "The one before still runs."
    call = OrmQ.objects.get().task
    assert call["args"] == (log.pk,)
    assert [*log.details.values_list("message", flat=True)] == ["olga has asked for it."]


def test_a_paused_job_can_be_run_all_the_same(client: Client, adam: User) -> None:
    pause(NAME, adam)
    client.force_login(adam)
    text = client.post(reverse("schedule-run", args=[NAME]), follow=True).content.decode()
    assert "count will run as soon as a worker is free." in text
    assert "Paused" in row_of(text)
    assert JobLog.objects.get().trigger == Trigger.MANUAL


def test_a_job_that_runs_is_not_begun_again(client: Client, olga: User) -> None:
    job(NAME, status=Status.PROCESSING, heartbeat_at=timezone.now())
    client.force_login(olga)
    text = client.post(reverse("schedule-run", args=[NAME]), follow=True).content.decode()
    assert "count waits or runs already" in text
    assert JobLog.objects.count() == 1


# --- Who may


@pytest.mark.parametrize(
    ("who", "verbs"),
    [("vera", set()), ("olga", {"run"}), ("adam", {"run", "pause", "resume"})],
)
def test_the_buttons_are_for_those_who_may(
    client: Client, request: pytest.FixtureRequest, who: str, verbs: set[str]
) -> None:
    user = request.getfixturevalue(who)
    offered = "Pause" in shown(client, user)
    assert offered == ("pause" in verbs)
    for verb in ("run", "pause", "resume"):
        response = client.post(reverse(f"schedule-{verb}", args=[NAME]))
        assert response.status_code == (302 if verb in verbs else 403)
    assert JobLog.objects.exists() == ("run" in verbs)


@pytest.mark.parametrize("verb", ["run", "pause", "resume"])
def test_a_button_needs_more_than_a_link(client: Client, adam: User, verb: str) -> None:
    address = reverse(f"schedule-{verb}", args=[NAME])
    client.force_login(adam)
    assert client.get(address).status_code == 405
    assert client.post(reverse(f"schedule-{verb}", args=["x"])).status_code == 404
    by_password = Client(enforce_csrf_checks=True, headers={"Authorization": basic(adam)})
    assert by_password.post(address).status_code == 403
    by_password.get(PAGE)
    token = {"X-CSRFToken": by_password.cookies["csrftoken"].value}
    assert by_password.post(address, headers=token).url == PAGE


# --- How they go


def test_a_job_that_never_ran(client: Client, vera: User) -> None:
    assert "count every 10 min never — " in row_of(shown(client, vera))


def test_an_hour_is_called_so(client: Client, vera: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(JOBS, NAME, Job(NAME, lambda _: {}, every=60))
    assert "count every hour never — " in row_of(shown(client, vera))


def test_the_last_run_and_its_outcome(client: Client, vera: User) -> None:
    job(NAME, status=Status.SUCCESS, started_at=ago(hours=2), result={"counted": 3})
    began = job(NAME, status=Status.ERROR, started_at=ago(hours=1), error="ValueError: 7\nmore")
    row = row_of(shown(client, vera))
    assert f"{began.started_at:%H:%M:%S}" in row
    assert "Error" in row
    assert "ValueError: 7" in row
    assert "counted" not in row


def test_a_look_that_found_nothing_is_told(client: Client, vera: User) -> None:
    job(NAME, status=Status.ERROR, started_at=ago(hours=1))
    look()
    assert "Nothing to do" in row_of(shown(client, vera))
    assert one_of(NAME).outcome == "idle"


@pytest.mark.parametrize("status", [Status.PROCESSING, Status.ERROR, Status.NEW])
def test_a_look_while_the_one_before_still_ran_hides_nothing(
    client: Client, vera: User, status: Status
) -> None:
    then = ago(hours=1)
    times = {"created_at": then}
    times |= {} if status == Status.NEW else {"started_at": then, "heartbeat_at": then}
    times |= {"finished_at": ago(minutes=5)} if status == Status.ERROR else {}
    log = job(NAME, status=status, **times)
    look(started=ago(minutes=30), result="The one before still runs.")
    assert one_of(NAME).outcome == status
    assert "Nothing to do" not in row_of(shown(client, vera))
    assert one_of(NAME).last_run_at == (log.started_at or log.created_at)


def test_a_call_that_broke_off_before_its_log_is_told(client: Client, vera: User) -> None:
    look(success=False, result="Traceback:\n  in x\nOSError: no such folder")
    assert "OSError: no such folder" in row_of(shown(client, vera))


def test_a_run_behind_the_last_look_counts() -> None:
    look(started=ago(hours=1))
    job(NAME, status=Status.SUCCESS, started_at=timezone.now())
    assert one_of(NAME).outcome == Status.SUCCESS


@pytest.mark.parametrize(("minutes", "is_late"), [(-5, False), (1, False), (3, True)])
def test_late_is_what_should_have_run(
    client: Client, vera: User, minutes: int, is_late: bool
) -> None:
    schedule(next_run=ago(minutes=minutes))
    assert ("Late" in row_of(shown(client, vera))) == is_late
    schedule(repeats=0)
    assert "Late" not in row_of(shown(client, vera))


# --- Whether anything works

WARNING = "Nothing works on the queue"


def test_a_worker_that_attends_is_seen(client: Client, vera: User) -> None:
    assert WARNING in shown(client, vera)
    look(ATTEND, stopped=ago(minutes=4))
    assert f"{WARNING} since" in shown(client, vera)
    look(ATTEND)
    assert WARNING not in shown(client, vera)


def test_a_worker_that_starts_greets_at_once() -> None:
    for _ in range(2):
        OrmQ.objects.all().delete()
        post_spawn.send(sender="django_q", proc_name="one of its processes")
        assert [bell.task["func"] for bell in OrmQ.objects.all()] == [GREET]
    OrmQ.objects.all().delete()
    look(ATTEND)
    post_spawn.send(sender="django_q", proc_name="one that is recycled")
    assert not OrmQ.objects.exists()


def test_a_worker_starts_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError("it is away")

    monkeypatch.setattr(recurring, "beat", fail)
    post_spawn.send(sender="django_q", proc_name="one of its processes")
    assert not OrmQ.objects.exists()


def test_a_real_worker_is_seen_before_its_first_round(no_process_left: None) -> None:
    assert beat().is_silent
    start_worker(queue={"scheduler": False})
    until(lambda: not beat().is_silent)


def test_a_worker_that_is_busy_is_seen() -> None:
    job("import", status=Status.PROCESSING, heartbeat_at=timezone.now())
    assert not beat().is_silent


def test_a_command_is_no_worker() -> None:
    job("sync", Trigger.COMMAND, status=Status.PROCESSING, heartbeat_at=timezone.now())
    assert beat().is_silent


def test_what_waits_is_counted(client: Client, vera: User) -> None:
    job("import", created_at=ago(minutes=9))
    job("import")
    assert "2 jobs wait, the oldest since" in shown(client, vera)


# --- What other rooms add


def test_a_room_adds_a_part_for_those_who_may_see_it(
    client: Client, vera: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def render(request: HttpRequest) -> SafeString:
        return format_html("<section>For {}</section>", request.user)

    monkeypatch.setitem(SECTIONS, "for all", Section("joblogs.view_joblog", render))
    monkeypatch.setitem(SECTIONS, "for few", Section("joblogs.delete_joblog", render))
    assert shown(client, vera).count("<section>For vera</section>") == 1


def test_the_page_asks_little(
    client: Client, vera: User, django_assert_max_num_queries: object
) -> None:
    for _ in range(20):
        write(job(NAME), "line")
    client.force_login(vera)
    with django_assert_max_num_queries(18):
        client.get(PAGE)
