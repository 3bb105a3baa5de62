"""The errors of the API: all in one shape, whatever went wrong."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory

from imports import api
from tests.apis import LIST, asking, refused
from tests.conftest import TakeIn, file_of, fill
from web.api import csrf_failed

MIXED = file_of(fill(ID="a"), fill(ID="b", Quantity="abc"))


@pytest.fixture
def vera_asks(vera: User) -> Client:
    return asking(vera)


def test_an_unknown_address(client: Client) -> None:
    for method in ("get", "post", "delete", "put"):
        refused(getattr(client, method)("/api/moon/phase/"), 404, "NOT_FOUND")


def test_a_method_that_is_not_known(vera_asks: Client) -> None:
    refused(vera_asks.post(LIST), 405, "METHOD_NOT_ALLOWED")


def test_a_form_that_is_not_given(vera_asks: Client) -> None:
    refused(vera_asks.get(LIST, headers={"Accept": "text/xml"}), 406, "NOT_ACCEPTABLE")


def test_a_body_of_the_wrong_type(take_in: TakeIn, adam: User) -> None:
    address = f"/api/import-logs/rollback/{take_in(MIXED).pk}"
    response = asking(adam).post(address, "<a/>", content_type="text/xml")
    refused(response, 415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_body_that_is_no_json(take_in: TakeIn, adam: User) -> None:
    address = f"/api/import-logs/rollback/{take_in(MIXED).pk}"
    response = asking(adam).post(address, "{", content_type="application/json")
    refused(response, 400, "MALFORMED_REQUEST")


def test_a_body_that_is_nested_too_deeply(take_in: TakeIn, adam: User) -> None:
    address = f"/api/import-logs/rollback/{take_in(MIXED).pk}"
    body = "[" * 100_000 + "]" * 100_000
    response = asking(adam).post(address, body, content_type="application/json")
    refused(response, 400, "MALFORMED_REQUEST")


def test_a_body_that_says_one_thing_twice(adam: User) -> None:
    body = '{"trades": [{"account": "Sim101", "quantity": 1, "quantity": 100}]}'
    response = asking(adam).post("/api/batches", body, content_type="application/json")
    answer = refused(response, 400, "MALFORMED_REQUEST")
    assert "the key 'quantity' stands twice" in answer["error"]


@pytest.mark.parametrize("depth", [100, 300, 900, 960, 990])
def test_a_trade_that_is_nested_deeper_than_anything_of_ours(adam: User, depth: int) -> None:
    body = '{"trades": [{"account": ' + "[" * depth + "]" * depth + "}]}"
    response = asking(adam).post("/api/batches", body, content_type="application/json")
    answer = refused(response, 400, "MALFORMED_REQUEST")
    assert "nested too deeply" in answer["error"]


def test_a_form_of_thousands_of_parts(adam: User) -> None:
    fields = {f"field-{number}": "x" for number in range(2_000)}
    files = {f"file-{number}": SimpleUploadedFile("a.csv", b"x") for number in range(200)}
    for form in (fields, files):
        answer = refused(
            asking(adam).post("/api/import-logs/upload", form), 400, "MALFORMED_REQUEST"
        )
        assert "more fields or files" in answer["error"]


def test_half_a_character_in_a_name_is_told_as_an_error(adam: User) -> None:
    body = {"name": "Monday", "executor_settings": {"\ud800": 1}}
    response = asking(adam).post("/api/batch-templates", body, content_type="application/json")
    answer = refused(response, 400, "INVALID_PARAMETER")
    assert r"no setting '\ud800'" in answer["error"]


def test_a_body_whose_length_is_not_told(take_in: TakeIn, adam: User) -> None:
    """Without its corrected file, a retry would be one of the stored file."""
    log = take_in(MIXED)
    file = SimpleUploadedFile("corrected.csv", MIXED.encode())
    response = asking(adam).post(
        f"/api/import-logs/retry/{log.pk}",
        {"file": file},
        headers={"Transfer-Encoding": "chunked"},
        CONTENT_LENGTH="",
    )
    refused(response, 411, "LENGTH_REQUIRED")
    assert not log.retries.exists()


def test_a_body_that_is_too_large(take_in: TakeIn, adam: User) -> None:
    address = f"/api/import-logs/rollback/{take_in(MIXED).pk}"
    response = asking(adam).post(address, [" " * 3_000_000], content_type="application/json")
    refused(response, 413, "TOO_LARGE")


def test_a_nul_in_the_address(vera_asks: Client) -> None:
    refused(vera_asks.get(f"{LIST}?search=%00"), 400, "BAD_REQUEST")


def test_a_nul_in_the_path(vera_asks: Client) -> None:
    refused(vera_asks.get("/api/job-logs/%00/lines"), 404, "JOB_LOG_NOT_FOUND")


def test_a_host_that_is_not_served(vera_asks: Client) -> None:
    refused(vera_asks.get(LIST, headers={"Host": "evil.example"}), 400, "BAD_REQUEST")


def test_a_defect_is_told_without_its_cause(
    vera_asks: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("the secret cause")

    monkeypatch.setattr(api, "statistics", fail)
    answer = refused(vera_asks.get("/api/import-logs/stats"), 500, "SERVER_ERROR")
    assert "secret" not in json.dumps(answer)


def test_a_form_that_was_open_for_too_long(adam: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(adam)
    browser.cookies["csrftoken"] = "x" * 32
    response = browser.post("/open-orders/sync/", {"csrfmiddlewaretoken": "y" * 32})
    assert response.status_code == 403
    assert "the form was open for too long" in response.content.decode()
    assert "Django" not in response.content.decode()


def test_a_program_is_told_of_it_as_json(rf: RequestFactory) -> None:
    answer = csrf_failed(rf.post("/api/tokens"), reason="no cookie")
    assert answer.status_code == 403
    assert json.loads(answer.content)["error_code"] == "PERMISSION_DENIED"


def test_pages_keep_errors_of_their_own(client: Client) -> None:
    response = client.get("/moon/")
    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")
