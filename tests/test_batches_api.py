"""The API of batches: made, listed, followed, changed, exported."""

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.utils import timezone

from batches import apiprogress, errors
from batches.batchkeys import BatchKey
from batches.control import start
from batches.errors import grouped_errors
from batches.models import Batch, BatchTemplate, BatchTrade
from batches.staging import stage_csv, stage_json
from batches.states import FINAL
from batches.undoing import undo_slice
from batches.watching import MOST_OF_A_USER, WATCHERS
from tests.apis import asking, basic, downloaded, got, refused
from tests.batching import work_off
from tests.conftest import EXAMPLES, TakeIn, file_of, fill
from tests.processes import go
from tests.processes import start as begun
from trades.models import Account, Trade

GOOD = {"account": "Sim101", "instrument": "AAPL", "side": "buy", "quantity": 1, "price": "10.50"}
BAD = GOOD | {"quantity": "abc"}
PROGRESS = {
    "batch_id",
    "status",
    "total_trades",
    "processed_trades",
    "failed_trades",
    "progress_percentage",
    "is_completed",
    "is_active",
    "updated_at",
}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sim101(db: None) -> Account:
    return Account.objects.create(name="Sim101")


@pytest.fixture
def root(adam: User) -> Client:
    return asking(adam)


def post(client: Client, body: object, **headers: str) -> HttpResponse:
    return client.post("/api/batches", body, "application/json", headers=headers)


def upload(client: Client, content: bytes | None = None, **more: object) -> HttpResponse:
    content = (EXAMPLES / "batch.csv").read_bytes() if content is None else content
    key = more.pop("key", "")
    file = SimpleUploadedFile("monday.csv", content)
    headers = {"Idempotency-Key": key} if key else {}
    return client.post("/api/batches", {"file": file, **more}, headers=headers)


def worked_off(*items: dict, **wishes: object) -> Batch:
    batch = start(stage_json(items, **wishes))
    work_off()
    return Batch.objects.get(pk=batch.pk)


# --- Made


def test_a_batch_of_json(root: Client) -> None:
    body = {"name": "Monday", "executor": "paper", "executor_settings": {"seed": 7}, "priority": 2}
    response = post(root, body | {"trades": [GOOD, BAD], "parallel": 3})
    assert response.status_code == 201
    told = response.json()
    assert told["message"] == "Monday: 2 trades, 1 of them failed."
    assert (told["batch"]["total_trades"], told["batch"]["failed_trades"]) == (2, 1)
    batch = Batch.objects.get(batch_uid=told["batch"]["batch_id"])
    assert (batch.name, batch.executor, batch.executor_settings) == ("Monday", "paper", {"seed": 7})
    assert (batch.priority, batch.parallel, batch.created_by.username) == (2, 3, "adam")
    assert batch.queued_at is None


def test_a_batch_of_a_file(root: Client) -> None:
    response = upload(root, defaults='{"account": "Sim101"}', priority="3", executor_settings="{}")
    assert response.status_code == 201, response.content
    batch = Batch.objects.get()
    assert (batch.name, batch.total_trades, batch.priority) == ("monday", 10, 3)


def test_a_batch_of_trades(root: Client, take_in: TakeIn) -> None:
    take_in(file_of(fill(), fill(ID="b")))
    ids = list(Trade.objects.values_list("pk", flat=True))
    Account.objects.create(name="Copy")
    assert post(root, {"trade_ids": ids, "defaults": {"account": "Copy"}}).status_code == 201
    assert {one.account.name for one in BatchTrade.objects.all()} == {"Copy"}
    refused(post(root, {"trade_ids": [*ids, 10**9]}), 400, "INVALID_PARAMETER")


def test_a_template_by_name_or_number(root: Client) -> None:
    template = BatchTemplate.objects.create(name="Morning", priority=1)
    for told in ("Morning", template.pk):
        assert post(root, {"template": told, "trades": [GOOD]}).json()["batch"]["priority"] == 1
    refused(post(root, {"template": "Evening", "trades": [GOOD]}), 400, "INVALID_PARAMETER")


