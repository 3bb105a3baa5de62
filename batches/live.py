"""The progress of batches over a WebSocket, for as long as somebody looks and something goes on.

The rows are the truth: they are read once a second, in one query for all that a page shows, and
what has changed is sent. There is no message that could be lost, and nothing to run beside it.
"""

import asyncio
import json
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError

from batches.progress import progress_of_all
from batches.watching import WATCHERS, Seat
from web.numbers import whole_number
from web.secondfactor import lacks_second_factor

EVERY = 1.0  # seconds from one look to the next
LONGEST = 600.0  # seconds of a connection; the browser opens another, whose rights are asked anew
MOST_SHOWN = 100  # batches of a page
# Why the server closes a connection: nothing goes on; open another; the database does not answer;
# a browser has nothing to say here; too many watch already.
ENDED, AGAIN, BROKEN, TOO_TALKATIVE, FULL = 1000, 4000, 1011, 1003, 1013


def asked_for(texts: Iterable[str]) -> list[int]:
    """The numbers of batches among what an address says, as many as a page can show."""
    numbers = [number for text in texts if (number := whole_number(text)) is not None]
    return numbers[:MOST_SHOWN]


@database_sync_to_async
def may_see(user: AbstractBaseUser | AnonymousUser) -> bool:
    return user.has_perm("batches.view_batch") and not lacks_second_factor(user)


class LiveBatches(AsyncJsonWebsocketConsumer):
    """Sends {"batches": [progress, …]}: first all that were asked for, then those that change.

    Closes when none of them is active, and at once where too many watch already. Who may not see
    batches is refused.
    """

    seat: Seat | None = None
    watching: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        user = self.scope["user"]
        query = parse_qs(self.scope["query_string"].decode(errors="replace"))
        self.asked_for = asked_for(query.get("batch", []))
        self.sent: dict[str, dict[str, Any]] = {}
        if not self.asked_for or not await may_see(user):
            await self.close()
            return
        await self.accept()  # else a browser is not told why it is closed
        self.seat = WATCHERS.seat(user.pk)
        if self.seat is None:
            await self.close(FULL)
            return
        self.watching = asyncio.create_task(self.watch())

    async def disconnect(self, code: int) -> None:
        if self.watching:
            self.watching.cancel()
        if self.seat:
            self.seat.leave()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.close(TOO_TALKATIVE)

    @classmethod
    async def encode_json(cls, content: dict[str, Any]) -> str:
        return json.dumps(content, cls=DjangoJSONEncoder)

    async def watch(self) -> None:
        until = time.monotonic() + LONGEST
        try:
            while await self.tell_changes():
                if time.monotonic() > until:
                    return await self.close(AGAIN)
                await asyncio.sleep(EVERY)
        except DatabaseError:
            return await self.close(BROKEN)
        await self.close(ENDED)

    async def tell_changes(self) -> bool:
        """Send what is not as it was sent last; whether there may be more to tell."""
        found = await database_sync_to_async(progress_of_all)(self.asked_for)
        changed = [one for one in found if self.sent.get(one["batch_id"]) != one]
        if changed:
            await self.send_json({"batches": changed})
        self.sent |= {one["batch_id"]: one for one in changed}
        return any(one["is_active"] for one in found)
