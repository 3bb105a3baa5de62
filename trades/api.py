"""The API of trades, positions and issues: the lists of the pages, one of each, and dismissals."""

from django.db.models import Model, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from trades import serializers as shapes
from trades.filters import (
    DISMISSED,
    LARGEST,
    OUTCOMES,
    IssueFilters,
    ListFilters,
    PositionFilters,
    TradeFilters,
)
from trades.issues import KINDS, IssueQuerySet
from trades.listing import rows_of
from trades.models import IntegrityIssue, Position, Trade
from trades.origins import every_issue, every_position, every_trade, trades_by_key
from trades.touched import Pair, touched_pairs
from web.api import (
    PER_PAGE,
    ApiError,
    ApiView,
    after,
    answers,
    first_problems,
    invalid,
    page_number,
    per_page,
)
from web.bounded import FAR, BoundedPaginator
from web.numbers import whole_number

SEE_TRADES = "trades.view_trade"
SEE_POSITIONS = "trades.view_position"
SEE_ISSUES = "trades.view_integrityissue"
DISMISS = [SEE_ISSUES, "trades.dismiss_issue"]
CODES = {
    "trade": "TRADE_NOT_FOUND",
    "position": "POSITION_NOT_FOUND",
    "issue": "ISSUE_NOT_FOUND",
}
USUAL_SIZE = 50
ISSUES = 50  # of one position

ID = OpenApiParameter("id", str, "path", description="Its number.")
SIZE = OpenApiParameter("per_page", int, enum=PER_PAGE, default=USUAL_SIZE)


def choice(name: str, values: list[str], **more: object) -> OpenApiParameter:
    return OpenApiParameter(name, str, enum=values, **more)


def key(name: str, words: str) -> OpenApiParameter:
    schema = {"type": "integer", "minimum": 1, "maximum": LARGEST}
    return OpenApiParameter(name, schema, description=words)


def of_a_list(filters: type[ListFilters], what: str) -> list[OpenApiParameter]:
    """The parameters that all lists have."""
    sorts = [
        choice("sort_by", list(filters.sorts), default=filters.moment),
        choice("sort_order", ["asc", "desc"], default="desc"),
    ]
    return [
        OpenApiParameter("page", int, default=1),
        SIZE,
        OpenApiParameter("account", str, many=True, description="Exact names, of those there are."),
        OpenApiParameter("instrument", str, description="Its whole symbol."),
        OpenApiParameter("start_date", OpenApiTypes.DATE, description=f"{what} since."),
        OpenApiParameter("end_date", OpenApiTypes.DATE, description="This day included."),
        *(sorts if filters.sorts else []),
    ]


def a_page(
    request: Request, filters: ListFilters, every: QuerySet
) -> tuple[list[Model], dict[str, object]]:
    """The rows of the page that is asked for, and where it stands. Raises ApiError for nonsense."""
    page, most = page_number(request), per_page(request, USUAL_SIZE)
    if not filters.is_valid():
        raise invalid(**first_problems(dict(filters.errors)))
    counted = BoundedPaginator(filters.qs, most, page * most + FAR)
    keys = filters.qs.values_list("pk", flat=True)[(page - 1) * most : page * most]
    return rows_of(every, keys), {
        "page": page,
        "per_page": most,
        "total": counted.count,
        "pages": counted.num_pages,
        "is_cut": counted.is_cut,
    }


def find(every: QuerySet, text: str, what: str) -> Model:
    """The one with this number. Raises ApiError if there is none."""
    found = every.filter(pk=whole_number(text) or 0).first()
    if found is None:
        raise ApiError(404, CODES[what], f"There is no {what} '{text[:40]}'.")
    return found


# --- Trades


class Trades(ApiView):
    rights = {"GET": [SEE_TRADES]}

    @extend_schema(
        operation_id="api_trades_list",
        parameters=[
            *of_a_list(TradeFilters, "Executed"),
            choice("side", Trade.Side.values),
            key("import", "Number of the import that made them."),
            key("batch", "Number of the batch that made them."),
            OpenApiParameter("search", str, description="A whole execution ID."),
        ],
        responses=answers(shapes.TradeList, 400),
    )
    def get(self, request: Request) -> Response:
        """All trades, newest first, or those that fit the filters.

        Days are those of the zone of the pages.
        """
        filters = TradeFilters(request.query_params, queryset=Trade.objects.all())
        trades, pages = a_page(request, filters, every_trade())
        return Response(shapes.TradeList({"trades": trades, "pagination": pages}).data)


class OneTrade(ApiView):
    rights = {"GET": [SEE_TRADES]}

    @extend_schema(parameters=[ID], responses=answers(shapes.TradeDetail, 404))
    def get(self, request: Request, id: str) -> Response:
        """One trade, with its line and its positions."""
        trade = find(every_trade(), id, "trade")
        positions = list(trade.parts.order_by("pk").values_list("position_id", flat=True))
        return Response(shapes.TradeDetail({"trade": trade, "positions": positions}).data)


