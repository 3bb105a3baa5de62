"""Bodies of requests that are larger than anything that is taken here.

Django keeps a body on the disk, whoever sends it, before it asks who that is and how long it is.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

TOO_LARGE = b"The request is larger than is taken here.\n"


def most() -> int:
    """Bytes: room for a form with several files."""
    return settings.TRADELOG_MAX_FILE_MB << 21


def bounded(application: Application) -> Application:
    """The same for all but those bodies, which are refused as soon as they are too large."""

    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        if told_length(scope) > most():
            return await refuse(send)
        body = Counted(receive)
        await application(scope, body.receive, send)
        if body.is_too_large:
            await refuse(send)
        return None

    return answer


class Counted:
    """What is received, up to where it is too large; from there on it seems to be broken off."""

    def __init__(self, receive: Receive) -> None:
        self.receive_more = receive
        self.size = 0

    @property
    def is_too_large(self) -> bool:
        return self.size > most()

    async def receive(self) -> Message:
        message = await self.receive_more()
        self.size += len(message.get("body", b""))
        return {"type": "http.disconnect"} if self.is_too_large else message


def told_length(scope: Message) -> int:
    """What the request says of its length; the server sees to it that this is a number."""
    return int(dict(scope["headers"]).get(b"content-length", 0))


async def refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": TOO_LARGE})
