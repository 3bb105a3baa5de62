"""The API of imports, as far as it reads. What changes something is in imports/apideeds.py."""

import math
import uuid

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from imports import serializers as shapes
from imports.clearing import clear_now
from imports.export import (
    DOWNLOADS,
    days_as_json,
    download_of,
    import_as_json,
    row_as_json,
    rows_deleted_at,
    trade_ids_of,
)
from imports.filters import SORTS, ImportFilters
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.rollback import preview
from imports.states import RowStatus, Status
from imports.statistics import statistics
from trades.models import Trade
from web.api import (
    PER_PAGE,
    AnyAccept,
    ApiError,
    ApiView,
    after,
    answers,
    first_problems,
    invalid,
    page_number,
    per_page,
)
from web.numbers import whole_number

SEE = "imports.view_importexecutionlog"
NEWEST = 20
ROWS_PER_PAGE = 50

ID = OpenApiParameter("id", str, "path", description="Number or batch ID of the import.")
AFTER = OpenApiParameter(
    "after",
    OpenApiTypes.INT64,
    description="`next` of the page before.",
)


def find_import(text: str) -> ImportExecutionLog:
    """The import with this number or batch ID. Raises ApiError if there is none."""
    found = ImportExecutionLog.objects.filter(**key_of(text)).first()
    if found is None:
        raise ApiError(404, "IMPORT_NOT_FOUND", f"There is no import '{text[:40]}'.")
    return found


def key_of(text: str) -> dict[str, object]:
    number = whole_number(text)
    if number is not None:
        return {"pk": number}
    try:
        return {"import_batch_id": uuid.UUID(text)}
    except ValueError:
        return {"pk": 0}


def choice(name: str, values: list[str], **more: object) -> OpenApiParameter:
    return OpenApiParameter(name, str, enum=values, **more)


def size(default: int) -> OpenApiParameter:
    return OpenApiParameter("per_page", int, enum=PER_PAGE, default=default)


# --- Lists


class NewestImports(ApiView):
    rights = {"GET": [SEE], "DELETE": ["imports.delete_importexecutionlog"]}

    @extend_schema(responses=answers(shapes.NewestImports))
    def get(self, request: Request) -> Response:
        """The newest 20 imports, to those who ask for JSON. Browsers are led to the page."""
        newest = ImportExecutionLog.objects.all()[:NEWEST]
        return Response({"success": True, "imports": [import_as_json(log) for log in newest]})

    @extend_schema(responses=answers(shapes.Cleared))
    def delete(self, request: Request) -> Response:
        """Clear the logs of all imports that have ended; their trades stay.

        What takes more than ten seconds is left to a worker; the message says how many are left.
        """
        deleted, left = clear_now(request.user)
        words = f"{deleted:,} import logs were cleared."
        words += f" A worker goes on with the other {left:,}." if left else ""
        return Response({"message": words, "logs_deleted": deleted})


answer_programs = NewestImports.as_view()


@csrf_exempt
def newest_or_page(request: HttpRequest) -> HttpResponseBase:
    """JSON for those who ask for it, the page for all others."""
    reads = request.method in ("GET", "HEAD")
    if reads and request.get_preferred_type(["text/html", "application/json"]) == "text/html":
        query = request.GET.urlencode()
        return HttpResponseRedirect(reverse("import-logs") + (f"?{query}" if query else ""))
    return answer_programs(request)


# By which the document and the errors know it for a part of the API.
newest_or_page.cls = NewestImports
newest_or_page.initkwargs = {}


class ImportList(ApiView):
    rights = {"GET": [SEE]}

    @extend_schema(
        parameters=[
            OpenApiParameter("page", int, default=1),
            size(25),
            choice("status", Status.values),
            choice("type", ImportExecutionLog.Type.values),
            OpenApiParameter("account", str, description="Its exact name."),
            OpenApiParameter("start_date", OpenApiTypes.DATE),
            OpenApiParameter("end_date", OpenApiTypes.DATE, description="This day included."),
            OpenApiParameter("search", str, description="A part of the file's name."),
            choice("sort_by", list(SORTS), default="import_time"),
            choice("sort_order", ["asc", "desc"], default="desc"),
        ],
        responses=answers(shapes.ImportList, 400),
    )
    def get(self, request: Request) -> Response:
        """All imports, or those that fit the filters. Days are those of the zone of the pages."""
        page, most = page_number(request), per_page(request)
        filters = ImportFilters(request.query_params, queryset=ImportExecutionLog.objects.all())
        if not filters.is_valid():
            raise invalid(**first_problems(dict(filters.errors)))
        total = filters.qs.count()
        found = filters.qs[(page - 1) * most : page * most]
        pages = {
            "page": page,
            "per_page": most,
            "total": total,
            "pages": max(1, math.ceil(total / most)),
        }
        imports = [import_as_json(log) for log in found]
        return Response({"success": True, "imports": imports, "pagination": pages})


# --- One import