# --- Positions


class Positions(ApiView):
    rights = {"GET": [SEE_POSITIONS]}

    @extend_schema(
        operation_id="api_positions_list",
        parameters=[
            *of_a_list(PositionFilters, "Opened"),
            choice("direction", Position.Direction.values),
            choice("status", Position.Status.values),
            choice("pnl", list(OUTCOMES), description="By the net P&L."),
            OpenApiParameter("tag", str, description="A whole tag."),
            OpenApiParameter("closed_from", OpenApiTypes.DATE, description="Closed since."),
            OpenApiParameter("closed_to", OpenApiTypes.DATE, description="This day included."),
            OpenApiParameter("currency", str, description="Of the P&L; `unknown` is one, too."),
        ],
        responses=answers(shapes.PositionList, 400),
    )
    def get(self, request: Request) -> Response:
        """All positions, newest first, or those that fit the filters.

        What is empty comes last in either order. Days are those of the zone of the pages.
        """
        filters = PositionFilters(request.query_params, queryset=Position.objects.all())
        positions, pages = a_page(request, filters, every_position())
        return Response(shapes.PositionList({"positions": positions, "pagination": pages}).data)


class OnePosition(ApiView):
    rights = {"GET": [SEE_POSITIONS, SEE_TRADES]}

    @extend_schema(
        parameters=[
            ID,
            OpenApiParameter("after", OpenApiTypes.INT64, description="`next` of the page before."),
            SIZE,
        ],
        responses=answers(shapes.PositionDetail, 400, 404),
    )
    def get(self, request: Request, id: str) -> Response:
        """One position, its standing issues, and its fills, page by page in their order."""
        most, last = per_page(request, USUAL_SIZE), after(request)
        position = find(every_position(), id, "position")
        parts = list(position.parts.filter(pk__gt=last).order_by("pk")[: most + 1])
        trades = trades_by_key(part.trade_id for part in parts[:most])
        fills = [part for part in parts[:most] if part.trade_id in trades]
        for part in fills:
            part.trade = trades[part.trade_id]
        issues = every_issue().filter(position=position).standing()[:ISSUES]
        pair = Pair(position.account_id, position.instrument_id)
        answer = {
            "position": position,
            "is_being_computed": pair in touched_pairs(position.account_id),
            "fills": fills,
            "issues": issues if request.user.has_perm(SEE_ISSUES) else [],
            "pagination": {
                "per_page": most,
                "next": parts[most - 1].pk if len(parts) > most else None,
            },
        }
        return Response(shapes.PositionDetail(answer).data)


# --- Issues


class Issues(ApiView):
    rights = {"GET": [SEE_ISSUES]}

    @extend_schema(
        operation_id="api_issues_list",
        parameters=[
            *of_a_list(IssueFilters, "At a fill"),
            choice("kind", list(KINDS)),
            choice("dismissed", list(DISMISSED), default="no"),
        ],
        responses=answers(shapes.IssueList, 400),
    )
    def get(self, request: Request) -> Response:
        """What does not fit together in the fills, the newest first: what stands, unless
        `dismissed` asks for others."""
        filters = IssueFilters(request.query_params, queryset=IntegrityIssue.objects.all())
        issues, pages = a_page(request, filters, every_issue())
        return Response(shapes.IssueList({"issues": issues, "pagination": pages}).data)


class Dismiss(ApiView):
    rights = {"PUT": DISMISS}

    @extend_schema(
        parameters=[ID],
        request=shapes.Reason,
        responses=answers(shapes.OneIssue, 400, 404, 409, 415),
    )
    def put(self, request: Request, id: str) -> Response:
        """Dismiss an issue for a reason; it stays dismissed as long as it is found."""
        wanted = shapes.Reason(data=request.data)
        wanted.is_valid(raise_exception=True)
        issue = this_one(id)
        if not issue.dismiss(request.user, wanted.validated_data["reason"]):
            raise ApiError(409, "STATE_CONFLICT", f"Issue {id} is dismissed already.")
        return Response(shapes.OneIssue({"issue": every_issue().get(pk=issue.get().pk)}).data)


class Restore(ApiView):
    rights = {"PUT": DISMISS}

    @extend_schema(parameters=[ID], request=None, responses=answers(shapes.OneIssue, 404, 409, 411))
    def put(self, request: Request, id: str) -> Response:
        """Take the dismissal of an issue back."""
        issue = this_one(id)
        if not issue.restore():
            raise ApiError(409, "STATE_CONFLICT", f"Issue {id} is not dismissed.")
        return Response(shapes.OneIssue({"issue": every_issue().get(pk=issue.get().pk)}).data)


def this_one(id: str) -> IssueQuerySet:
    """The issue with this number, for one statement. Raises ApiError if there is none."""
    issue = find(IntegrityIssue.objects.filter(resolved_at=None), id, "issue")
    return IntegrityIssue.objects.filter(pk=issue.pk)
