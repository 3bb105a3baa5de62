"""The API of imports: what it tells, page by page."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from imports import export
from imports.models import ImportExecutionLog
from imports.rollback import roll_back
from tests.apis import LIST, asking, downloaded, got, refused
from tests.conftest import TakeIn, file_of, fill
from trades.models import Trade

MIXED = file_of(fill(ID="a"), fill(ID="b", Quantity="abc"), fill(ID="a"), fill(ID="c"))
IMPORT_KEYS = {
    *("id", "import_batch_id", "import_type", "file_name", "import_time", "status", "retry_of"),
    *("total_rows", "success_rows", "failed_rows", "skipped_rows", "processing_time_ms"),
    *("affected_accounts", "error_summary"),
}
ROW_KEYS = {
    *("id", "row_number", "status", "created_trade_id", "error_message", "error_category"),
    *("validation_errors", "raw_row_data"),
}


@pytest.fixture
def vera_asks(vera: User) -> Client:
    return asking(vera)


def many(number: int) -> None:
    ImportExecutionLog.objects.bulk_create(
        ImportExecutionLog(file_name=f"{n}.csv") for n in range(number)
    )


# --- The list


def test_an_import_has_the_keys_that_programs_know(take_in: TakeIn, vera_asks: Client) -> None:
    log = take_in(MIXED)
    (told,) = got(vera_asks, LIST)["imports"]
    assert told.keys() == IMPORT_KEYS
    assert told["import_batch_id"] == str(log.import_batch_id)
    assert (told["status"], told["affected_accounts"]) == ("partial", ["Sim101"])
    assert told["import_time"].endswith("Z")


def test_the_list_has_pages(vera_asks: Client) -> None:
    many(27)
    first, last = got(vera_asks, LIST), got(vera_asks, LIST, page=2)
    assert first["pagination"] == {"page": 1, "per_page": 25, "total": 27, "pages": 2}
    assert [len(first["imports"]), len(last["imports"])] == [25, 2]
    assert len({told["id"] for told in first["imports"] + last["imports"]}) == 27


def test_a_page_beyond_the_last_is_empty(vera_asks: Client) -> None:
    assert got(vera_asks, LIST, page=1_000_000)["imports"] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("per_page", "100000"),
        ("per_page", "20"),
        ("per_page", ""),
        ("page", "0"),
        ("page", "-1"),
        ("page", "x"),
        ("page", "9" * 30),
        ("status", "lost"),
        ("type", "letter"),
        ("start_date", "yesterday"),
        ("end_date", "2026-13-01"),
        ("sort_by", "file_hash"),
        ("sort_order", "up"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(vera_asks: Client, name: str, value: str) -> None:
    answer = refused(vera_asks.get(LIST, {name: value}), 400, "INVALID_PARAMETER")
    assert list(answer["details"]) == [name]


def test_the_list_is_filtered_and_sorted(take_in: TakeIn, vera_asks: Client) -> None:
    take_in(MIXED, "b.csv")
    take_in(file_of(fill(Account="Other", ID="z")), "a.csv")
    took = [told["file_name"] for told in got(vera_asks, LIST, account="Other")["imports"]]
    names = [told["file_name"] for told in got(vera_asks, LIST, sort_by="file_name")["imports"]]
    assert (took, names) == (["a.csv"], ["b.csv", "a.csv"])
    assert got(vera_asks, LIST, status="success", search="b")["pagination"]["total"] == 0


def test_the_end_date_is_included(take_in: TakeIn, vera_asks: Client) -> None:
    take_in(MIXED)
    today = timezone.localdate()
    assert got(vera_asks, LIST, end_date=today)["imports"]
    assert not got(vera_asks, LIST, end_date=today - timedelta(days=1))["imports"]


def test_the_newest_twenty_are_told_to_who_asks_for_json(vera_asks: Client) -> None:
    many(21)
    newest = got(vera_asks, "/import-logs")["imports"]
    assert [told["file_name"] for told in newest] == [f"{n}.csv" for n in range(20, 0, -1)]


@pytest.mark.parametrize("accept", ["text/html,*/*;q=0.8", "*/*"])
def test_browsers_are_led_to_the_page(client: Client, vera: User, accept: str) -> None:
    client.force_login(vera)
    response = client.get("/import-logs?status=failed", headers={"Accept": accept})
    assert (response.status_code, response.url) == (302, "/import-logs/?status=failed")


def test_the_list_asks_little_of_the_database(vera_asks: Client, vera: User) -> None:
    many(30)
    vera_asks.get(LIST)
    with CaptureQueriesContext(
        connection,
    ) as few:
        got(vera_asks, LIST, per_page=10)
    with CaptureQueriesContext(connection) as more:
        got(vera_asks, LIST, per_page=100)
    assert len(few) == len(more) <= 6


# --- One import


@pytest.mark.parametrize("key", ["pk", "import_batch_id"])
def test_an_import_is_found_by_number_and_by_batch(
    take_in: TakeIn, vera_asks: Client, key: str
) -> None:
    log = take_in(MIXED)
    answer = got(vera_asks, f"/api/import-logs/detail/{getattr(log, key)}")
    assert answer["import_summary"]["id"] == log.pk
    assert [row["status"] for row in answer["row_logs"]] == [
        "success",
        "failed",
        "skipped",
        "success",
    ]


def test_a_row_has_the_keys_that_programs_know(take_in: TakeIn, vera_asks: Client) -> None:
    log = take_in(MIXED)
    made, failed, *_ = got(vera_asks, f"/api/import-logs/detail/{log.pk}")["row_logs"]
    assert made.keys() == failed.keys() == ROW_KEYS
    assert made["created_trade_id"] == Trade.objects.get(execution_id="a").pk
    assert failed["raw_row_data"]["Quantity"] == "abc"
    assert failed["validation_errors"][0]["code"] == "invalid_quantity"
    assert failed["error_category"] == "validation_error"


def test_rows_are_paged_by_key(take_in: TakeIn, vera_asks: Client) -> None:
    log = take_in(file_of(*(fill(ID=str(n)) for n in range(25))))
    address, seen, after = f"/api/import-logs/detail/{log.pk}", [], 0
    while after is not None:
        answer = got(vera_asks, address, per_page=10, after=after)
        seen += [row["row_number"] for row in answer["row_logs"]]
        after = answer["pagination"]["next"]
    assert seen == list(range(2, 27))
    assert answer["pagination"]["total"] == 25


@pytest.mark.parametrize(
    ("address", "query"), [("detail", {"row_status": "failed"}), ("failed-rows", {})]
)
def test_failed_rows_alone(
    take_in: TakeIn, vera_asks: Client, address: str, query: dict[str, str]
) -> None:
    log = take_in(MIXED)
    answer = got(vera_asks, f"/api/import-logs/{address}/{log.pk}", **query)
    assert [row["row_number"] for row in answer["row_logs"]] == [3]
    assert answer["pagination"] == {"per_page": 50, "next": None, "total": 1}


@pytest.mark.parametrize("query", ["row_status=lost", "after=x", "after=-1", "per_page=1000"])
def test_a_wrong_page_of_rows_is_refused(take_in: TakeIn, vera_asks: Client, query: str) -> None:
    log = take_in(MIXED)
    refused(vera_asks.get(f"/api/import-logs/detail/{log.pk}?{query}"), 400, "INVALID_PARAMETER")


@pytest.mark.parametrize("text", ["0", "999", "x", "9" * 30, "9" * 4000, "%00", "٣"])
@pytest.mark.parametrize(
    "address", ["detail", "failed-rows", "rollback-preview", "download", "affected-trades"]
)
def test_an_import_that_does_not_exist(vera_asks: Client, address: str, text: str) -> None:
    response = vera_asks.get(f"/api/import-logs/{address}/{text}")
    refused(response, 404, "IMPORT_NOT_FOUND")


def test_the_trades_of_an_import(take_in: TakeIn, vera_asks: Client) -> None:
    log = take_in(MIXED)
    answer = got(vera_asks, f"/api/import-logs/affected-trades/{log.pk}")
    assert (answer["import_batch_id"], answer["count"]) == (str(log.import_batch_id), 2)
    first = answer["trades"][0]
    assert (first["price"], first["quantity"]) == ("21350.5", "1")
    assert (first["row_number"], first["executed_at"]) == (2, "2026-01-05T14:35:03Z")


def test_trades_are_paged_by_key(take_in: TakeIn, vera_asks: Client) -> None:
    log = take_in(file_of(*(fill(ID=str(n)) for n in range(12))))
    address = f"/api/import-logs/affected-trades/{log.pk}"
    first = got(vera_asks, address, per_page=10)
    rest = got(vera_asks, address, per_page=10, after=first["pagination"]["next"])
    assert [first["count"], rest["count"], rest["pagination"]["next"]] == [10, 2, None]


def test_what_was_rolled_back_has_no_trades(take_in: TakeIn, vera_asks: Client) -> None:
    log = take_in(MIXED)
    roll_back(log)
    assert got(vera_asks, f"/api/import-logs/affected-trades/{log.pk}")["trades"] == []


def test_the_preview_of_a_rollback(take_in: TakeIn, vera_asks: Client) -> None:
    log, later = take_in(MIXED), take_in(MIXED)
    Trade.objects.filter(execution_id="a").update(notes="good one", reviewed=True)
    answer = got(vera_asks, f"/api/import-logs/rollback-preview/{log.pk}")
    assert (answer["trades"], answer["accounts"]) == (2, ["Sim101"])
    assert (answer["trades_with_notes"], answer["trades_reviewed"]) == (1, 1)
    assert [told["id"] for told in answer["later_imports"]] == [later.pk]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", export.DOWNLOADS)
def test_a_download_is_an_attachment(take_in: TakeIn, vera: User, form: str) -> None:
    log = take_in(MIXED)
    response, content = downloaded(vera, f"/api/import-logs/download/{log.pk}?format={form}")
    assert response.status_code == 200
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["Content-Type"] == export.DOWNLOADS[form].content_type
    assert b"abc" in content


@pytest.mark.django_db(transaction=True)
def test_a_download_tells_what_the_detail_tells(
    take_in: TakeIn, vera: User, vera_asks: Client
) -> None:
    log = take_in(MIXED)
    _, content = downloaded(vera, f"/api/import-logs/download/{log.pk}")
    answer = got(vera_asks, f"/api/import-logs/detail/{log.pk}")
    assert json.loads(content)["row_logs"] == answer["row_logs"]


def test_an_unknown_form_of_download(take_in: TakeIn, vera_asks: Client) -> None:
    log = take_in(MIXED)
    response = vera_asks.get(f"/api/import-logs/download/{log.pk}?format=xlsx")
    refused(response, 400, "INVALID_PARAMETER")


def test_statistics(take_in: TakeIn, vera_asks: Client) -> None:
    take_in(MIXED)
    answer = got(vera_asks, "/api/import-logs/stats")
    assert (answer["total_imports"], answer["by_status"]["partial"]) == (1, 1)
    assert (answer["total_rows"], answer["success_rate"]) == (4, 75.0)
    assert answer["last_import"].endswith("Z")
