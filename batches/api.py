"""The API of batches, as far as it reads. What changes something is in batches/apideeds.py."""

import math
import uuid

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from batches import serializers as shapes
from batches.errors import count_messages, grouped_errors
from batches.export import DOWNLOADS, as_result, batch_as_json, download_of, moment, trades_of
from batches.filters import ARCHIVED, SORTS, BatchFilter, BatchTradeFilter
from batches.models import Batch
from batches.states import FINAL, Status, TradeStatus
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

SEE = "batches.view_batch"
SEE_TRADES = "batches.view_batchtrade"
NEWEST = 20
MOST_ACTIVE = 100
TRADES_PER_PAGE = 50

ID = OpenApiParameter("id", str, "path", description="Number or ID of the batch.")
AFTER = OpenApiParameter("after", OpenApiTypes.INT64, description="`next` of the page before.")


def find_batch(text: str) -> Batch:
    """The batch with this number or ID. Raises ApiError if there is none."""
    found = Batch.objects.filter(**key_of(text)).first()
    if found is None:
        raise ApiError(404, "BATCH_NOT_FOUND", f"There is no batch '{text[:40]}'.")
    return found


def key_of(text: str) -> dict[str, object]:
    number = whole_number(text)
    if number is not None:
        return {"pk": number}
    try:
        return {"batch_uid": uuid.UUID(text)}
    except ValueError:
        return {"pk": 0}


def several(name: str, values: list[str]) -> OpenApiParameter:
    """A parameter that may be given more than once."""
    return OpenApiParameter(name, str, enum=values, many=True)


def size(default: int) -> OpenApiParameter:
    return OpenApiParameter("per_page", int, enum=PER_PAGE, default=default)


# --- Lists

LIST = [
    OpenApiParameter("page", int, default=1),
    size(25),
    several("status", Status.values),
    OpenApiParameter("start_date", OpenApiTypes.DATE, description="Made since."),
    OpenApiParameter("end_date", OpenApiTypes.DATE, description="This day included."),
    OpenApiParameter("search", str, description="A part of the name, or the whole ID."),
    OpenApiParameter("executor", str, description="Its whole name."),
    OpenApiParameter("archived", str, enum=[value for value, _ in ARCHIVED], default="no"),
    OpenApiParameter("sort_by", str, enum=list(SORTS), default="date"),
    OpenApiParameter("sort_order", str, enum=["asc", "desc"], default="desc"),
]


def listed(request: Request) -> Response:
    page, most = page_number(request), per_page(request)
    filters = BatchFilter(request.query_params, queryset=Batch.objects.all())
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
    batches = [batch_as_json(batch) for batch in found]
    return Response({"success": True, "batches": batches, "pagination": pages})


class ActiveBatches(ApiView):
    rights = {"GET": [SEE]}

    @extend_schema(responses=answers(shapes.SomeBatches))
    def get(self, request: Request) -> Response:
        """The batches that wait for a worker or run, the most urgent first; at most 100."""
        found = Batch.objects.active().most_urgent_first()[:MOST_ACTIVE]
        return Response({"success": True, "batches": [batch_as_json(batch) for batch in found]})


class RecentBatches(ApiView):
    rights = {"GET": [SEE]}

    @extend_schema(responses=answers(shapes.SomeBatches))
    def get(self, request: Request) -> Response:
        """The 20 batches that ended last and are not archived."""
        ended = Batch.objects.filter(status__in=FINAL, archived_at=None)
        found = ended.order_by("-completed_at", "-id")[:NEWEST]
        return Response({"success": True, "batches": [batch_as_json(batch) for batch in found]})


# --- One batch


class BatchTrades(ApiView):
    rights = {"GET": [SEE, SEE_TRADES]}

    @extend_schema(
        parameters=[
            ID,
            several("status", TradeStatus.values),
            OpenApiParameter("account", str, description="Its name."),
            OpenApiParameter("search", str, description="In instrument, order, name or message."),
            AFTER,
            size(TRADES_PER_PAGE),
        ],
        responses=answers(shapes.BatchTrades, 400, 404),
    )
    def get(self, request: Request, id: str) -> Response:
        """The lines of a batch in their sequence, with what became of each."""
        most, last, batch = per_page(request, TRADES_PER_PAGE), after(request), find_batch(id)
        filters = BatchTradeFilter(request.query_params, queryset=trades_of(batch))
        if not filters.is_valid():
            raise invalid(**first_problems(dict(filters.errors)))
        found = list(filters.qs.filter(sequence__gt=last)[: most + 1])
        trades = [as_result(one) | {"errors": one.errors, "raw": one.raw} for one in found[:most]]
        answer = {"success": True, "batch_id": batch.batch_uid, "trades": trades}
        return Response(answer | {"pagination": page_behind(found, most)})


class BatchResults(ApiView):
    rights = {"GET": [SEE, SEE_TRADES]}

    @extend_schema(
        parameters=[ID, AFTER, size(TRADES_PER_PAGE)],
        responses=answers(shapes.Results, 400, 404),
    )
    def get(self, request: Request, id: str) -> Response:
        """What a batch has come to, and its trades that were executed."""
        most, last, batch = per_page(request, TRADES_PER_PAGE), after(request), find_batch(id)
        done = trades_of(batch).filter(status=TradeStatus.EXECUTED)
        found = list(done.filter(sequence__gt=last)[: most + 1])
        return Response(
            {
                "success": True,
                "batch_id": batch.batch_uid,
                "status": batch.status,
                "summary": batch.error_summary,
                "counts": {
                    "pending": batch.pending_trades,
                    "executed": batch.executed_trades,
                    "failed": batch.failed_trades,
                    "cancelled": batch.cancelled_trades,
                },
                "started_at": moment(batch.started_at),
                "completed_at": moment(batch.completed_at),
                "results": [as_result(one) for one in found[:most]],
                "pagination": page_behind(found, most),
            }
        )


def page_behind(found: list, most: int) -> dict[str, int | None]:
    """The page of which `found` has one trade more, if there is one."""
    return {"per_page": most, "next": found[most - 1].sequence if len(found) > most else None}


class BatchErrors(ApiView):
    rights = {"GET": [SEE, SEE_TRADES]}

    @extend_schema(parameters=[ID], responses=answers(shapes.Errors, 404))
    def get(self, request: Request, id: str) -> Response:
        """Why trades of a batch failed: each sentence once, the most frequent first."""
        batch = find_batch(id)
        return Response(
            {
                "success": True,
                "batch_id": batch.batch_uid,
                "failed_trades": batch.failed_trades,
                "messages": count_messages(batch),
                "errors": grouped_errors(batch),
            }
        )


class BatchExport(ApiView):
    rights = {"GET": [SEE, SEE_TRADES]}
    content_negotiation_class = AnyAccept

    @extend_schema(
        parameters=[ID, OpenApiParameter("format", str, enum=list(DOWNLOADS), default="csv")],
        responses={(200, "application/json"): OpenApiTypes.OBJECT, (200, "text/csv"): str}
        | {k: v for k, v in answers(None, 400, 404).items() if k != 200},
    )
    def get(self, request: Request, id: str) -> HttpResponseBase:
        """All lines of a batch and what became of each, as CSV or JSON, as an attachment."""
        form = request.query_params.get("format", "csv")
        if form not in DOWNLOADS:
            raise invalid(format=f"'{form[:20]}' is none of {', '.join(DOWNLOADS)}")
        return download_of(find_batch(id), form)
