"""The doorbell: bells that ring, are lost, doubled or late, and the jobs that recur."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from joblogs import queueing
from joblogs.models import JobLog
from joblogs.queueing import ANSWER, LOST_AFTER, ring, ring_again, ring_for_the_waiting
from joblogs.registry import JOBS, Job
from joblogs.schedules import place_schedules
from joblogs.states import Status, Trigger
from joblogs.tasks import answer, attend, recur

pytestmark = pytest.mark.django_db(transaction=True)

Make = Callable[..., list[int | None]]


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Make a job known under the name "count"; gives the list of the subjects it was done for."""

    def make(**terms: object) -> list[int | None]:
        done: list[int | None] = []

        def work(subject: int | None) -> dict[str, object]:
            done.append(subject)
            return {"done": len(done)}

        monkeypatch.setitem(JOBS, "count", Job("count", **({"work": work} | terms)))
        return done

    return make


@pytest.fixture
def no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise ConnectionError("Connection refused")

    monkeypatch.setattr(queueing, "async_task", refuse)


def lines(log: JobLog) -> list[str]:
    return [*log.details.values_list("message", flat=True)]


def make_old(log: JobLog) -> None:
    before = timezone.now() - LOST_AFTER - timedelta(seconds=1)
    JobLog.objects.filter(pk=log.pk).update(created_at=before, rung_at=before)


# --- Ringing


def test_a_bell_carries_a_number_and_nothing_else() -> None:
    log = ring("import", 7, trigger=Trigger.API)
    task = OrmQ.objects.get().task
    assert (task["func"], task["args"], task["kwargs"]) == (ANSWER, (log.pk,), {})


def test_a_bell_leaves_a_new_job_log() -> None:
    ring("import", 7, trigger=Trigger.API)
    log = JobLog.objects.get()
    assert (log.job, log.subject_id, log.trigger) == ("import", 7, "api")
    assert (log.status, log.task_id) == (Status.NEW, OrmQ.objects.get().task["id"])


def test_nothing_rings_before_the_commit() -> None:
    with transaction.atomic():
        ring("import", trigger=Trigger.MANUAL)
        assert not OrmQ.objects.exists()
    assert OrmQ.objects.count() == 1


def test_what_is_rolled_back_does_not_ring() -> None:
    with transaction.atomic():
        ring("import", trigger=Trigger.MANUAL)
        transaction.set_rollback(True)
    assert not OrmQ.objects.exists()
    assert not JobLog.objects.exists()


def test_a_queue_that_is_away_is_no_error(no_queue: None) -> None:
    log = ring("import", trigger=Trigger.MANUAL)
    log.refresh_from_db()
    assert (log.status, log.task_id) == (Status.NEW, "")


# --- Answering


def test_who_answers_does_the_job(job: Make) -> None:
    done = job()
    log = ring("count", 7, trigger=Trigger.MANUAL)
    assert answer(log.pk) == "Done."
    log.refresh_from_db()
    assert (done, log.status, log.result) == ([7], Status.SUCCESS, {"done": 1})


def test_a_doubled_bell_does_nothing_and_is_seen(job: Make) -> None:
    done = job()
    log = ring("count", 7, trigger=Trigger.MANUAL)
    answer(log.pk)
    answer(log.pk)
    assert done == [7]
    assert lines(log) == ["The bell was rung once more; nothing was done."]


def test_a_bell_of_a_job_log_that_is_gone_does_nothing() -> None:
    assert "gone" in answer(12345)


def test_a_job_that_nobody_knows_is_an_error() -> None:
    log = ring("of another version", trigger=Trigger.MANUAL)
    with pytest.raises(KeyError):
        answer(log.pk)
    log.refresh_from_db()
    assert (log.status, "of another version" in log.error) == (Status.ERROR, True)


@pytest.mark.parametrize("name", ["import", "rollback"])
def test_a_bell_for_a_deleted_import_is_harmless_and_seen(name: str) -> None:
    log = ring(name, 12345, trigger=Trigger.MANUAL)
    answer(log.pk)
    log.refresh_from_db()
    assert log.status == Status.SUCCESS
    assert lines(log) == ["Import 12345 does not exist any more; nothing was done."]


# --- Ringing again


def test_a_lost_bell_is_rung_again_and_seen() -> None:
    log = ring("import", trigger=Trigger.MANUAL)
    OrmQ.objects.all().delete()
    make_old(log)
    assert ring_again() == 1
    assert OrmQ.objects.get().task["args"] == (log.pk,)
    assert lines(log) == ["Nobody has answered the bell; it is rung again."]
    assert ring_again() == 0