def test_made_and_started(root: Client) -> None:
    answer = post(root, {"trades": [GOOD], "start": True}).json()["batch"]
    assert (answer["status"], answer["is_active"]) == ("pending", True)
    work_off()
    assert Batch.objects.get().status == "success"


def test_to_start_needs_the_right(olga: User, take_in: TakeIn) -> None:
    olga.user_permissions.remove(Permission.objects.get(codename="start_batch"))
    client = asking(olga)
    refused(post(client, {"trades": [GOOD], "start": True}), 403, "PERMISSION_DENIED")
    assert not Batch.objects.exists()
    olga.user_permissions.remove(Permission.objects.get(codename="view_trade"))
    refused(post(client, {"trade_ids": [1]}), 403, "PERMISSION_DENIED")
    assert post(client, {"trades": [GOOD]}).status_code == 201


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "INVALID_PARAMETER"),
        ([], "INVALID_PARAMETER"),
        ({"trades": []}, "CANNOT_STAGE"),
        ({"trades": [GOOD], "trade_ids": [1]}, "INVALID_PARAMETER"),
        ({"trades": "x"}, "INVALID_PARAMETER"),
        ({"trades": [GOOD], "priority": 11}, "INVALID_PARAMETER"),
        ({"trades": [GOOD], "timezone": "Mars"}, "INVALID_PARAMETER"),
        ({"trades": [GOOD], "executor": "magic"}, "CANNOT_STAGE"),
        ({"trades": [GOOD], "executor_settings": {"magic": 1}}, "CANNOT_STAGE"),
        ({"trades": [GOOD], "columns": {"magic": "a"}}, "CANNOT_STAGE"),
        ({"trades": [GOOD], "defaults": {"notes": "\0"}}, "INVALID_PARAMETER"),
        ({"trades": [GOOD], "name": "x" * 201}, "INVALID_PARAMETER"),
    ],
)
def test_a_batch_that_cannot_be_made(root: Client, body: object, code: str) -> None:
    refused(post(root, body), 400, code)
    assert not Batch.objects.exists()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"PK\x03\x04", b"\x00" * 99, b"x"])
def test_a_file_that_cannot_be_taken(root: Client, content: bytes) -> None:
    refused(upload(root, content), 400, "CANNOT_STAGE")


def test_what_is_too_large(root: Client, settings: object) -> None:
    settings.TRADELOG_MAX_FILE_MB = 0
    refused(upload(root), 413, "FILE_TOO_LARGE")
    refused(post(root, {"trades": [GOOD]}), 413, "TOO_LARGE")


def test_more_trades_than_a_batch_may_have_are_not_looked_for(
    root: Client, settings: object
) -> None:
    settings.TRADELOG_MAX_BATCH_LINES = 2
    refused(post(root, {"trade_ids": [1, 2, 3]}), 400, "CANNOT_STAGE")
    refused(post(root, {"trade_ids": [1, 2, 2]}), 400, "INVALID_PARAMETER")  # there are none


def test_one_file_at_a_time(root: Client) -> None:
    files = [SimpleUploadedFile(name, b"x") for name in "ab"]
    refused(root.post("/api/batches", {"file": files}), 400, "INVALID_PARAMETER")


# --- Made once


def test_the_same_request_twice_makes_one_batch(root: Client) -> None:
    first, second = (post(root, {"trades": [GOOD]}, **{"Idempotency-Key": "a"}) for _ in range(2))
    assert first.json()["batch"] == second.json()["batch"]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert Batch.objects.count() == 1


def test_the_same_upload_twice_makes_one_batch(root: Client) -> None:
    assert [upload(root, key="a").status_code for _ in range(2)] == [201, 201]
    assert Batch.objects.count() == 1
    refused(upload(root, b"another", key="a"), 422, "IDEMPOTENCY_KEY_REUSED")
    refused(upload(root, key="a", name="another"), 422, "IDEMPOTENCY_KEY_REUSED")


