"""The API of imports, as far as it changes something: upload, days of a source, retry, rollback."""

from django.contrib.auth.models import AbstractBaseUser
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from imports import rollback
from imports import serializers as shapes
from imports.api import ID, find_import
from imports.background import start_import, start_rollback
from imports.correctedfile import retry_corrected
from imports.daterange import receive_range
from imports.kin import BeingRetried
from imports.models import ImportExecutionLog
from imports.problems import FileError
from imports.retry import FileMissing, retry
from imports.sample import receive_sample
from imports.states import StateConflict, Status
from imports.storing import Wishes, refuse_too_large, save_new, stored_import, write_down_new
from imports.summary import outcome
from imports.uploadkeys import LONGEST_KEY, KeyReused, save_once
from joblogs.states import Trigger
from web.api import ApiError, ApiView, answers, invalid
from web.apibody import JSONBody

KEY = "Idempotency-Key"


class Upload(ApiView):
    rights = {"POST": ["imports.add_importexecutionlog"]}
    parser_classes = [MultiPartParser]

    @extend_schema(
        request=shapes.Upload,
        parameters=[
            OpenApiParameter(
                KEY,
                str,
                "header",
                description="Any text, new for each upload. Sent again within 24 hours, the same "
                "upload gets the same answer and is not imported twice.",
            )
        ],
        responses=answers(shapes.NewImport, 400, 413, 415, 422, code=202),
    )
    def post(self, request: Request) -> Response:
        """Take in a file. What becomes of it is told by the import's detail."""
        key = key_of(request)
        if len(request.FILES.getlist("file")) > 1:
            raise invalid(file="one file at a time, please")
        form = shapes.Upload(data=request.data)
        form.is_valid(raise_exception=True)
        log, is_new = take_in(request, form.validated_data, key)
        start_import(log, Trigger.API, request.user)
        return received(log, is_new=is_new)


def key_of(request: Request) -> str:
    key = request.headers.get(KEY, "")
    if len(key) > LONGEST_KEY or not key.isprintable() or not key.isascii():
        raise invalid(**{KEY: f"expected at most {LONGEST_KEY} printable ASCII characters"})
    return key


def take_in(request: Request, wanted: dict, key: str) -> tuple[ImportExecutionLog, bool]:
    """The import of an upload, and whether it is new."""
    file, user = wanted["file"], request.user
    require_size(file)
    wishes = Wishes(wanted["account"], wanted["timezone"], wanted["format"], user=user)
    return save_for(user, stored_import(file, file.name, wishes), key)


def save_for(
    user: AbstractBaseUser, log: ImportExecutionLog, key: str
) -> tuple[ImportExecutionLog, bool]:
    """The same, once its bytes are stored."""
    # One that could not be stored may be sent again under the same key.
    if not key or not log.is_active:
        save_new(log)
        return log, True
    try:
        with transaction.atomic():
            log, is_new = save_once(log, key, user)
            if is_new:
                write_down_new(log)
        return log, is_new
    except KeyReused:
        sentence = f"The {KEY} '{key}' stands for another upload; choose a new one."
        raise ApiError(422, "IDEMPOTENCY_KEY_REUSED", sentence) from None


def require_size(file: UploadedFile) -> None:
    try:
        refuse_too_large(file.size, file.name)
    except FileError as problem:
        raise ApiError(413, "FILE_TOO_LARGE", str(problem)) from None


def received(log: ImportExecutionLog, words: str = "", *, is_new: bool = True) -> Response:
    """The import is there; if it has failed at once, why. Sent again, it gets the same answer."""
    if is_new and not log.is_active:
        words = outcome(log)
    return Response(
        {
            "success": True,
            "message": words or f"{log.file_name} was received.",
            "id": log.pk,
            "import_batch_id": log.import_batch_id,
        },
        status=202,
        headers={} if is_new else {"Idempotency-Replayed": "true"},
    )


class SampleData(ApiView):
    rights = {"POST": ["imports.add_importexecutionlog"]}

    @extend_schema(request=None, responses=answers(shapes.NewImport, 411, code=202))
    def post(self, request: Request) -> Response:
        """Take in the bundled sample."""
        log = receive_sample(request.user)
        start_import(log, Trigger.API, request.user)
        return received(log)


