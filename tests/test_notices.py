"""What is told: once, by whoever wants to, and of a trouble not again before it is over."""

import io
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from django_q.models import Schedule

from imports.background import import_slice, waiting_imports
from imports.models import ImportExecutionLog
from joblogs import forgetting, tasks
from joblogs.models import JobLog, Notice
from joblogs.notices import acknowledge, acknowledge_until, is_over, tell
from joblogs.registry import JOBS, Job, register
from joblogs.states import Delivery, Level, Status, Trigger
from tests.conftest import TakeIn, file_of, fill
from tests.processes import begin, end, start
from tradelog.navigation import numbers_for

TELLER = """
import sys, django
django.setup()
from django.db import transaction
from joblogs.notices import tell
print("ready", flush=True)
sys.stdin.readline()
with transaction.atomic():
    print(tell(sys.argv[1], "Told", trouble=sys.argv[2]) is not None)
"""


def titles() -> list[str]:
    return list(Notice.objects.order_by("pk").values_list("title", flat=True))


# --- Once


@pytest.mark.django_db
def test_a_key_is_told_once() -> None:
    assert tell("batch:1:1", "Done", "3 executed", Level.WARNING, "/batches/1/")
    assert tell("batch:1:1", "Done again") is None
    assert tell("batch:1:2", "Done a second time")
    first = Notice.objects.get(key="batch:1:1")
    assert (first.title, first.text, first.level, first.url) == (
        "Done",
        "3 executed",
        "warning",
        "/batches/1/",
    )
    assert first.delivery == Delivery.KEPT
    assert not JobLog.objects.exists()


@pytest.mark.django_db
def test_what_is_rolled_back_was_not_told() -> None:
    with transaction.atomic():
        tell("batch:1:1", "Done")
        transaction.set_rollback(True)
    assert titles() == []


@pytest.mark.django_db
def test_what_was_told_breaks_no_transaction() -> None:
    tell("batch:1:1", "Done")
    with transaction.atomic():
        assert tell("batch:1:1", "Done") is None
        assert tell("batch:1:2", "Done") is not None
    assert len(titles()) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_process_left")
@pytest.mark.parametrize("keys", [("a", "a"), ("a", "b")], ids=["one key", "one trouble"])
def test_of_processes_that_tell_at_once_one_does(keys: tuple[str, str]) -> None:
    racers = [start("-c", TELLER, key, "job:x") for key in keys]
    assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 2
    begin(*racers)
    ended = [end(racer) for racer in racers]
    assert [one.err for one in ended] == [""] * 2
    assert sorted(one.out for one in ended) == ["False\n", "True\n"]
    assert titles() == ["Told"]


@pytest.mark.django_db
def test_secrets_are_not_told(settings: object) -> None:
    settings.TRADELOG_ADMIN_PASSWORD = "open sesame"
    tell("x", "It said open sesame", "password=hunter2\n" * 2)
    notice = Notice.objects.get()
    assert (notice.title, notice.text) == ("It said ***", "password=***\n" * 2)


@pytest.mark.django_db
def test_a_long_title_is_cut() -> None:
    tell("x", "x" * 1_000)
    assert len(Notice.objects.get().title) == 200


# --- Acknowledged


@pytest.mark.django_db
def test_who_acknowledges_first_counts(vera: User, olga: User) -> None:
    notice = tell("x", "Done")
    assert acknowledge(notice, olga)
    assert not acknowledge(notice, vera)
    assert Notice.objects.get().acknowledged_by == olga


@pytest.mark.django_db
def test_what_nobody_has_seen_stays(olga: User) -> None:
    seen = [tell(f"x{one}", "Done") for one in range(3)]
    tell("later", "Done later")
    assert acknowledge_until(seen[-1].pk, olga) == 3
    assert [one.title for one in Notice.objects.open()] == ["Done later"]


@pytest.mark.django_db
def test_they_are_counted_to_a_hundred(olga: User) -> None:
    assert numbers_for(olga)["Notices"] == ""
    Notice.objects.bulk_create(Notice(key=f"x{one}", title="Done") for one in range(99))
    assert numbers_for(olga)["Notices"] == "99"
    tell("more", "Done")
    assert numbers_for(olga)["Notices"] == "99+"
    assert numbers_for(User.objects.create_user("nina")) == {}  # has no rights


# --- Recurring jobs


@pytest.fixture
def job(db: None) -> list[object]:
    """A recurring job; what its next runs do: raise, or give that result."""
    plan: list[object] = []

    def work(_: int | None) -> dict[str, object]:
        now = plan.pop(0)
        if isinstance(now, Exception):
            raise now
        return now

    register(Job("watch", work, every=1, was_idle=lambda result: not result))
    yield plan
    del JOBS["watch"]
    Schedule.objects.filter(name="watch").delete()


def run(plan: list[object], *outcomes: object) -> None:
    """The job runs as often, and each time somebody looks after the jobs."""
    for outcome in outcomes:
        plan.append(outcome)
        if isinstance(outcome, Exception):
            with pytest.raises(type(outcome)):
                tasks.recur("watch")
        else:
            tasks.recur("watch")
        tasks.attend()


BROKEN = OSError("The disk is full")


