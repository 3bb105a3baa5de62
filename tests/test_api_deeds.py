"""What the API changes: upload, each once; retry; rollback; the sample."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from imports import rollback, storing
from imports.claims import claim
from imports.models import ImportExecutionLog
from imports.states import Status
from imports.uploadkeys import UploadKey
from joblogs.models import JobLog
from tests.apis import UPLOAD, asking, downloaded, refused
from tests.conftest import ZONE, TakeIn, file_of, fill, work_off
from trades.models import Trade

GOOD = file_of(fill(ID="a"), fill(ID="b"))
PARTIAL = file_of(fill(), fill(ID="exec-2", Quantity="abc"))
FAILED = file_of(fill(Quantity="abc"))


@pytest.fixture
def olga_asks(olga: User) -> Client:
    return asking(olga)


@pytest.fixture
def adam_asks(adam: User) -> Client:
    return asking(adam)


def upload(client: Client, content: str = GOOD, key: str = "", **wishes: str) -> HttpResponse:
    file = SimpleUploadedFile("fills.csv", content.encode())
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(UPLOAD, {"file": file, **wishes}, headers=headers)


def ask(client: Client, deed: str, log: ImportExecutionLog, body: Any = None) -> HttpResponse:
    address = f"/api/import-logs/{deed}/{log.pk}"
    return client.post(address, body, content_type="application/json")


# --- Upload


def test_an_upload_becomes_an_import(olga_asks: Client, olga: User) -> None:
    response = upload(olga_asks, account="Mine", timezone=ZONE)
    work_off()
    log = ImportExecutionLog.objects.get()
    assert (response.status_code, response.json()["id"]) == (202, log.pk)
    assert response.json()["import_batch_id"] == str(log.import_batch_id)
    assert (log.status, log.created_by, log.default_account) == (Status.SUCCESS, olga, "Mine")
    assert JobLog.objects.get(subject_id=log.pk).trigger == "api"


@pytest.mark.parametrize(
    "wishes", [{"timezone": "Moon"}, {"format": "moon"}, {"account": "x" * 101}, {"account": "\0"}]
)
def test_a_wish_that_cannot_be_granted(olga_asks: Client, wishes: dict[str, str]) -> None:
    answer = refused(upload(olga_asks, **wishes), 400, "INVALID_PARAMETER")
    assert answer["details"].keys() == wishes.keys()
    assert not ImportExecutionLog.objects.exists()


def test_an_upload_without_a_file(olga_asks: Client) -> None:
    answer = refused(olga_asks.post(UPLOAD, {}), 400, "INVALID_PARAMETER")
    assert list(answer["details"]) == ["file"]


def test_no_file_of_several_is_lost(olga_asks: Client) -> None:
    files = [SimpleUploadedFile(name, GOOD.encode()) for name in ("a.csv", "b.csv")]
    answer = refused(olga_asks.post(UPLOAD, {"file": files}), 400, "INVALID_PARAMETER")
    assert list(answer["details"]) == ["file"]


def test_an_empty_file_is_an_import_that_fails(olga_asks: Client) -> None:
    assert upload(olga_asks, "").status_code == 202
    work_off()
    assert ImportExecutionLog.objects.get().status == Status.FAILED


def test_a_file_that_cannot_be_stored_is_not_said_to_be_received(
    olga_asks: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storing, "store", full)
    response = upload(olga_asks, key="one")
    assert response.status_code == 202
    assert response.json().keys() == {"success", "message", "id", "import_batch_id"}
    sentence = "Failed: fills.csv could not be read or stored: No space left on device."
    assert response.json()["message"] == sentence


def test_a_file_that_is_too_large(olga_asks: Client, settings: Any) -> None:
    settings.TRADELOG_MAX_FILE_MB = 1
    answer = refused(upload(olga_asks, "x" * (1 << 20) + "x"), 413, "FILE_TOO_LARGE")
    assert "larger than 1 MB" in answer["error"]


def test_a_file_above_what_a_form_may_hold(olga_asks: Client) -> None:
    size = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert upload(olga_asks, "x" * (size + 1)).status_code == 202


# --- The same upload sent twice


def test_the_same_key_gets_the_same_answer(olga_asks: Client) -> None:
    first = upload(olga_asks, key="one")
    work_off()
    second = upload(olga_asks, key="one")
    assert first.json()["message"] == "fills.csv was received."
    assert (second.status_code, second.json()) == (202, first.json())
    assert second.headers["Idempotency-Replayed"] == "true"
    assert ImportExecutionLog.objects.count() == 1


@pytest.mark.parametrize("other", [{"content": PARTIAL}, {"account": "Other"}])
def test_a_key_stands_for_one_upload(olga_asks: Client, other: dict[str, str]) -> None:
    upload(olga_asks, key="one")
    refused(upload(olga_asks, key="one", **other), 422, "IDEMPOTENCY_KEY_REUSED")
    assert ImportExecutionLog.objects.count() == 1


def test_keys_are_each_users_own(olga_asks: Client, adam_asks: Client) -> None:
    upload(olga_asks, key="one")
    assert upload(adam_asks, PARTIAL, key="one").status_code == 202


def test_a_key_ends_after_a_day(olga_asks: Client) -> None:
    upload(olga_asks, key="one")
    UploadKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert upload(olga_asks, PARTIAL, key="one").status_code == 202


@pytest.mark.parametrize("key", ["x" * 201, "ключ", "tab\there"])
def test_a_key_that_is_none(olga_asks: Client, key: str) -> None:
    refused(upload(olga_asks, key=key), 400, "INVALID_PARAMETER")


@pytest.mark.django_db(transaction=True)
def test_of_two_requests_at_once_one_makes_the_import(olga: User) -> None:
    def send(_: int) -> dict[str, Any]:
        try:
            return upload(asking(olga), key="one").json()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(8)))
    log = ImportExecutionLog.objects.get()
    assert {answer["id"] for answer in answers} == {log.pk}


# --- Retry


def test_a_retry_makes_a_new_import(take_in: TakeIn, olga_asks: Client) -> None:
    log = take_in(PARTIAL)
    response = ask(olga_asks, "retry", log)
    new = log.retries.get()
    assert (response.status_code, response.json()["new_batch_id"]) == (
        202,
        str(new.import_batch_id),
    )
    work_off()
    new.refresh_from_db()
    assert (new.skipped_rows, new.failed_rows) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_retry_takes_corrected_lines(take_in: TakeIn, olga: User, olga_asks: Client) -> None:
    log = take_in(PARTIAL)
    _, lines = downloaded(olga, f"/api/import-logs/download/{log.pk}?format=csv")
    file = SimpleUploadedFile("corrected.csv", lines.replace(b"abc", b"3"))
    response = olga_asks.post(f"/api/import-logs/retry/{log.pk}", {"file": file})
    assert response.status_code == 202
    work_off()
    assert log.retries.get().success_rows == 1


@pytest.mark.parametrize(
    ("status", "code", "word"),
    [
        (Status.SUCCESS, 400, "NOTHING_TO_RETRY"),
        (Status.QUEUED, 409, "STATE_CONFLICT"),
        (Status.RUNNING, 409, "STATE_CONFLICT"),
        (Status.ROLLED_BACK, 409, "STATE_CONFLICT"),
    ],
)
def test_a_retry_in_the_wrong_state(
    take_in: TakeIn, olga_asks: Client, status: Status, code: int, word: str
) -> None:
    log = take_in(GOOD)
    ImportExecutionLog.objects.update(status=status)
    refused(ask(olga_asks, "retry", log), code, word)
    assert not log.retries.exists()


def test_a_retry_without_the_bytes(take_in: TakeIn, olga_asks: Client) -> None:
    log = take_in(FAILED)
    log.stored_path.unlink()
    refused(ask(olga_asks, "retry", log), 404, "FILE_MISSING")


# --- Rollback


def test_a_rollback_tells_how_many_trades_it_deleted(
    take_in: TakeIn, adam: User, adam_asks: Client
) -> None:
    log = take_in(GOOD)
    response = ask(adam_asks, "rollback", log, {"confirm": True})
    assert (response.status_code, response.json()["trades_deleted"]) == (200, 2)
    log.refresh_from_db()
    assert (log.status, log.rolled_back_by) == (Status.ROLLED_BACK, adam)


@pytest.mark.parametrize("body", [None, {}, [], {"confirm": False}, {"confirm": "true"}])
def test_a_rollback_has_to_be_confirmed(take_in: TakeIn, adam_asks: Client, body: Any) -> None:
    log = take_in(GOOD)
    refused(ask(adam_asks, "rollback", log, body), 400, "CONFIRMATION_REQUIRED")
    assert Trade.objects.count() == 2


def test_a_large_rollback_is_left_to_a_worker(
    take_in: TakeIn, adam_asks: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollback, "SLICE", 1)
    log = take_in(GOOD)
    response = ask(adam_asks, "rollback", log, {"confirm": True})
    assert (response.status_code, response.json()["trades_deleted"]) == (202, None)
    assert Trade.objects.count() == 2
    work_off()
    assert not Trade.objects.exists()


def test_a_second_rollback_is_a_conflict(take_in: TakeIn, adam_asks: Client) -> None:
    log = take_in(GOOD)
    ask(adam_asks, "rollback", log, {"confirm": True})
    refused(ask(adam_asks, "rollback", log, {"confirm": True}), 409, "STATE_CONFLICT")


def test_a_rollback_at_work_is_not_begun_again(
    take_in: TakeIn, adam_asks: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollback, "SLICE", 1)
    log = take_in(GOOD)
    ask(adam_asks, "rollback", log, {"confirm": True})
    claim(log.pk, Status.ROLLING_BACK)
    refused(ask(adam_asks, "rollback", log, {"confirm": True}), 409, "STATE_CONFLICT")
    assert JobLog.objects.filter(job="rollback").count() == 1


# --- The sample


def test_the_sample_is_an_import(olga_asks: Client) -> None:
    response = olga_asks.post("/import-sample-data")
    work_off()
    log = ImportExecutionLog.objects.get(pk=response.json()["id"])
    assert (response.status_code, log.import_type) == (202, "sample_data")
    assert (log.status, log.success_rows) == (Status.SUCCESS, 60)
