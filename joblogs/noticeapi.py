"""The API of notices, which reads and acknowledges."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from joblogs.api import size
from joblogs.filters import NoticeFilters
from joblogs.models import Notice
from joblogs.notices import acknowledge
from joblogs.states import Level
from web.api import (
    ApiError,
    ApiView,
    MomentField,
    answers,
    first_problems,
    invalid,
    page_number,
    per_page,
)
from web.apishapes import Answer, BoundedPage
from web.bounded import FAR, BoundedPaginator
from web.numbers import whole_number

ID = OpenApiParameter("id", str, "path", description="Number of the notice.")


class NoticeData(serializers.ModelSerializer):
    url = serializers.CharField(help_text="Path of the page to look at; empty if there is none.")
    created_at = MomentField()
    over_at = MomentField(allow_null=True, help_text="Since then what failed goes well again.")
    acknowledged_at = MomentField(allow_null=True)
    acknowledged_by = serializers.CharField(
        source="acknowledged_by.username", default=None, allow_null=True
    )
    sent_at = MomentField(allow_null=True)
    error = serializers.CharField(help_text="Why it was not sent on.")

    class Meta:
        model = Notice
        fields = [
            "id",
            "title",
            "text",
            "level",
            "url",
            "created_at",
            "over_at",
            "acknowledged_at",
            "acknowledged_by",
            "delivery",
            "attempts",
            "sent_at",
            "error",
        ]


class NoticeList(Answer):
    notices = NoticeData(many=True)
    pagination = BoundedPage()


class NoticeAnswer(Answer):
    notice = NoticeData()


class Notices(ApiView):
    rights = {"GET": ["joblogs.view_notice"]}

    @extend_schema(
        operation_id="api_notices_list",
        parameters=[
            OpenApiParameter("page", int, default=1),
            size(25),
            OpenApiParameter("acknowledged", str, enum=["yes", "no"]),
            OpenApiParameter("level", str, enum=Level.values),
            OpenApiParameter("start_date", OpenApiTypes.DATE),
            OpenApiParameter("end_date", OpenApiTypes.DATE, description="This day included."),
        ],
        responses=answers(NoticeList, 400),
    )
    def get(self, request: Request) -> Response:
        """All notices, newest first, or those that fit the filters."""
        number, most = page_number(request), per_page(request)
        every = Notice.objects.select_related("acknowledged_by")
        filters = NoticeFilters(request.query_params, queryset=every)
        if not filters.is_valid():
            raise invalid(**first_problems(dict(filters.errors)))
        counted = BoundedPaginator(filters.qs, most, number * most + FAR)
        pages = {
            "page": number,
            "per_page": most,
            "total": counted.count,
            "pages": counted.num_pages,
            "is_cut": counted.is_cut,
        }
        found = filters.qs[(number - 1) * most : number * most]
        shown = NoticeData(found, many=True).data
        return Response({"success": True, "notices": shown, "pagination": pages})


class Acknowledge(ApiView):
    rights = {"PUT": ["joblogs.acknowledge_notice"]}

    @extend_schema(parameters=[ID], request=None, responses=answers(NoticeAnswer, 404, 411))
    def put(self, request: Request, id: str) -> Response:
        """Acknowledge a notice. Who was first stays, whoever does it again."""
        notice = Notice.objects.filter(pk=whole_number(id)).first()
        if notice is None:
            raise ApiError(404, "NOTICE_NOT_FOUND", f"There is no notice '{id[:40]}'.")
        acknowledge(notice, request.user)
        notice = Notice.objects.select_related("acknowledged_by").get(pk=notice.pk)
        return Response({"success": True, "notice": NoticeData(notice).data})
