"""The API of the open orders: the list, one order, and a sync now."""

import math

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from joblogs.states import Trigger
from orders import serializers as shapes
from orders.filters import CHOSEN, SORTS, OrderFilters
from orders.freshness import freshness
from orders.models import OpenOrder
from orders.tasks import ask_for_sync
from web.api import (
    PER_PAGE,
    ApiError,
    ApiView,
    answers,
    first_problems,
    invalid,
    page_number,
    per_page,
)

SEE = "orders.view_openorder"
ORDERS_PER_PAGE = 50


class OpenOrders(ApiView):
    rights = {"GET": [SEE]}

    @extend_schema(
        operation_id="api_open_orders_list",
        parameters=[
            OpenApiParameter("page", int, default=1),
            OpenApiParameter("per_page", int, enum=PER_PAGE, default=ORDERS_PER_PAGE),
            OpenApiParameter("search", str, description="A part of order, account or instrument."),
            *(OpenApiParameter(name, str, description="Its whole value.") for name in CHOSEN),
            OpenApiParameter("start_date", OpenApiTypes.DATE, description="Updated since."),
            OpenApiParameter("end_date", OpenApiTypes.DATE, description="This day included."),
            OpenApiParameter(
                "problems", str, enum=["yes", "no"], description="Values that could not be read."
            ),
            OpenApiParameter("sort_by", str, enum=SORTS, default="updated_at"),
            OpenApiParameter("sort_order", str, enum=["asc", "desc"], default="desc"),
        ],
        responses=answers(shapes.OpenOrderList, 400),
    )
    def get(self, request: Request) -> Response:
        """The open orders as of the newest complete sync, or those of them that fit the filters.

        Days are those of the zone of the pages. What is empty comes last in either order.
        """
        page, most = page_number(request), per_page(request, ORDERS_PER_PAGE)
        fresh = freshness()
        orders = OpenOrder.objects.filter(snapshot=fresh.current)
        filters = OrderFilters(request.query_params, queryset=orders)
        if not filters.is_valid():
            raise invalid(**first_problems(dict(filters.errors)))
        total = filters.qs.count()
        pages = {
            "page": page,
            "per_page": most,
            "total": total,
            "pages": max(1, math.ceil(total / most)),
        }
        found = filters.qs[(page - 1) * most : page * most]
        answer = {"open_orders": found, "pagination": pages, "sync": fresh}
        return Response(shapes.OpenOrderList(answer).data)


class Order(ApiView):
    rights = {"GET": [SEE]}

    @extend_schema(
        parameters=[OpenApiParameter("id", str, "path")],
        responses=answers(shapes.OpenOrderDetail, 404),
    )
    def get(self, request: Request, id: str) -> Response:
        """One open order."""
        fresh = freshness()
        orders = OpenOrder.objects.filter(snapshot=fresh.current)
        order = orders.filter(key=id).order_by("number").first()
        if order is None:
            raise ApiError(404, "ORDER_NOT_FOUND", f"There is no open order '{id[:40]}'.")
        return Response(shapes.OpenOrderDetail({"open_order": order, "sync": fresh}).data)


class Sync(ApiView):
    rights = {"POST": ["orders.sync_open_orders"]}

    @extend_schema(request=None, responses=answers(shapes.SyncQueued, 411, code=202))
    def post(self, request: Request) -> Response:
        """Have the open orders synced now, by a worker. One sync that waits already is enough."""
        log = ask_for_sync(Trigger.API, request.user)
        words = "The open orders will be synced as soon as a worker is free."
        return Response(shapes.SyncQueued({"message": words, "job_log": log}).data, status=202)
