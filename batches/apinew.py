"""The API that makes batches: from a CSV file, from JSON, or from trades that exist."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from batches import control
from batches import serializers as shapes
from batches.api import LIST, SEE, listed
from batches.apideeds import told
from batches.batchkeys import batch_of, save_once
from batches.models import Batch, BatchTemplate
from batches.staging import StagingError, require_few, staged_csv, staged_json, staged_trades
from batches.states import StateConflict
from batches.wishes import Wishes, template_called
from batches.writing import Staged
from imports.apibackup import is_a_form, require_short
from imports.apideeds import KEY, key_of, require_size
from imports.uploadkeys import KeyReused
from joblogs.states import Trigger
from trades.models import Trade
from web.api import ApiError, ApiView, answers, invalid
from web.apibody import JSONBody

PLAIN_WISHES = (
    "name",
    "executor",
    "executor_settings",
    "priority",
    "parallel",
    "columns",
    "defaults",
    "timezone",
)


class Batches(ApiView):
    rights = {"GET": [SEE], "POST": ["batches.add_batch"]}
    parser_classes = [MultiPartParser, JSONBody]

    @extend_schema(
        operation_id="api_batches_list", parameters=LIST, responses=answers(shapes.BatchList, 400)
    )
    def get(self, request: Request) -> Response:
        """All batches, or those that fit the filters. Days are those of the zone of the pages."""
        return listed(request)

    @extend_schema(
        request={
            "application/json": shapes.NewBatch,
            "multipart/form-data": shapes.NewBatchFile,
        },
        parameters=[
            OpenApiParameter(KEY, str, "header", description="As for an upload of any file.")
        ],
        responses=answers(shapes.NewBatchAnswer, 400, 409, 413, 415, 422, code=201),
    )
    def post(self, request: Request) -> Response:
        """Make a batch. Every line becomes a batch trade, a bad one as failed with its reason."""
        key, wanted = key_of(request), wanted_by(request)
        require_rights(request, wanted)
        try:
            batch, is_new = made(request, wanted, key)
        except StagingError as problem:
            raise ApiError(400, "CANNOT_STAGE", str(problem)) from None
        except KeyReused:
            sentence = f"The {KEY} '{key}' stands for another batch; choose a new one."
            raise ApiError(422, "IDEMPOTENCY_KEY_REUSED", sentence) from None
        if wanted["start"] and batch.can_be_started:
            batch = started(batch, request)
        bad = f", {batch.failed_trades:,} of them failed" if is_new and batch.failed_trades else ""
        response = told(batch, f"{batch.name}: {batch.trades_in_words}{bad}.", 201)
        if not is_new:
            response["Idempotency-Replayed"] = "true"
        return response


def wanted_by(request: Request) -> dict[str, Any]:
    """What was sent, if it can be understood."""
    if not is_a_form(request):
        require_short(request)
        form = shapes.NewBatch(data=request.data)
    elif len(request.FILES.getlist("file")) > 1:
        raise invalid(file="one file at a time, please")
    else:
        form = shapes.NewBatchFile(data=request.data)
    form.is_valid(raise_exception=True)
    return form.validated_data


def require_rights(request: Request, wanted: dict[str, Any]) -> None:
    """To start needs the right to start, and to copy trades the right to see them."""
    if wanted["start"] and not request.user.has_perm("batches.start_batch"):
        raise PermissionDenied("You may make a batch, but not start it.")
    if "trade_ids" in wanted and not request.user.has_perm("trades.view_trade"):
        raise PermissionDenied("You may not see the trades that are to be done again.")


def made(request: Request, wanted: dict[str, Any], key: str) -> tuple[Batch, bool]:
    """The batch, and whether it is new. Raises StagingError, KeyReused."""
    if "file" in wanted:
        require_size(wanted["file"])
    if not key:
        with staged(request, wanted) as lines:
            return lines.save(), True
    fingerprint = fingerprint_of(wanted)
    if known := batch_of(key, request.user, fingerprint):
        return known, False
    with staged(request, wanted) as lines:
        return save_once(lines, key, request.user, fingerprint)


def fingerprint_of(wanted: dict[str, Any]) -> str:
    """Of all that was sent, the bytes of a file included."""
    said = {name: value for name, value in wanted.items() if name != "file"}
    digest = sha256(json.dumps(said, sort_keys=True).encode())
    if file := wanted.get("file"):
        digest.update(file.name.encode())
        for block in file.chunks():
            digest.update(block)
        file.seek(0)
    return digest.hexdigest()


@contextmanager
def staged(request: Request, wanted: dict[str, Any]) -> Iterator[Staged]:
    """The lines that were sent, ready to be saved. Raises StagingError."""
    said = {name: wanted[name] for name in PLAIN_WISHES if name in wanted}
    wishes = Wishes(**said, template=template_named(wanted.get("template", "")), user=request.user)
    if "file" in wanted:
        file: UploadedFile = wanted["file"]
        lines = staged_csv(file, wishes, file.name)
    elif "trade_ids" in wanted:
        lines = staged_trades(trades_meant(wanted["trade_ids"]), wishes)
    else:
        lines = staged_json(wanted["trades"], wishes)
    with lines as ready:
        yield ready


def trades_meant(ids: list[int]) -> Any:
    """Raises ApiError if one of them does not exist, StagingError for too many."""
    require_few(len(set(ids)))
    found = Trade.objects.filter(pk__in=ids)
    if missing := set(ids) - set(found.values_list("pk", flat=True)):
        raise invalid(trade_ids=f"there is no trade {min(missing)}")
    return found


def template_named(text: str) -> BatchTemplate | None:
    """The template of that name or number; None for none. Raises ApiError."""
    if not text:
        return None
    template = template_called(text)
    if template is None:
        raise invalid(template=f"there is no template '{text[:40]}'")
    return template


def started(batch: Batch, request: Request) -> Batch:
    """Who sends a request twice may find that the first has started the batch just now."""
    try:
        return control.start(batch, request.user, Trigger.API)
    except StateConflict as conflict:
        batch.refresh_from_db()
        if batch.rounds:
            return batch
        raise ApiError(409, "STATE_CONFLICT", str(conflict)) from None