class DateRange(ApiView):
    rights = {"POST": ["imports.add_importexecutionlog"]}
    parser_classes = [JSONBody]

    @extend_schema(
        request=shapes.DateRange,
        responses=answers(shapes.NewImport, 400, 409, 411, 413, 415, code=202),
    )
    def post(self, request: Request) -> Response:
        """Take in the executions of up to 30 days from the source, day by day.

        Days are those of the source's zone. The import's detail tells which are done and which
        failed, and why; a retry asks for the failed ones again.
        """
        form = shapes.DateRange(data=request.data)
        form.is_valid(raise_exception=True)
        days = form.validated_data
        try:
            log = receive_range(days["start_date"], days["end_date"], request.user)
        except StateConflict as conflict:
            raise ApiError(409, "NO_SOURCE", str(conflict)) from None
        start_import(log, Trigger.API, request.user)
        return received(log, f"{log.file_name} is asked for.")


class Retry(ApiView):
    rights = {"POST": ["imports.retry_import"]}
    parser_classes = [MultiPartParser, JSONBody]

    @extend_schema(
        parameters=[ID],
        request={"multipart/form-data": shapes.Correction},
        responses=answers(shapes.Retried, 400, 404, 409, 413, 415, code=202),
    )
    def post(self, request: Request, id: str) -> Response:
        """Import the stored file again, or a corrected one in its place, as a new import.

        The lines that are known are skipped. A corrected file may be the download of the failed
        lines, with or without its column `error`, or the whole file.
        """
        log = find_import(id)
        form = shapes.Correction(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            new = again(log, form.validated_data.get("file"), request.user)
        except FileMissing as problem:
            raise ApiError(404, "FILE_MISSING", str(problem)) from None
        except StateConflict as conflict:
            if log.status == Status.SUCCESS and not isinstance(conflict, BeingRetried):
                raise ApiError(400, "NOTHING_TO_RETRY", str(conflict)) from None
            raise ApiError(409, "STATE_CONFLICT", str(conflict)) from None
        start_import(new, Trigger.API, request.user)
        answer = {
            "success": True,
            "message": f"{log.file_name} is imported again.",
            "new_batch_id": new.import_batch_id,
            "id": new.pk,
        }
        return Response(answer, status=202)


def again(
    log: ImportExecutionLog, file: UploadedFile | None, user: AbstractBaseUser
) -> ImportExecutionLog:
    if file is None:
        return retry(log, user)
    require_size(file)
    return retry_corrected(log, file, file.name, user)


class Rollback(ApiView):
    rights = {"POST": ["imports.roll_back_import"]}

    @extend_schema(
        parameters=[ID],
        request=shapes.Confirmation,
        responses=answers(shapes.RolledBack, 400, 404, 409, 413, 415) | {202: shapes.RolledBack},
    )
    def post(self, request: Request, id: str) -> Response:
        """Delete the trades of an import and forget its executions.

        Up to 5,000 trades are deleted at once: 200, with their number. More are left to a worker:
        202, and the import is `rolling_back` until it is `rolled_back`.
        """
        log = find_import(id)
        confirmation = request.data if isinstance(request.data, dict) else {}
        if confirmation.get("confirm") is not True:
            raise ApiError(
                400, "CONFIRMATION_REQUIRED", 'A rollback needs the body {"confirm": true}.'
            )
        try:
            return undo(log, request)
        except StateConflict as conflict:
            raise ApiError(409, "STATE_CONFLICT", str(conflict)) from None


def undo(log: ImportExecutionLog, request: Request) -> Response:
    """As many trades as fit into one transaction at once, more by a worker."""
    if log.success_rows > rollback.SLICE or log.restored.exists():
        start_rollback(log, request.user, Trigger.API)
        words, deleted = f"A worker rolls {log.file_name} back.", None
    else:
        deleted = rollback.roll_back(log, request.user)
        words = f"{log.file_name} is rolled back, {deleted:,} trades deleted."
    answer = {"success": True, "message": words, "trades_deleted": deleted}
    return Response(answer, status=202 if deleted is None else 200)
