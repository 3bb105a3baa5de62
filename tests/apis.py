"""How the tests ask the API: by password, for JSON."""

from base64 import b64encode
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import AsyncClient, Client

PASSWORD = "a long enough password"
LIST = "/api/import-logs/list"
UPLOAD = "/api/import-logs/upload"


def basic(user: str | User, password: str = PASSWORD) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def asking(user: User | None = None) -> Client:
    """A program that logs in with its password at every request, or a stranger."""
    headers = {"Accept": "application/json"}
    if user:
        headers["Authorization"] = basic(user.username)
    return Client(headers=headers, raise_request_exception=False)


def got(client: Client, address: str, **query: Any) -> dict[str, Any]:
    """What the API answers to a question that must go well."""
    response = client.get(address, query)
    assert response.status_code == 200, response.content
    assert response.headers["Content-Type"] == "application/json"
    return response.json()


def downloaded(user: User, address: str) -> tuple[HttpResponse, bytes]:
    async def fetch() -> tuple[HttpResponse, bytes]:
        headers = {"Authorization": basic(user.username)}
        response = await AsyncClient().get(address, headers=headers)
        return response, b"".join([part async for part in response])

    return async_to_sync(fetch)()


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    """The error that an answer must be, in the one shape that all have."""
    answer = response.json()
    assert (response.status_code, answer["error_code"]) == (status, code), answer
    assert answer.keys() == {"success", "error", "error_code", "details"}
    assert answer["success"] is False
    assert answer["error"]
    return answer
