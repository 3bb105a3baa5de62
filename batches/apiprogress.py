"""How far a batch is: asked once, or followed as a stream of events."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections, connection
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import Throttled
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from batches import serializers as shapes
from batches.api import ID, SEE, find_batch
from batches.export import moment
from batches.models import Batch
from batches.progress import progress_of
from batches.watching import WATCHERS, Seat
from web.api import ApiView, answers

EVENTS = "text/event-stream"
BETWEEN_LOOKS = 1.0  # seconds
SILENCE = 15.0  # seconds without news, after which a sign of life is sent
COME_BACK = 60  # seconds until it is worth asking for a stream again
LONGEST = 600.0  # seconds; then the client asks again, and its rights are looked at again


class EventRenderer(JSONRenderer):
    """By which a request for a stream of events is known."""

    media_type = EVENTS
    format = "events"


class BatchProgress(ApiView):
    rights = {"GET": [SEE]}
    renderer_classes = [JSONRenderer, EventRenderer]

    @extend_schema(
        parameters=[ID],
        responses={
            (200, "application/json"): shapes.Progress,
            (200, EVENTS): OpenApiTypes.STR,
        }
        | {
            (code, "application/json"): answer
            for code, answer in answers(None, 404).items()
            if code != 200
        },
    )
    def get(self, request: Request, id: str) -> HttpResponseBase:
        """How far a batch is.

        With `Accept: text/event-stream`, an event `progress` at once and at every change, until an
        event `end` behind the last one.
        """
        batch = find_batch(id)
        if request.accepted_renderer.media_type == EVENTS:
            seat = WATCHERS.seat(request.user.pk)
            if seat is None:
                sentence = "Too many watch batches already; ask without a stream meanwhile."
                raise Throttled(COME_BACK, sentence)
            return EventResponse(Changes(batch.pk), seat)
        return Response(as_json(batch))

    def finalize_response(
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """What is no stream is JSON, errors too."""
        if isinstance(response, Response):
            request.accepted_renderer = JSONRenderer()
            request.accepted_media_type = JSONRenderer.media_type
        return super().finalize_response(request, response, *args, **kwargs)


def as_json(batch: Batch) -> dict[str, object]:
    return progress_of(batch) | {"updated_at": moment(batch.updated_at)}


class Changes:
    """What there is to tell about a batch, look by look, to one client."""

    def __init__(self, pk: int) -> None:
        self.pk = pk
        self.told = ""
        self.began = self.spoke = time.monotonic()
        self.is_over = False

    def look(self) -> str:
        """The events since the look before; between two looks no connection is held."""
        batch = Batch.objects.filter(pk=self.pk).first()
        if not connection.in_atomic_block:
            close_old_connections()
        now = time.monotonic()
        news = self.news_of(batch)
        self.is_over = batch is None or batch.is_completed or now - self.began > LONGEST
        if news or now - self.spoke > SILENCE:
            self.spoke = now
            return news or ": still here\n\n"
        return ""

    def news_of(self, batch: Batch | None) -> str:
        if batch is None:
            return "event: end\ndata: {}\n\n"
        text = json.dumps(as_json(batch))
        news = f"event: progress\ndata: {text}\n\n" if text != self.told else ""
        self.told = text
        return news + (f"event: end\ndata: {text}\n\n" if batch.is_completed else "")


class EventResponse(StreamingHttpResponse):
    """Events as they happen, by servers of both kinds. Whoever closes it leaves the seat."""

    def __init__(self, changes: Changes, seat: Seat) -> None:
        self.changes = changes
        self.seat = seat
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(self.later(), content_type=EVENTS, headers=headers)

    def close(self) -> None:
        self.seat.leave()
        super().close()

    def __iter__(self) -> Iterator[bytes]:
        while True:
            if news := self.changes.look():
                yield news.encode()
            if self.changes.is_over:
                return
            time.sleep(BETWEEN_LOOKS)

    async def later(self) -> AsyncIterator[bytes]:
        try:
            while True:
                # In the thread of the request, where its connection to the database is.
                if news := await sync_to_async(self.changes.look)():
                    yield news.encode()
                if self.changes.is_over:
                    return
                await asyncio.sleep(BETWEEN_LOOKS)
        finally:  # also where the client has gone away
            self.seat.leave()
