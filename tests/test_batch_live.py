"""The progress of batches over a WebSocket: who gets it, what is sent, and when it ends."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from batches import live
from batches.control import cancel
from batches.live import AGAIN, BROKEN, ENDED, FULL, MOST_SHOWN, LiveBatches, asked_for
from batches.models import Batch
from batches.watching import MOST, MOST_OF_A_USER, WATCHERS
from tests.batching import stage, started, work_off
from tests.codes import with_second_factor
from tests.conftest import person
from tests.processes import PATIENCE
from tradelog.asgi import application

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "EVERY", 0.01)
    WATCHERS.by_user.clear()


@pytest.fixture
def looker(db: None) -> User:
    return person("looker", "view_batch")


class Socket(ApplicationCommunicator):
    """A browser's end of a WebSocket, opened by a user at an address."""

    def __init__(self, user: User | None, address: str, origin: str = "http://localhost") -> None:
        path, _, query = address.partition("?")
        scope = {"type": "websocket", "path": path, "query_string": query.encode()}
        headers = [(b"origin", origin.encode())]
        if user:
            client = Client()
            client.force_login(user)
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={session}".encode()))
        super().__init__(application, scope | {"headers": headers})

    async def is_open(self) -> bool:
        await self.send_input({"type": "websocket.connect"})
        return (await self.receive_output(PATIENCE))["type"] == "websocket.accept"

    async def told(self) -> list[dict[str, Any]]:
        """The progress that comes next."""
        return json.loads((await self.receive_output(PATIENCE))["text"])["batches"]

    async def closed_with(self) -> int:
        """What it is closed with, after all that is sent before."""
        while (said := await self.receive_output(PATIENCE))["type"] != "websocket.close":
            pass
        return said["code"]

    async def leave(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1001})
        await self.wait(PATIENCE)


Talk = Callable[[Socket], Awaitable[Any]]


def talk(user: User | None, address: str, about: Talk | None = None, **origin: str) -> Any:
    """Open a socket, and have `about` talk over it; whether it was opened, else."""
    there = Socket(user, address, **origin)

    async def through() -> Any:
        is_open = await there.is_open()
        said = await about(there) if about else is_open
        await there.leave()
        return said

    return async_to_sync(through)()


def address_of(*batches: Batch) -> str:
    return "/batches/live/?" + "&".join(f"batch={batch.pk}" for batch in batches)


# --- Who gets it


def test_who_may_see_batches_gets_it(looker: User) -> None:
    assert talk(looker, address_of(started()))


def test_nobody_else_gets_it(looker: User) -> None:
    address = address_of(started())
    assert not talk(None, address)
    assert not talk(person("nobody"), address)
    User.objects.filter(pk=looker.pk).update(is_active=False)
    assert not talk(looker, address)


def test_staff_that_must_have_a_second_factor_does_not_get_it_without(
    looker: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = address_of(started())
    monkeypatch.setattr(settings, "TRADELOG_STAFF_SECOND_FACTOR", True)
    assert not talk(looker, address)
    with_second_factor(looker)
    assert talk(looker, address)


def test_pages_of_others_do_not_get_it(looker: User) -> None:
    address = address_of(started())
    assert not talk(looker, address, origin="http://evil.example")
    assert not talk(looker, address, origin="null")


@pytest.mark.parametrize(
    "address", ["/", "/batches/live/", "/batches/live/?batch=x", "/batches/live/?batch=%00&x=%ff"]
)
def test_an_address_that_says_nothing_is_refused(looker: User, address: str) -> None:
    assert not talk(looker, address)


def test_a_user_has_so_many_connections(looker: User) -> None:
    address = address_of(started())
    WATCHERS.by_user[looker.pk] = MOST_OF_A_USER
    assert talk(looker, address, Socket.closed_with) == FULL
    assert WATCHERS.by_user[looker.pk] == MOST_OF_A_USER
    WATCHERS.by_user[looker.pk] -= 1
    assert talk(looker, address, Socket.told)
    assert WATCHERS.by_user[looker.pk] == MOST_OF_A_USER - 1


def test_all_together_have_so_many(looker: User) -> None:
    WATCHERS.by_user.update({-number: 1 for number in range(1, MOST + 1)})
    assert talk(looker, address_of(started()), Socket.closed_with) == FULL
    WATCHERS.by_user[-1] -= 1
    assert talk(looker, address_of(started()), Socket.told)


def test_who_talks_is_shown_out(looker: User) -> None:
    async def chatter(there: Socket) -> int:
        await there.send_input({"type": "websocket.receive", "text": "hello"})
        return await there.closed_with()

    assert talk(looker, address_of(started()), chatter) == live.TOO_TALKATIVE


def test_no_more_batches_than_a_page_shows() -> None:
    assert len(asked_for(map(str, range(MOST_SHOWN + 5)))) == MOST_SHOWN
    assert asked_for(["7", "x", "9" * 30, "-1", "8"]) == [7, 8]


# --- What is sent


def test_what_has_changed_is_sent_and_nothing_else(looker: User) -> None:
    one, other = started(3), started(3)

    async def listen(there: Socket) -> list[list[tuple[str, int]]]:
        first = await there.told()
        assert await there.receive_nothing(0.2)
        await sync_to_async(Batch.objects.filter(pk=other.pk).update)(executed_trades=2)
        return [
            [(one["batch_id"], one["processed_trades"]) for one in said]
            for said in (first, await there.told())
        ]

    first, then = talk(looker, address_of(one, other), listen)
    assert {*first} == {(str(one.batch_uid), 0), (str(other.batch_uid), 0)}
    assert then == [(str(other.batch_uid), 2)]


def test_it_tells_the_end_and_closes(looker: User) -> None:
    batch = started(3)

    async def listen(there: Socket) -> tuple[dict[str, Any], int]:
        await there.told()
        await sync_to_async(work_off)()
        said = await there.told()
        while not said[0]["is_completed"]:
            said = await there.told()
        return said[0], await there.closed_with()

    said, code = talk(looker, address_of(batch), listen)
    assert (said["status"], said["progress_percentage"], said["is_active"]) == (
        "success",
        100,
        False,
    )
    assert code == ENDED


def test_it_closes_where_nothing_goes_on(looker: User) -> None:
    staged, gone = stage(2), cancel(stage(2))
    gone.delete()
    assert talk(looker, address_of(staged), Socket.closed_with) == ENDED
    assert talk(looker, "/batches/live/?batch=999999", Socket.closed_with) == ENDED


def test_a_connection_ends_so_that_rights_are_asked_anew(
    looker: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LONGEST", -1)
    assert talk(looker, address_of(started()), Socket.closed_with) == AGAIN


def test_a_database_that_is_away_ends_it(looker: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(numbers: list[int]) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(live, "progress_of_all", away)
    assert talk(looker, address_of(started()), Socket.closed_with) == BROKEN


def test_one_question_for_all(
    looker: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    consumer = LiveBatches()
    consumer.asked_for, consumer.sent = [started(1).pk for _ in range(5)], {}

    async def sent(content: dict[str, Any]) -> None:
        assert len(content["batches"]) == 5

    consumer.send_json = sent
    with django_assert_num_queries(1):
        assert async_to_sync(consumer.tell_changes)()