def test_a_bell_that_could_not_be_rung_is_rung_again(
    monkeypatch: pytest.MonkeyPatch, no_queue: None
) -> None:
    log = ring("import", trigger=Trigger.MANUAL)
    monkeypatch.undo()
    make_old(log)
    assert ring_again() == 1
    assert OrmQ.objects.count() == 1


def test_nothing_is_rung_again_too_soon() -> None:
    ring("import", trigger=Trigger.MANUAL)
    OrmQ.objects.all().delete()
    assert ring_again() == 0


def test_a_long_queue_is_not_made_longer() -> None:
    for _ in range(3):
        make_old(ring("import", trigger=Trigger.MANUAL))
    assert ring_again() == 0
    assert OrmQ.objects.count() == 3


def test_work_that_waits_without_a_bell_gets_one(job: Make) -> None:
    job(waiting=lambda: [3, 4])
    ring("count", 3, trigger=Trigger.MANUAL)
    assert ring_for_the_waiting() == 1
    assert ring_for_the_waiting() == 0
    found = JobLog.objects.order_by("pk").values_list("subject_id", "trigger")
    assert [*found] == [(3, "manual"), (4, "schedule")]


# --- What recurs


def test_a_recurring_job_leaves_a_job_log(job: Make) -> None:
    done = job(every=1)
    recur("count")
    log = JobLog.objects.get()
    assert (done, log.status, log.trigger) == ([None], Status.SUCCESS, "schedule")


def test_a_recurring_job_with_nothing_to_do_leaves_no_log(job: Make) -> None:
    done = job(every=1, is_needed=lambda: False)
    recur("count")
    assert (done, JobLog.objects.count()) == ([], 0)


def test_a_run_that_found_nothing_to_do_leaves_no_log(job: Make) -> None:
    done = job(every=1, was_idle=lambda result: result == {"done": 1})
    for _ in range(2):
        recur("count")
    assert (len(done), JobLog.objects.get().result) == (2, {"done": 2})


@pytest.mark.parametrize("status", [Status.NEW, Status.PROCESSING])
def test_a_recurring_job_does_not_overlap_with_itself(job: Make, status: Status) -> None:
    done = job(every=1)
    JobLog.objects.create(name="before", job="count", status=status, trigger=Trigger.SCHEDULE)
    assert recur("count") == "The one before still runs."
    assert done == []


def test_a_schedule_of_a_job_that_is_gone_does_nothing() -> None:
    assert recur("of another version") == "Nothing to do."


def schedules() -> list[tuple]:
    found = Schedule.objects.order_by("name")
    return [*found.values_list("name", "func", "args", "schedule_type", "minutes", "repeats")]


def test_the_schedules_are_what_the_code_declares(job: Make) -> None:
    job(every=5)
    place_schedules()
    assert ("attend", "joblogs.tasks.attend", None, "I", 1, -1) in schedules()
    assert ("count", "joblogs.tasks.recur", "'count'", "I", 5, -1) in schedules()


def test_placing_schedules_again_changes_nothing(job: Make) -> None:
    job(every=5)
    place_schedules()
    Schedule.objects.filter(name="count").update(repeats=0)  # paused
    before = [*Schedule.objects.order_by("pk").values()]
    place_schedules()
    assert [*Schedule.objects.order_by("pk").values()] == before


def test_placing_schedules_mends_them(job: Make) -> None:
    job(every=5)
    place_schedules()
    first = Schedule.objects.get(name="count")
    Schedule.objects.create(name="count", func=first.func, args=first.args, minutes=5)
    Schedule.objects.create(name="of another version", func=first.func)
    Schedule.objects.create(name="of somebody else", func="math.hypot")
    Schedule.objects.filter(pk=first.pk).update(minutes=60)
    place_schedules()
    found = Schedule.objects.exclude(name__in=["attend", "scan_inbox", "sync_open_orders"])
    assert {one.name: (one.pk, one.minutes) for one in found.filter(func=first.func)} == {
        "count": (first.pk, 5)
    }
    assert Schedule.objects.filter(name="of somebody else").exists()


def test_attending_does_all_of_it(job: Make) -> None:
    job(waiting=lambda: [3])
    silent = JobLog.objects.create(name="silent", job="count", status=Status.PROCESSING)
    JobLog.objects.filter(pk=silent.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))
    assert attend() == "1 buried, 1 rung."
    assert Schedule.objects.filter(name="attend").count() == 1
    silent.refresh_from_db()
    assert silent.status == Status.ERROR
