"""Clearing the logs of imports that have ended."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from audit.models import AuditEntry, Deed
from imports import clearing
from imports.clearing import clear_slice
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.states import Status
from joblogs.models import JobLog
from tests.apis import asking
from tests.conftest import TakeIn, file_of, fill
from trades.models import Trade

GOOD = file_of(fill(ID="a"), fill(ID="b"))
PARTIAL = file_of(fill(), fill(ID="exec-2", Quantity="abc"))
FAILED = file_of(fill(Quantity="abc"))


@pytest.fixture
def adam_asks(adam: User) -> Client:
    return asking(adam)


def clear(client: Client) -> dict[str, Any]:
    response = client.delete("/import-logs")
    assert response.status_code == 200
    return response.json()


def test_what_has_ended_is_cleared(take_in: TakeIn, adam_asks: Client) -> None:
    take_in(GOOD)
    take_in(FAILED)
    assert clear(adam_asks)["logs_deleted"] == 2
    assert not ImportExecutionLog.objects.exists()
    assert not ImportRowLog.objects.exists()


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING, Status.ROLLING_BACK])
def test_what_is_at_work_is_not_cleared(take_in: TakeIn, adam_asks: Client, status: Status) -> None:
    log = take_in(GOOD)
    ImportExecutionLog.objects.update(status=status)
    assert clear(adam_asks)["logs_deleted"] == 0
    assert log.row_logs.count() == 2


def test_trades_and_ledger_stay(take_in: TakeIn, adam_asks: Client) -> None:
    take_in(GOOD)
    clear(adam_asks)
    assert Trade.objects.filter(import_row_log=None).count() == 2
    assert ImportedExecution.objects.filter(import_log=None).count() == 2
    assert take_in(GOOD).skipped_rows == 2


def test_a_retry_outlives_what_it_retried(take_in: TakeIn, adam_asks: Client) -> None:
    log = take_in(PARTIAL)
    adam_asks.post(f"/api/import-logs/retry/{log.pk}")
    assert clear(adam_asks)["logs_deleted"] == 1
    assert ImportExecutionLog.objects.get().retry_of is None


def test_the_history_tells_who_cleared(take_in: TakeIn, adam: User, adam_asks: Client) -> None:
    take_in(GOOD)
    clear(adam_asks)
    entry = AuditEntry.objects.get(deed=Deed.CLEAR)
    assert (entry.user, entry.deed, entry.count) == (adam, "clear", 1)


def test_what_takes_long_is_left_to_a_worker(
    take_in: TakeIn, adam_asks: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clearing, "AT_ONCE", -1)
    log = take_in(GOOD)
    assert "the other 1" in clear(adam_asks)["message"]
    job = JobLog.objects.get(job=clearing.CLEAR)
    assert clear_slice(job.subject_id) == {"cleared": 1}
    assert not ImportExecutionLog.objects.filter(pk=log.pk).exists()


def test_a_worker_clears_nothing_newer(take_in: TakeIn) -> None:
    older, newer = take_in(GOOD), take_in(FAILED)
    clear_slice(older.pk)
    assert list(ImportExecutionLog.objects.all()) == [newer]