def test_a_key_is_one_users_and_for_a_day(root: Client, olga: User) -> None:
    olga.user_permissions.add(Permission.objects.get(codename="add_batch"))
    for client in (root, asking(olga)):
        assert post(client, {"trades": [GOOD]}, **{"Idempotency-Key": "a"}).status_code == 201
    assert Batch.objects.count() == 2
    BatchKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert post(root, {"trades": [BAD]}, **{"Idempotency-Key": "a"}).status_code == 201


def test_what_could_not_be_made_may_be_sent_again_under_its_key(root: Client) -> None:
    refused(post(root, {"trades": []}, **{"Idempotency-Key": "a"}), 400, "CANNOT_STAGE")
    assert post(root, {"trades": [GOOD]}, **{"Idempotency-Key": "a"}).status_code == 201


def test_a_batch_started_once_is_not_started_again(root: Client) -> None:
    body = {"trades": [GOOD], "start": True}
    for _ in range(2):
        assert post(root, body, **{"Idempotency-Key": "a"}).status_code == 201
    assert Batch.objects.get().rounds == 1


# --- Listed


def test_the_list(root: Client) -> None:
    for name, trades in (("Monday", 1), ("Tuesday", 3), ("Wednesday", 2)):
        stage_json([GOOD] * trades, name=name)
    worked_off(GOOD, name="Done")
    told = got(root, "/api/batches", per_page=10)
    assert told["pagination"] == {"page": 1, "per_page": 10, "total": 4, "pages": 1}
    assert told["batches"][0]["name"] == "Done"
    sized = got(root, "/api/batches", sort_by="size", sort_order="desc")["batches"]
    assert sized[0]["name"] == "Tuesday"
    assert [one["name"] for one in got(root, "/api/batches", search="wednes")["batches"]] == [
        "Wednesday"
    ]
    several = got(root, "/api/batches", status=["success", "failed"])["batches"]
    assert [one["name"] for one in several] == ["Done"]
    assert got(root, "/api/batches", end_date="2020-01-01")["batches"] == []


@pytest.mark.parametrize(
    "query", [{"per_page": 7}, {"page": 0}, {"status": "x"}, {"sort_by": "x"}, {"start_date": "x"}]
)
def test_a_list_that_cannot_be_given(root: Client, query: dict) -> None:
    refused(root.get("/api/batches", query), 400, "INVALID_PARAMETER")


def test_active_and_recent(root: Client) -> None:
    stage_json([GOOD], name="Staged")
    worked_off(GOOD, name="First")
    worked_off(GOOD, name="Second")
    start(stage_json([GOOD], name="Later", priority=9))
    start(stage_json([GOOD], name="Sooner", priority=1))
    active, recent = (got(root, f"/api/batches/{one}")["batches"] for one in ("active", "recent"))
    assert [one["name"] for one in active] == ["Sooner", "Later"]
    assert [one["name"] for one in recent] == ["Second", "First"]


# --- One batch


@pytest.mark.parametrize("key", [lambda one: one.pk, lambda one: one.batch_uid])
def test_a_batch_by_number_or_id(root: Client, key: Callable) -> None:
    batch = stage_json([GOOD])
    told = got(root, f"/api/batches/{key(batch)}")["batch"]
    assert (told["id"], told["batch_id"]) == (batch.pk, str(batch.batch_uid))
    assert told["created_at"].endswith("Z")


@pytest.mark.parametrize("rest", ["", "/trades", "/progress", "/results", "/errors", "/export"])
@pytest.mark.parametrize("id", ["0", "x", "9" * 30, "00000000-0000-0000-0000-000000000000"])
def test_no_such_batch(root: Client, id: str, rest: str) -> None:
    refused(root.get(f"/api/batches/{id}{rest}"), 404, "BATCH_NOT_FOUND")


