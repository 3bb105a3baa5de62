"""The API that gives a backup, and brings one back that is sent as a file or as JSON."""

from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO

from django.conf import settings
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from imports import serializers as shapes
from imports.apideeds import KEY, key_of, received, require_size, save_for
from imports.background import start_import
from imports.backup import backup_for_download
from imports.backuplines import DELETED, POSITION, SETTINGS, TRADE, BackupWriter
from imports.backupshapes import BackupBody, BackupUpload
from imports.formats.tradelog_backup import FORMAT
from imports.models import ImportExecutionLog
from imports.problems import FileError
from imports.storing import Wishes, stored_import
from joblogs.states import Trigger
from web.api import AnyAccept, ApiError, ApiView, answers, invalid
from web.apibody import JSONBody
from web.downloads import download_open

MOST_JSON = 8  # MB; JSON is read as a whole, a file is not
IN_MEMORY = 1 << 20
LISTS = {kind: f"{kind}s" for kind in SETTINGS} | {
    DELETED: "deleted",
    TRADE: "trades",
    POSITION: "positions",
}


RESTORE = "imports.add_importexecutionlog"
BACK_UP = [
    RESTORE,
    "trades.view_trade",
    "trades.view_position",
    "trades.view_account",
    "trades.view_instrument",
    "imports.view_importexecutionlog",
    "imports.view_importrowlog",
]


class ImportBackup(ApiView):
    rights = {"GET": BACK_UP, "POST": [RESTORE]}
    parser_classes = [MultiPartParser, JSONBody]
    content_negotiation_class = AnyAccept

    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}
        | {code: shape for code, shape in answers(None, 409).items() if code != 200}
    )
    def get(self, request: Request) -> HttpResponseBase:
        """A compressed backup of all trades at this moment, as an attachment.

        It has what was said of positions, all accounts and instruments with their settings, which
        executions were deleted, and the imports with what became of their lines, too. A trade that
        no import has made is given an identity, by which it is known again.
        """
        try:
            return download_open(*backup_for_download())
        except FileError as problem:
            raise ApiError(409, "TRADE_TOO_LONG", str(problem)) from None

    @extend_schema(
        request={"multipart/form-data": BackupUpload, "application/json": BackupBody},
        parameters=[
            OpenApiParameter(KEY, str, "header", description="As for an upload of any file.")
        ],
        responses=answers(shapes.NewImport, 400, 413, 415, 422, code=202),
    )
    def post(self, request: Request) -> Response:
        """Bring back the trades of a backup that are not known here.

        Accounts and instruments that are missing are made with their settings; those that exist
        are not changed. What becomes of each trade is told by the import's detail.
        """
        key = key_of(request)
        log = from_file(request) if is_a_form(request) else from_json(request)
        log, is_new = save_for(request.user, log, key)
        start_import(log, Trigger.API, request.user)
        return received(log, is_new=is_new)


def is_a_form(request: Request) -> bool:
    return (request.content_type or "").startswith("multipart/")


def from_file(request: Request) -> ImportExecutionLog:
    if len(request.FILES.getlist("file")) > 1:
        raise invalid(file="one file at a time, please")
    form = BackupUpload(data=request.data)
    form.is_valid(raise_exception=True)
    file = form.validated_data["file"]
    require_size(file)
    return stored_import(file, file.name, wishes(request))


def from_json(request: Request) -> ImportExecutionLog:
    require_short(request)
    form = BackupBody(data=request.data)
    form.is_valid(raise_exception=True)
    with SpooledTemporaryFile(IN_MEMORY) as lines:
        write_lines(lines, form.validated_data)
        lines.seek(0)
        return stored_import(lines, form.validated_data["_metadata"]["filename"], wishes(request))


def wishes(request: Request) -> Wishes:
    """Only a backup will do, not any file of another format."""
    kind = ImportExecutionLog.Type.BACKUP
    return Wishes(format=FORMAT.name, import_type=kind, user=request.user)


def require_short(request: Request) -> None:
    most = min(MOST_JSON, settings.TRADELOG_MAX_FILE_MB)
    if int(request.headers.get("Content-Length") or 0) > most << 20:
        raise ApiError(413, "TOO_LARGE", f"More than {most} MB of JSON; send it as a file.")


def write_lines(target: BinaryIO, said: dict[str, Any]) -> None:
    """The lines that the file would have; the same body makes the same bytes."""
    writer = BackupWriter(target)
    writer.begin(filename=said["_metadata"]["filename"])
    try:
        for kind, name in LISTS.items():
            for values in said.get(name, []):
                writer.put(kind, values)
    except FileError as problem:
        raise ApiError(413, "TOO_LARGE", str(problem)) from None
    writer.end()