@pytest.mark.django_db(transaction=True)
def test_a_job_that_fails_again_and_again_is_told_once(job: list[object]) -> None:
    run(job, BROKEN, BROKEN, BROKEN)
    notice = Notice.objects.get()
    assert (notice.title, notice.level) == ("The recurring job watch failed", "error")
    assert "The disk is full" in notice.text
    assert notice.url == JobLog.objects.filter(job="watch").last().get_absolute_url()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("well", [{"found": 1}, {}], ids=["worked", "had nothing to do"])
def test_it_is_told_again_when_it_went_well_between(job: list[object], well: dict) -> None:
    run(job, BROKEN, well)
    assert Notice.objects.get().over_at
    run(job, BROKEN, BROKEN)
    assert len(titles()) == 2


@pytest.mark.django_db(transaction=True)
def test_it_is_told_again_when_it_was_acknowledged(job: list[object], olga: User) -> None:
    run(job, BROKEN)
    acknowledge(Notice.objects.get(), olga)
    tasks.attend()
    assert len(titles()) == 1
    run(job, BROKEN, BROKEN)
    assert len(titles()) == 2


@pytest.mark.django_db(transaction=True)
def test_an_abandoned_run_is_told(job: list[object]) -> None:
    long_ago = timezone.now() - timedelta(minutes=6)
    values = {"status": Status.PROCESSING, "heartbeat_at": long_ago, "trigger": Trigger.SCHEDULE}
    JobLog.objects.create(name="x", job="watch", **values)
    tasks.attend()
    tasks.attend()
    assert "abandoned" in Notice.objects.get().text


@pytest.mark.django_db
def test_who_asked_for_a_run_is_not_told(job: list[object]) -> None:
    values = {"status": Status.ERROR, "trigger": Trigger.MANUAL}
    JobLog.objects.create(name="x", job="watch", **values)
    tasks.attend()
    assert titles() == []


@pytest.mark.django_db
def test_a_trouble_that_is_not_there_is_not_over() -> None:
    assert not is_over("job:watch")


# --- Imports


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([fill()], []),
        ([fill(), fill(ID="2", Quantity="abc")], [("Import partial: fills.csv", "warning")]),
        ([fill(Quantity="abc")], [("Import failed: fills.csv", "error")]),
    ],
)
def test_an_import_that_fails_in_the_background_is_told(
    take_in: TakeIn, lines: list[str], told: list[tuple[str, str]]
) -> None:
    log = take_in(file_of(*lines))
    ImportExecutionLog.objects.update(status="queued", cursor=0)
    log = again(log)
    for _ in range(2):
        import_slice(log.pk)
    assert list(Notice.objects.values_list("title", "level")) == told
    assert all(notice.url == log.get_absolute_url() for notice in Notice.objects.all())


def again(log: ImportExecutionLog) -> ImportExecutionLog:
    """A new import of the same bytes that waits to be taken in."""
    stored = {"file_hash": log.file_hash, "file_size": log.file_size, "file_name": log.file_name}
    log.delete()
    return ImportExecutionLog.objects.create(timezone=log.timezone, **stored)


@pytest.mark.django_db
def test_one_whose_process_died_before_it_told_is_told(take_in: TakeIn) -> None:
    log = take_in(file_of(fill(Quantity="abc")))
    list(waiting_imports())
    assert titles() == []  # somebody has imported it by a command
    JobLog.objects.start("import", trigger=Trigger.MANUAL, subject_id=log.pk)
    for _ in range(2):
        list(waiting_imports())
    assert titles() == ["Import failed: fills.csv"]


# --- Forgotten


def old(key: str, days: int = 91, **more: object) -> None:
    """A notice that was acknowledged so many days ago."""
    tell(key, key)
    then = timezone.now() - timedelta(days=days)
    Notice.objects.filter(key=key).update(acknowledged_at=then, **more)


def forgotten(*arguments: str) -> str:
    out = io.StringIO()
    call_command("clean_notices", *arguments, stdout=out)
    return out.getvalue().strip()


@pytest.mark.django_db
def test_what_was_acknowledged_long_ago_is_deleted() -> None:
    old("long ago")
    old("lately", days=89)
    tell("open", "open")
    Notice.objects.filter(key="open").update(created_at=timezone.now() - timedelta(days=1000))
    assert forgotten("--dry-run") == "1 notice would be deleted."
    assert len(titles()) == 3
    assert forgotten() == "1 notice deleted."
    assert titles() == ["lately", "open"]
    assert forgotten("--after", "0") == "0 notices deleted."
    assert forgotten("--after", "80") == "1 notice deleted."


@pytest.mark.django_db
def test_a_trouble_that_goes_on_is_not_told_again() -> None:
    old("goes on", trouble="job:sync")
    old("is over", trouble="job:other", over_at=timezone.now())
    old("is to be sent", delivery=Delivery.WAITING)
    assert forgotten() == "1 notice deleted."
    assert titles() == ["goes on", "is to be sent"]


@pytest.mark.django_db
def test_notices_are_forgotten_lot_by_lot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "LOT", 2)
    for number in range(5):
        old(f"{number}")
    assert forgetting.forget(90) == 5
    assert titles() == []


@pytest.mark.django_db(transaction=True)
def test_every_day_a_job_forgets(settings: LazySettings) -> None:
    assert tasks.recur("clean_notices") == "Nothing to do."
    old("long ago")
    assert tasks.recur("clean_notices") == "Done."
    assert JobLog.objects.get(job="clean_notices").result == {"deleted": 1}
    old("never", days=5000)
    settings.TRADELOG_DELETE_NOTICES_DAYS = 0
    assert tasks.recur("clean_notices") == "Nothing to do."