def test_progress_is_exactly_this(root: Client) -> None:
    batch = worked_off(GOOD, BAD)
    told = got(root, f"/api/batches/{batch.batch_uid}/progress")
    assert told.keys() == PROGRESS
    assert told["batch_id"] == str(batch.batch_uid)
    assert (told["status"], told["total_trades"], told["processed_trades"]) == (
        "partial_success",
        2,
        2,
    )
    assert (told["failed_trades"], told["progress_percentage"]) == (1, 100)
    assert (told["is_completed"], told["is_active"]) == (True, False)
    assert told["updated_at"].endswith("Z")


def test_trades_page_by_page(root: Client) -> None:
    batch = worked_off(*[GOOD] * 11, BAD)
    first = got(root, f"/api/batches/{batch.pk}/trades", per_page=10)
    assert first["pagination"] == {"per_page": 10, "next": 10}
    rest = got(root, f"/api/batches/{batch.pk}/trades", per_page=10, after=10)
    assert [one["status"] for one in rest["trades"]] == ["executed", "failed"]
    assert rest["pagination"]["next"] is None
    assert rest["trades"][0]["filled_price"] == "10.5"
    assert rest["trades"][1]["errors"][0]["code"] == "invalid_quantity"
    assert rest["trades"][1]["raw"]["quantity"] == "abc"
    failed = got(root, f"/api/batches/{batch.pk}/trades", status="failed")["trades"]
    assert [one["sequence"] for one in failed] == [12]
    refused(root.get(f"/api/batches/{batch.pk}/trades?status=x"), 400, "INVALID_PARAMETER")


def test_results(root: Client) -> None:
    batch = worked_off(GOOD, BAD)
    told = got(root, f"/api/batches/{batch.pk}/results")
    assert told["counts"] == {"pending": 0, "executed": 1, "failed": 1, "cancelled": 0}
    [result] = told["results"]
    trade = Trade.objects.get()
    assert (result["trade_id"], result["execution_id"]) == (trade.pk, trade.execution_id)
    assert (result["filled_quantity"], result["filled_price"]) == ("1", "10.5")


