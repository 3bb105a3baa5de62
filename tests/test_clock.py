"""A clock that jumps by hours, and a worker that hangs: others take over, and somebody is told."""

import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django_q.models import Task

from batches.claims import LEASE as BATCH_LEASE
from batches.models import Batch
from imports.claims import LEASE, claim
from imports.models import ImportExecutionLog
from imports.states import Status
from imports.storing import receive
from joblogs.models import JobLog, Notice
from joblogs.queueing import ring_again
from joblogs.reaper import bury_the_silent
from joblogs.recurring import beat
from joblogs.schedules import ATTEND
from joblogs.states import Status as JobStatus
from joblogs.states import Trigger
from orders.claims import claim as claim_sync
from orders.models import OpenOrderSnapshot
from tests.batching import started
from tests.conftest import file_of, fill

pytestmark = pytest.mark.django_db

FILE = file_of(fill())


# --- The clock


@pytest.mark.parametrize("jump", [timedelta(hours=3), timedelta(hours=-3)])
def test_an_import_of_before_a_jump_is_taken_over(jump: timedelta) -> None:
    """Of one whose owner lives, the owner notices, and writes nothing more."""
    log = receive(io.BytesIO(FILE.encode()), "fills.csv")
    claim(log.pk, Status.RUNNING)
    mine = ImportExecutionLog.objects.filter(pk=log.pk)
    mine.update(owner="far:1:2:x")
    assert claim(log.pk, Status.RUNNING) is None
    mine.update(lease_until=timezone.now() + LEASE - jump)
    log.refresh_from_db()
    assert log.is_left_behind
    assert claim(log.pk, Status.RUNNING)


@pytest.mark.parametrize("jump", [timedelta(hours=3), timedelta(hours=-3)])
def test_so_is_a_batch(jump: timedelta) -> None:
    batch = started(1)
    held = Batch.objects.filter(pk=batch.pk)
    held.update(owner="far:1:2:x", lease_until=timezone.now() + BATCH_LEASE)
    assert not Batch.objects.due().exists()
    held.update(lease_until=timezone.now() + BATCH_LEASE - jump)
    assert Batch.objects.due().get() == batch


@pytest.mark.parametrize("jump", [timedelta(hours=3), timedelta(hours=-3)])
def test_so_is_a_sync(jump: timedelta) -> None:
    first = claim_sync()
    OpenOrderSnapshot.objects.update(owner="far:1:2:x")
    assert claim_sync() is None
    OpenOrderSnapshot.objects.update(lease_until=first.lease_until - jump)
    assert claim_sync()


@pytest.mark.parametrize("jump", [timedelta(hours=3), timedelta(hours=-3)])
def test_a_beat_of_before_a_jump_counts_no_more(jump: timedelta) -> None:
    attended(jump)
    assert beat().is_silent
    attended(timedelta(seconds=20))
    assert not beat().is_silent


def attended(ago: timedelta) -> None:
    then = timezone.now() - ago
    values = {"func": ATTEND, "started": then, "stopped": then}
    Task.objects.create(id=f"{ago}", name="attend", **values)


def test_a_bell_that_was_rung_in_the_future_is_rung_again() -> None:
    log = JobLog.objects.start("import", trigger=Trigger.MANUAL, subject_id=1)
    JobLog.objects.filter(pk=log.pk).update(rung_at=timezone.now() + timedelta(seconds=30))
    assert ring_again() == 0
    JobLog.objects.filter(pk=log.pk).update(rung_at=timezone.now() + timedelta(hours=3))
    assert ring_again() == 1


# --- A worker that hangs


def at_work(heartbeat: timedelta, subject: int | None = 7) -> JobLog:
    log = JobLog.objects.start("import", trigger=Trigger.MANUAL, subject_id=subject)
    then = timezone.now() - heartbeat
    values = {"status": JobStatus.PROCESSING, "started_at": then, "heartbeat_at": then}
    JobLog.objects.filter(pk=log.pk).update(**values, owner="desk2:1:2:x")
    return log


@pytest.mark.parametrize("heartbeat", [timedelta(minutes=6), timedelta(hours=-3)])
def test_its_job_is_ended_and_somebody_is_told(heartbeat: timedelta) -> None:
    log = at_work(heartbeat)
    assert bury_the_silent() == 1
    notice = Notice.objects.get()
    assert notice.title == "A worker on desk2 is silent"
    assert "import: abandoned: no sign of life since" in notice.text
    assert notice.url == log.get_absolute_url()
    assert bury_the_silent() == 0


def test_one_that_gives_signs_of_life_is_left() -> None:
    at_work(timedelta(minutes=4))
    assert bury_the_silent() == 0
    assert not Notice.objects.exists()


def test_the_page_of_the_recurring_jobs_says_it(client: Client, adam: User) -> None:
    client.force_login(adam)
    at_work(timedelta(minutes=4))
    assert "Nothing works on the queue" in client.get("/scheduler/").text
    assert "Nothing works on the queue" in client.get("/admin/").text