class ImportDetail(ApiView):
    rights = {"GET": [SEE]}

    @extend_schema(
        parameters=[ID, choice("row_status", RowStatus.values), AFTER, size(ROWS_PER_PAGE)],
        responses=answers(shapes.ImportDetail, 400, 404),
    )
    def get(self, request: Request, id: str) -> Response:
        """An import and its row logs, page by page in the order of the file."""
        row_status = request.query_params.get("row_status", "")
        if row_status and row_status not in RowStatus.values:
            raise invalid(row_status=f"'{row_status[:20]}' is none of {', '.join(RowStatus)}")
        return with_rows(request, id, row_status)


class FailedRows(ApiView):
    rights = {"GET": [SEE]}

    @extend_schema(
        parameters=[ID, AFTER, size(ROWS_PER_PAGE)],
        responses=answers(shapes.ImportDetail, 400, 404),
    )
    def get(self, request: Request, id: str) -> Response:
        """An import and its failed lines only."""
        return with_rows(request, id, RowStatus.FAILED)


def with_rows(request: Request, id: str, status: str) -> Response:
    """A page of row logs by key: as quick at the millionth line as at the first."""
    most, last = per_page(request, ROWS_PER_PAGE), after(request)
    log = find_import(id)
    rows = ImportRowLog.objects.filter(import_log=log, row_number__gt=last).order_by("row_number")
    found = list((rows.filter(status=status) if status else rows)[: most + 1])
    shown = found[:most]
    trade_ids = trade_ids_of(shown)
    return Response(
        {
            "success": True,
            "import_summary": import_as_json(log),
            "date_range": days_as_json(log),
            "rows_deleted_at": rows_deleted_at(log),
            "row_logs": [row_as_json(log.header, row, trade_ids.get(row.pk)) for row in shown],
            "pagination": {
                "per_page": most,
                "next": shown[-1].row_number if len(found) > most else None,
                # Counted while the import ran; nobody counts a million rows for a page.
                "total": getattr(log, f"{status}_rows" if status else "total_rows"),
            },
        }
    )


class AffectedTrades(ApiView):
    rights = {"GET": [SEE, "trades.view_trade"]}

    @extend_schema(
        parameters=[ID, AFTER, size(ROWS_PER_PAGE)],
        responses=answers(shapes.AffectedTrades, 400, 404),
    )
    def get(self, request: Request, id: str) -> Response:
        """The trades that an import made and that still exist; `row_number` is their line."""
        most, last = per_page(request, ROWS_PER_PAGE), after(request)
        log = find_import(id)
        ledger = ImportedExecution.objects.filter(import_log=log, pk__gt=last).order_by("pk")
        found = list(ledger.values_list("pk", "trade_id")[: most + 1])
        trades = Trade.objects.filter(pk__in=[trade for _, trade in found[:most] if trade])
        related = trades.select_related("account", "instrument", "import_row_log")
        data = shapes.TradeData(related.order_by("pk"), many=True).data
        return Response(
            {
                "success": True,
                "import_batch_id": log.import_batch_id,
                "file_name": log.file_name,
                "trades": data,
                "count": len(data),
                "pagination": {
                    "per_page": most,
                    "next": found[most - 1][0] if len(found) > most else None,
                },
            }
        )


class RollbackPreview(ApiView):
    rights = {"GET": [SEE]}

    @extend_schema(parameters=[ID], responses=answers(shapes.RollbackPreview, 404))
    def get(self, request: Request, id: str) -> Response:
        """What a rollback would delete, and whom it would concern."""
        effect = preview([find_import(id)])
        return Response(
            {
                "success": True,
                "trades": effect.trades,
                "positions": effect.positions,
                "accounts": effect.accounts,
                "trades_with_notes": effect.with_notes,
                "trades_reviewed": effect.reviewed,
                "later_imports": [import_as_json(log) for log in effect.later_imports],
                "imports_restored": effect.restored,
            }
        )


class Download(ApiView):
    rights = {"GET": [SEE]}
    content_negotiation_class = AnyAccept

    @extend_schema(
        parameters=[ID, choice("format", list(DOWNLOADS), default="json")],
        responses={
            (200, "application/json"): OpenApiTypes.OBJECT,
            (200, "text/plain"): OpenApiTypes.STR,
            (200, "text/csv"): OpenApiTypes.STR,
        }
        | {k: v for k, v in answers(None, 400, 404).items() if k != 200},
    )
    def get(self, request: Request, id: str) -> HttpResponseBase:
        """All of an import as JSON or text, or its failed lines as CSV, as an attachment."""
        form = request.query_params.get("format", "json")
        if form not in DOWNLOADS:
            raise invalid(format=f"'{form[:20]}' is none of {', '.join(DOWNLOADS)}")
        log = find_import(id)
        if form == "csv" and log.rows_deleted_at:
            raise ApiError(409, "ROWS_DELETED", f"The lines of {log.file_name} are deleted.")
        return download_of(log, form)


class Stats(ApiView):
    rights = {"GET": [SEE]}

    @extend_schema(responses=answers(shapes.Counts))
    def get(self, request: Request) -> Response:
        """How importing goes, over all imports."""
        return Response(shapes.Counts(statistics()).data)