def test_errors_are_grouped(root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = stage_json([GOOD, *[BAD] * 30, GOOD | {"side": "x"}, BAD])
    told = got(root, f"/api/batches/{batch.pk}/errors")
    assert (told["failed_trades"], told["messages"]) == (32, 2)
    assert [one["count"] for one in told["errors"]] == [31, 1]
    assert told["errors"][0]["message"] == "quantity: 'abc' is not a number"
    assert told["errors"][0]["sequences"] == [*range(2, 22)]
    assert told["errors"][1]["sequences"] == [32]
    monkeypatch.setattr(errors, "MOST_GROUPS", 1)
    assert len(grouped_errors(batch)) == 1


# --- Deeds


def test_a_second_start_is_refused(root: Client) -> None:
    batch = stage_json([GOOD])
    assert root.put(f"/api/batches/{batch.pk}/start").status_code == 202
    refused(root.put(f"/api/batches/{batch.pk}/start"), 409, "STATE_CONFLICT")


def test_cancel(root: Client) -> None:
    batch = start(stage_json([GOOD]))
    told = root.put(f"/api/batches/{batch.batch_uid}/cancel")
    assert (told.status_code, told.json()["batch"]["status"]) == (202, "cancelled")
    refused(root.put(f"/api/batches/{batch.pk}/cancel"), 409, "STATE_CONFLICT")


def test_retry(root: Client) -> None:
    batch = worked_off(GOOD, GOOD | {"account": "LIVE-1"}, BAD)
    assert batch.status == "partial_success"
    Account.objects.create(name="LIVE-1")
    assert root.put(f"/api/batches/{batch.pk}/retry").status_code == 202
    work_off()
    batch.refresh_from_db()
    assert (batch.executed_trades, batch.failed_trades, batch.status) == (2, 1, "partial_success")
    assert Trade.objects.count() == 2


def test_a_success_is_not_retried(root: Client) -> None:
    refused(root.put(f"/api/batches/{worked_off(GOOD).pk}/retry"), 409, "STATE_CONFLICT")


def test_priority(root: Client) -> None:
    batch = stage_json([GOOD])
    address = f"/api/batches/{batch.pk}/priority"
    told = root.put(address, {"priority": 1}, content_type="application/json")
    assert (told.status_code, told.json()["batch"]["priority"]) == (200, 1)
    odd = (0, 11, -1, 10**30, 2.5, "x", "", "NaN", True, None, [3], {"is": 3})
    for body in (*({"priority": value} for value in odd), {}, []):
        refused(root.put(address, body, content_type="application/json"), 400, "INVALID_PARAMETER")
    batch.refresh_from_db()
    assert batch.priority == 1


@pytest.mark.parametrize("status", [*FINAL])
def test_what_has_ended_has_no_priority_to_change(root: Client, status: str) -> None:
    batch = stage_json([GOOD])
    Batch.objects.update(status=status, executed_trades=1, completed_at=timezone.now())
    address = f"/api/batches/{batch.pk}/priority"
    again = root.put(address, {"priority": 2}, content_type="application/json")
    refused(again, 409, "STATE_CONFLICT")
    batch.refresh_from_db()
    assert batch.priority == 5


def test_delete(root: Client) -> None:
    batch = start(stage_json([GOOD]))
    refused(root.delete(f"/api/batches/{batch.pk}"), 409, "STATE_CONFLICT")
    work_off()
    assert root.delete(f"/api/batches/{batch.pk}").status_code == 200
    assert (Batch.objects.count(), Trade.objects.count()) == (0, 1)


def test_undo(root: Client) -> None:
    batch = worked_off(GOOD, GOOD)
    address = f"/api/batches/{batch.pk}/undo"
    refused(root.put(address, {}, content_type="application/json"), 400, "CONFIRMATION_REQUIRED")
    sure = {"confirm": True}
    assert root.put(address, sure, content_type="application/json").status_code == 202
    undo_slice(batch.pk)
    batch.refresh_from_db()
    assert (Trade.objects.count(), batch.undone_at is None) == (0, False)
    refused(root.put(address, sure, content_type="application/json"), 409, "STATE_CONFLICT")


def test_archive_and_back(root: Client) -> None:
    batch = worked_off(GOOD)
    assert root.put(f"/api/batches/{batch.pk}/archive").status_code == 200
    refused(root.put(f"/api/batches/{batch.pk}/archive"), 409, "STATE_CONFLICT")
    assert got(root, "/api/batches")["batches"] == []
    assert len(got(root, "/api/batches", archived="yes")["batches"]) == 1
    assert root.put(f"/api/batches/{batch.pk}/unarchive").status_code == 200
    refused(root.put(f"/api/batches/{batch.pk}/unarchive"), 409, "STATE_CONFLICT")


# --- Followed


def events(text: str) -> list[tuple[str, dict]]:
    found = []
    for one in text.split("\n\n"):
        if one.startswith("event: "):
            name, data = one.split("\n")
            found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def stream_of(user: User, batch: Batch, between: Callable[[int], None]) -> str:
    """All that a client reads, while `between` is called with the number of each part."""

    async def read() -> str:
        headers = {"Authorization": basic(user.username), "Accept": "text/event-stream"}
        response = await AsyncClient().get(f"/api/batches/{batch.pk}/progress", headers=headers)
        assert response.headers["Content-Type"] == "text/event-stream"
        text = ""
        async for part in response:
            text += part.decode()
            await between_parts(text.count("event: "))
        return text

    async def between_parts(number: int) -> None:
        await apiprogress.sync_to_async(between)(number)

    return async_to_sync(read)()


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_a_stream_tells_every_change_until_the_end(
    adam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apiprogress, "BETWEEN_LOOKS", 0)
    batch = stage_json([GOOD])

    def go_on(number: int) -> None:
        if number == 1:
            start(batch)
        elif number == 2:
            work_off()

    told = events(stream_of(adam, batch, go_on))
    assert [name for name, _ in told] == ["progress", "progress", "progress", "end"]
    assert [data["is_active"] for _, data in told] == [False, True, False, False]
    assert told[-1][1].keys() == PROGRESS
    assert told[-1][1]["status"] == "success"


def test_a_stream_ends_with_its_batch(adam: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apiprogress, "BETWEEN_LOOKS", 0)
    batch = stage_json([GOOD])
    told = events(stream_of(adam, batch, lambda number: batch.delete() if number == 1 else None))
    assert [name for name, _ in told] == ["progress", "end"]


def test_a_stream_gives_signs_of_life_and_is_bounded(
    adam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apiprogress, "BETWEEN_LOOKS", 0)
    monkeypatch.setattr(apiprogress, "SILENCE", -1)
    parts: list[int] = []

    def grow_old(number: int) -> None:
        parts.append(number)
        if len(parts) == 3:
            monkeypatch.setattr(apiprogress, "LONGEST", -1)

    text = stream_of(adam, stage_json([GOOD]), grow_old)
    assert text.count(": still here\n\n") == 3
    assert [name for name, _ in events(text)] == ["progress"]


def test_streams_are_not_without_number(adam: User, root: Client) -> None:
    batch = stage_json([GOOD])
    address, asks = f"/api/batches/{batch.pk}/progress", {"Accept": "text/event-stream"}
    open_ones = [root.get(address, headers=asks) for _ in range(MOST_OF_A_USER)]
    response = root.get(address, headers=asks)
    refused(response, 429, "TOO_MANY_REQUESTS")
    assert response.headers["Retry-After"] == "60"
    assert root.get(address).status_code == 200
    for one in open_ones:
        one.close()
        one.close()
    assert WATCHERS.by_user.total() == 0


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_who_goes_away_leaves_the_seat(adam: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apiprogress, "BETWEEN_LOOKS", 0)
    batch = stage_json([GOOD])

    async def leave_early() -> None:
        headers = {"Authorization": basic(adam.username), "Accept": "text/event-stream"}
        response = await AsyncClient().get(f"/api/batches/{batch.pk}/progress", headers=headers)
        parts = aiter(response)
        await anext(parts)
        assert WATCHERS.by_user.total() == 1
        await parts.aclose()

    async_to_sync(leave_early)()
    assert +WATCHERS.by_user == {}


def test_errors_of_a_stream_are_json(root: Client) -> None:
    response = root.get("/api/batches/0/progress", headers={"Accept": "text/event-stream"})
    assert response.headers["Content-Type"] == "application/json"
    refused(response, 404, "BATCH_NOT_FOUND")


# --- Exported


def exported(user: User, batch: Batch, form: str) -> str:
    response, content = downloaded(user, f"/api/batches/{batch.pk}/export?format={form}")
    assert response.status_code == 200
    assert "attachment" in response.headers["Content-Disposition"]
    return content.decode("utf-8-sig")


def test_an_export_has_every_line(adam: User) -> None:
    batch = worked_off(GOOD, BAD, GOOD)
    rows = list(csv.DictReader(io.StringIO(exported(adam, batch, "csv"))))
    assert [row["status"] for row in rows] == ["executed", "failed", "executed"]
    assert rows[0]["trade_id"] == str(Trade.objects.order_by("pk").first().pk)
    assert rows[1]["message"] == "quantity: 'abc' is not a number"
    told = json.loads(exported(adam, batch, "json"))
    assert told["batch"]["batch_id"] == str(batch.batch_uid)
    assert [one["sequence"] for one in told["results"]] == [1, 2, 3]


def test_an_export_is_made_in_slices(adam: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batches.export.SLICE", 2)
    batch = stage_json([GOOD] * 5)
    assert exported(adam, batch, "csv").count("\n") == 6
    assert len(json.loads(exported(adam, batch, "json"))["results"]) == 5


def test_no_spreadsheet_runs_an_export(adam: User) -> None:
    formula = '=HYPERLINK("http://evil.example";"click")'
    evil = GOOD | {"notes": formula, "order_id": "@SUM(1)", "trade_name": "+1", "commission": -2.5}
    rows = list(csv.DictReader(io.StringIO(exported(adam, stage_json([evil]), "csv"))))
    assert (rows[0]["notes"], rows[0]["order_id"]) == (f"'{formula}", "'@SUM(1)")
    assert (rows[0]["trade_name"], rows[0]["commission"]) == ("'+1", "-2.5")


def test_a_message_with_a_formula_is_harmless(adam: User) -> None:
    batch = stage_csv(
        b'Account,Symbol,Side,=1+1\nSim101,AAPL,buy,"=cmd"\n', columns={"quantity": "=1+1"}
    )
    [row] = csv.DictReader(io.StringIO(exported(adam, batch, "csv")))
    assert row["message"].startswith("'=1+1")


def test_an_export_of_another_form(root: Client) -> None:
    batch = stage_json([GOOD])
    refused(root.get(f"/api/batches/{batch.pk}/export?format=xls"), 400, "INVALID_PARAMETER")


# --- Templates


TEMPLATE = {"name": "Morning", "executor": "paper", "executor_settings": {"seed": 3}, "priority": 2}


def test_a_template_is_made_changed_and_deleted(root: Client) -> None:
    body = TEMPLATE | {"columns": {"price": "Kurs"}, "defaults": {"account": "Sim101"}}
    made = root.post("/api/batch-templates", body, "application/json")
    assert made.status_code == 201, made.content
    address = f"/api/batch-templates/{made.json()['template']['id']}"
    assert got(root, address)["template"]["columns"] == {"price": "Kurs"}
    assert len(got(root, "/api/batch-templates")["templates"]) == 1
    changed = root.put(address, body | {"priority": 9}, content_type="application/json")
    assert changed.json()["template"]["priority"] == 9
    batch = stage_json([GOOD], template=BatchTemplate.objects.get())
    assert root.delete(address).status_code == 200
    batch.refresh_from_db()
    assert (batch.template, batch.priority) == (None, 9)
    refused(root.get(address), 404, "TEMPLATE_NOT_FOUND")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "Taken"},
        {"executor": "magic"},
        {"executor_settings": {"magic": 1}},
        {"executor_settings": {"seed": -1}},
        {"priority": 0},
        {"parallel": 33},
        {"columns": {"magic": "x"}},
        {"columns": []},
        {"defaults": {"price": {}}},
    ],
)
def test_a_template_that_cannot_be(root: Client, wrong: dict) -> None:
    BatchTemplate.objects.create(name="Taken")
    response = root.post("/api/batch-templates", TEMPLATE | wrong, "application/json")
    refused(response, 400, "INVALID_PARAMETER")


