"""Bodies that are too large: refused before anything is kept of the rest."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.handlers.asgi import ASGIHandler

from tradelog.bodies import bounded

PART = b"x" * (1 << 20)


@pytest.fixture(autouse=True)
def one_megabyte_a_file(settings: object) -> None:
    settings.TRADELOG_MAX_FILE_MB = 1


def sent(parts: int, **headers: str) -> tuple[int, int]:
    """The status that answers a body of so many MB, and how many of them were asked for."""
    asked, answered = 0, []

    async def receive() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        if asked > parts:  # there is no more, and nobody goes away
            await asyncio.Event().wait()
        return {"type": "http.request", "body": PART, "more_body": asked < parts}

    async def send(message: dict[str, Any]) -> None:
        answered.append(message)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/moon/", "query_string": b""}
    scope |= {"headers": named}
    async_to_sync(bounded(ASGIHandler()))(scope, receive, send)
    statuses = [one["status"] for one in answered if "status" in one]
    assert len(statuses) == 1
    return statuses[0], asked


def test_a_length_that_is_too_large_is_refused_at_once() -> None:
    assert sent(1, content_length=str(10**18)) == (413, 0)


def test_a_body_without_length_is_refused_once_it_is_too_large() -> None:
    assert sent(1_000, transfer_encoding="chunked") == (413, 3)


@pytest.mark.django_db
def test_another_body_is_read() -> None:
    status, asked = sent(2, content_length=str(2 << 20), host="localhost")
    assert status != 413
    assert asked >= 2
