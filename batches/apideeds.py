"""The API of batches, as far as it changes something: make, start, cancel, retry, delete."""

from collections.abc import Callable
from dataclasses import dataclass

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from batches import control
from batches import serializers as shapes
from batches.api import ID, SEE, find_batch
from batches.export import batch_as_json
from batches.models import Batch
from batches.states import StateConflict
from imports.serializers import Confirmation
from joblogs.states import Trigger
from web.api import ApiError, ApiView, answers
from web.apibody import JSONBody

Control = Callable[..., Batch]


@dataclass(frozen=True)
class Deed:
    """Something that a user does with a batch; `words` follow its name in the message."""

    do: Control
    words: str
    is_put_off: bool = True  # a worker does it


START = Deed(control.start, "will be worked on as soon as a worker is free.")
CANCEL = Deed(control.cancel, "is cancelled; what is being executed is finished.")
RETRY = Deed(control.retry, "is tried again as soon as a worker is free.")
UNDO = Deed(control.undo, "is rolled back as soon as a worker is free.")
ARCHIVE = Deed(control.archive, "is archived.", is_put_off=False)
UNARCHIVE = Deed(control.unarchive, "is out of the archive.", is_put_off=False)


def done(deed: Deed, request: Request, id: str) -> Response:
    batch = find_batch(id)
    try:
        trigger = {"trigger": Trigger.API} if deed.is_put_off else {}
        batch = deed.do(batch, request.user, **trigger)
    except StateConflict as conflict:
        raise ApiError(409, "STATE_CONFLICT", str(conflict)) from None
    return told(batch, f"{batch.name} {deed.words}", 202 if deed.is_put_off else 200)


def told(batch: Batch, words: str, status: int = 200) -> Response:
    answer = {"success": True, "message": words, "batch": batch_as_json(batch)}
    return Response(answer, status=status)


class Start(ApiView):
    rights = {"PUT": ["batches.start_batch"]}

    @extend_schema(
        parameters=[ID], request=None, responses=answers(shapes.DeedDone, 404, 409, 411, code=202)
    )
    def put(self, request: Request, id: str) -> Response:
        """Start a staged batch. A second start is refused: 409."""
        return done(START, request, id)


class Cancel(ApiView):
    rights = {"PUT": ["batches.cancel_batch"]}

    @extend_schema(
        parameters=[ID], request=None, responses=answers(shapes.DeedDone, 404, 409, 411, code=202)
    )
    def put(self, request: Request, id: str) -> Response:
        """Begin none of its trades any more; what is being executed is finished."""
        return done(CANCEL, request, id)


class Retry(ApiView):
    rights = {"PUT": ["batches.retry_batch"]}

    @extend_schema(
        parameters=[ID], request=None, responses=answers(shapes.DeedDone, 404, 409, 411, code=202)
    )
    def put(self, request: Request, id: str) -> Response:
        """Have what failed or was cancelled tried again; bad lines are read again.

        A trade of which nobody knows whether it was executed is executed again: look it up at the
        broker before.
        """
        return done(RETRY, request, id)


class Undo(ApiView):
    rights = {"PUT": ["batches.undo_batch"]}
    parser_classes = [JSONBody]

    @extend_schema(
        parameters=[ID],
        request=Confirmation,
        responses=answers(shapes.DeedDone, 400, 404, 409, 413, 415, code=202),
    )
    def put(self, request: Request, id: str) -> Response:
        """Roll back the trades of a batch, where its executor says that nothing left the house.

        A worker does it; the batch has `undone_at` when it is done.
        """
        find_batch(id)
        confirmation = request.data if isinstance(request.data, dict) else {}
        if confirmation.get("confirm") is not True:
            sentence = 'A rollback needs the body {"confirm": true}.'
            raise ApiError(400, "CONFIRMATION_REQUIRED", sentence)
        return done(UNDO, request, id)


class Archive(ApiView):
    rights = {"PUT": ["batches.archive_batch"]}

    @extend_schema(parameters=[ID], request=None, responses=answers(shapes.DeedDone, 404, 409, 411))
    def put(self, request: Request, id: str) -> Response:
        """Put a batch that has ended away: lists show it only if asked to."""
        return done(ARCHIVE, request, id)


class Unarchive(ApiView):
    rights = {"PUT": ["batches.archive_batch"]}

    @extend_schema(parameters=[ID], request=None, responses=answers(shapes.DeedDone, 404, 409, 411))
    def put(self, request: Request, id: str) -> Response:
        """Take a batch out of the archive."""
        return done(UNARCHIVE, request, id)


class Priority(ApiView):
    rights = {"PUT": ["batches.start_batch"]}
    parser_classes = [JSONBody]

    @extend_schema(
        parameters=[ID],
        request=shapes.Priority,
        responses=answers(shapes.DeedDone, 400, 404, 409, 413, 415),
    )
    def put(self, request: Request, id: str) -> Response:
        """Change the priority of a batch that waits or runs: 1 comes first, 10 last."""
        batch = find_batch(id)
        form = shapes.Priority(data=request.data)
        form.is_valid(raise_exception=True)
        priority = form.validated_data["priority"]
        try:
            batch = control.set_priority(batch, priority, request.user)
        except StateConflict as conflict:
            raise ApiError(409, "STATE_CONFLICT", str(conflict)) from None
        return told(batch, f"{batch.name} has priority {priority} now.")


class OneBatch(ApiView):
    rights = {"GET": [SEE], "DELETE": ["batches.delete_batch"]}

    @extend_schema(parameters=[ID], responses=answers(shapes.BatchDetail, 404))
    def get(self, request: Request, id: str) -> Response:
        """One batch."""
        return Response({"success": True, "batch": batch_as_json(find_batch(id))})

    @extend_schema(parameters=[ID], responses=answers(shapes.Deleted, 404, 409))
    def delete(self, request: Request, id: str) -> Response:
        """Delete a batch that has ended, or was never started. Its trades stay."""
        batch = find_batch(id)
        try:
            control.delete(batch, request.user)
        except StateConflict as conflict:
            raise ApiError(409, "STATE_CONFLICT", str(conflict)) from None
        return Response({"success": True, "message": f"{batch.name} is deleted; its trades stay."})