# --- Two at once

ASK = """
import sys
import django
django.setup()
from django.contrib.auth.models import User
from django.test import Client
client = Client(headers={"Accept": "application/json"}, SERVER_NAME="localhost")
client.force_login(User.objects.get())
print("ready", flush=True)
sys.stdin.readline()
body, key = sys.argv[1], {"Idempotency-Key": "a"}
answer = client.post("/api/batches", body, "application/json", headers=key)
print(answer.status_code, answer.json()["batch"]["id"], "Idempotency-Replayed" in answer.headers)
"""


@pytest.mark.django_db(transaction=True)
def test_the_same_request_twice_at_once_makes_one_batch(no_process_left: None, adam: User) -> None:
    body = json.dumps({"trades": [GOOD] * 200, "start": True})
    processes = [begun("-c", ASK, body) for _ in range(3)]
    for process in processes:
        assert process.stdout.readline() == "ready\n", process.communicate()[1]
    told = [ended.out.split() for ended in go(*processes)]
    assert {(status, number) for status, number, _ in told} == {("201", told[0][1])}
    assert sorted(replayed for *_, replayed in told) == ["False", "True", "True"]
    assert (Batch.objects.count(), BatchTrade.objects.count()) == (1, 200)
    assert Batch.objects.get().rounds == 1
