"""A backup that a program sends: as a file or as JSON, each once."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from imports import apibackup
from imports.models import ImportExecutionLog
from imports.states import Status
from tests.apis import asking, refused
from tests.conftest import TakeIn, file_of, fill, work_off
from tests.test_backup import counts, forget_all, saved, sealed, state, trade
from trades.models import Trade

BACKUP = "/import-backup"


@pytest.fixture
def olga_asks(olga: User) -> Client:
    return asking(olga)


def send_file(client: Client, content: bytes, name: str = "all.jsonl", **more: Any) -> HttpResponse:
    return client.post(BACKUP, {"file": SimpleUploadedFile(name, content)}, **more)


def send_json(client: Client, body: object, **more: Any) -> HttpResponse:
    return client.post(BACKUP, body, content_type="application/json", **more)


def as_body(content: bytes) -> dict[str, object]:
    """The JSON that says what the lines of a backup say."""
    lines = [next(iter(json.loads(line).items())) for line in content.splitlines()[1:-1]]
    body: dict[str, Any] = {"_metadata": {"filename": "all.json", "file_size": len(content)}}
    for kind, name in apibackup.LISTS.items():
        body[name] = [values for found, values in lines if found == kind]
    return body


def one() -> dict[str, object]:
    return {"_metadata": {"filename": "one.json"}, "trades": [trade()["trade"]]}


@pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.gz"])
def test_a_file_brings_all_back(
    olga_asks: Client, olga: User, take_in: TakeIn, tmp_path: Path, name: str
) -> None:
    take_in(file_of(fill(), fill(ID="exec-2")))
    content, before = saved(tmp_path, name), state()
    forget_all()
    response = send_file(olga_asks, content, name)
    work_off()
    log = ImportExecutionLog.objects.get(import_type="backup")
    assert (response.status_code, response.json()["id"]) == (202, log.pk)
    assert (log.status, log.import_type, log.created_by) == (Status.SUCCESS, "backup", olga)
    assert state() == before


def test_json_brings_all_back(olga_asks: Client, take_in: TakeIn, tmp_path: Path) -> None:
    take_in(file_of(fill(), fill(ID="exec-2"), fill(ID="exec-3", Instrument="AAPL")))
    Trade.objects.filter(execution_id="exec-2").update(notes="gut, \n ü", reviewed=True)
    Trade.objects.filter(execution_id="exec-3").delete()
    content, before = saved(tmp_path), state()
    forget_all()
    response = send_json(olga_asks, as_body(content))
    work_off()
    log = ImportExecutionLog.objects.get()
    assert (response.status_code, response.json()["id"]) == (202, log.pk)
    assert (log.status, log.import_type, log.file_name) == (Status.SUCCESS, "backup", "all.json")
    assert state() == before


def test_a_trade_that_cannot_be_read_fails_alone(olga_asks: Client) -> None:
    body = one()
    body["trades"] += [{"price": [1]}, {"mood": "\ud800"}, trade(execution_id="b")["trade"]]
    assert send_json(olga_asks, json.dumps(body)).status_code == 202
    work_off()
    assert counts(ImportExecutionLog.objects.get()) == (2, 0, 2)


def test_numbers_may_be_numbers(olga_asks: Client) -> None:
    body = one()
    body["trades"][0] |= {"price": 21350.25, "quantity": 2, "commission": 0}
    send_json(olga_asks, body)
    work_off()
    assert str(Trade.objects.get().price.normalize()) == "21350.25"


def test_a_backup_may_be_empty(olga_asks: Client) -> None:
    body = {"_metadata": {"filename": "a.json", "file_size": 10}, "trades": []}
    assert send_json(olga_asks, body).status_code == 202
    work_off()
    assert ImportExecutionLog.objects.get().status == Status.SUCCESS


@pytest.mark.parametrize("send", [send_file, send_json])
def test_the_same_key_gets_the_same_answer(olga_asks: Client, send: Any) -> None:
    content = sealed(trade(), trade=1) if send is send_file else one()
    first = send(olga_asks, content, headers={"Idempotency-Key": "one"})
    second = send(olga_asks, content, headers={"Idempotency-Key": "one"})
    assert (second.status_code, second.json()) == (202, first.json())
    assert second.headers["Idempotency-Replayed"] == "true"
    assert ImportExecutionLog.objects.count() == 1


def test_the_same_key_for_another_backup_is_refused(olga_asks: Client) -> None:
    send_json(olga_asks, one(), headers={"Idempotency-Key": "one"})
    other = one() | {"trades": []}
    answer = send_json(olga_asks, other, headers={"Idempotency-Key": "one"})
    refused(answer, 422, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"trades": []}, "_metadata"),
        ({"_metadata": {"filename": "a"}}, "trades"),
        ({"_metadata": {"filename": "a", "file_size": 10}, "fills": []}, "trades"),
        ({"_metadata": {}, "trades": []}, "_metadata"),
        ({"_metadata": {"filename": "a", "version": 4}, "trades": []}, "_metadata"),
        ({"_metadata": {"filename": "a"}, "trades": [1]}, "trades"),
        ([], "request"),
    ],
)
def test_a_body_that_is_no_backup(olga_asks: Client, body: object, field: str) -> None:
    answer = refused(send_json(olga_asks, json.dumps(body)), 400, "INVALID_PARAMETER")
    assert list(answer["details"]) == [field]
    assert not ImportExecutionLog.objects.exists()


def test_a_file_of_a_broker_is_no_backup(olga_asks: Client) -> None:
    send_file(olga_asks, file_of(fill()).encode(), "fills.csv")
    work_off()
    log = ImportExecutionLog.objects.get()
    assert (log.status, log.import_type) == (Status.FAILED, "backup")
    assert "expected a header of tradelog backup" in log.error_summary


def test_what_is_too_large_is_refused(olga_asks: Client, settings: Any) -> None:
    settings.TRADELOG_MAX_FILE_MB = 1
    refused(send_file(olga_asks, b"x" * (1 << 20) + b"x"), 413, "FILE_TOO_LARGE")
    long = one() | {"accounts": [{"name": "x" * (1 << 20)}]}
    refused(send_json(olga_asks, long), 413, "TOO_LARGE")


def test_a_bomb_fails(olga_asks: Client, settings: Any) -> None:
    settings.TRADELOG_MAX_FILE_MB = 1
    send_file(olga_asks, gzip.compress(sealed(*[trade(notes="x" * 60_000)] * 40, trade=40)))
    work_off()
    assert "larger than 1 MB" in ImportExecutionLog.objects.get().error_summary
