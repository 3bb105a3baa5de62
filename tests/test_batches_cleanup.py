"""Old batches are archived, and deleted long after that; what runs, and every trade, stays."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from batches import cleanup
from batches.cleanup import Ages, Cleaned, clean, clean_slice, is_needed
from batches.control import unarchive
from batches.models import Batch, BatchTrade
from batches.states import Status
from imports.models import ImportedExecution
from joblogs.models import JobLog
from joblogs.tasks import recur
from tests.batching import stage, started, work_off
from trades.models import Trade

pytestmark = pytest.mark.django_db

AGES = Ages(archive_after=30, delete_after=90)


def ended(days: int, archived: int | None = None, **wishes: object) -> Batch:
    """A batch of two trades that ended, and was archived, so many days ago."""
    batch = started(2, **wishes)
    work_off()
    moments = dict.fromkeys(("completed_at", "updated_at"), timezone.now() - timedelta(days=days))
    if archived is not None:
        moments["archived_at"] = timezone.now() - timedelta(days=archived)
    Batch.objects.filter(pk=batch.pk).update(**moments)
    return batch


def run_command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("clean_batches", *arguments, stdout=out)
    return out.getvalue().strip()


def is_archived(batch: Batch) -> bool:
    batch.refresh_from_db()
    return batch.archived_at is not None


def test_a_batch_that_ended_long_ago_is_archived() -> None:
    young, old = ended(29), ended(31)
    assert clean(AGES) == Cleaned(archived=1, deleted=0)
    assert (is_archived(young), is_archived(old)) == (False, True)
    assert clean(AGES) == Cleaned(archived=0, deleted=0)


def test_one_that_was_taken_out_of_the_archive_stays_out() -> None:
    batch = unarchive(ended(400, archived=10))
    assert clean(AGES) == Cleaned(archived=0, deleted=0)
    Batch.objects.update(updated_at=timezone.now() - timedelta(days=31))
    assert clean(AGES) == Cleaned(archived=1, deleted=0)
    assert is_archived(batch)


@pytest.mark.parametrize("status", [Status.PENDING, Status.RUNNING])
def test_one_that_has_not_ended_stays(status: Status) -> None:
    batch = stage(2)
    old = timezone.now() - timedelta(days=400)
    values = {"completed_at": old, "created_at": old, "archived_at": old}
    Batch.objects.filter(pk=batch.pk).update(status=status, **values)
    assert clean(AGES) == Cleaned(archived=0, deleted=0)


def test_the_trades_of_a_deleted_batch_stay() -> None:
    young, old = ended(400, archived=89), ended(400, archived=91)
    assert clean(AGES) == Cleaned(archived=0, deleted=1)
    assert list(Batch.objects.all()) == [young]
    assert not BatchTrade.objects.filter(batch_id=old.pk).exists()
    assert (Trade.objects.count(), ImportedExecution.objects.count()) == (4, 4)
    assert Trade.objects.filter(batch=None).count() == 2


def test_never_is_never() -> None:
    ended(4_000)
    ended(4_000, archived=4_000)
    assert clean(Ages(0, 0)) == clean(Ages(None, None)) == Cleaned(archived=0, deleted=0)


def test_one_that_runs_again_meanwhile_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = ended(400, archived=91)
    delete = cleanup.delete

    def too_late(one: Batch) -> None:
        values = {"archived_at": None, "status": Status.PENDING, "queued_at": timezone.now()}
        Batch.objects.filter(pk=one.pk).update(**values)
        delete(one)

    monkeypatch.setattr(cleanup, "delete", too_late)
    assert clean(AGES) == Cleaned(archived=0, deleted=0)
    assert list(Batch.objects.all()) == [batch]


# --- The command


def test_a_dry_run_changes_nothing() -> None:
    old = ended(31)
    ended(400, archived=91)
    told = run_command("--archive-after", "30", "--delete-after", "90", "--dry-run")
    assert told == "1 batch would be archived, 1 would be deleted."
    assert not is_archived(old)
    assert run_command("--delete-after", "90") == "1 batch archived, 1 deleted."


def test_the_settings_are_the_default(settings: object) -> None:
    settings.TRADELOG_ARCHIVE_BATCHES_DAYS, settings.TRADELOG_DELETE_BATCHES_DAYS = 10, 0
    ended(11)
    ended(400, archived=400)
    assert run_command() == "1 batch archived, 0 deleted."


@pytest.mark.parametrize("days", ["-1", "x", "36501"])
def test_days_are_whole_numbers(days: str) -> None:
    with pytest.raises(CommandError, match="whole number"):
        run_command("--delete-after", days)


# --- The job


@pytest.mark.django_db(transaction=True)
def test_every_day_a_job_says_what_it_did(settings: object) -> None:
    settings.TRADELOG_DELETE_BATCHES_DAYS = 90
    assert recur("clean_batches") == "Nothing to do."
    ended(31)
    ended(400, archived=91)
    recur("clean_batches")
    log = JobLog.objects.get(job="clean_batches")
    assert log.result == {"archived": 1, "deleted": 1}
    assert "1 batch archived, 1 deleted." in [line.message for line in log.details.all()]
    assert not is_needed()


def test_a_slice_ends_and_rings_for_the_rest(
    settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRADELOG_DELETE_BATCHES_DAYS = 90
    ended(400, archived=91)
    monkeypatch.setattr(cleanup, "SLICE", -1)
    assert clean_slice(None) == {"archived": 0, "deleted": 0}
    assert JobLog.objects.filter(job="clean_batches", status="new").count() == 1
