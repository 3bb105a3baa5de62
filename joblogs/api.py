"""The API of job logs, which reads, and of recurring jobs, which also runs and pauses them."""

from collections.abc import Callable

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Q
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from joblogs import recurring
from joblogs import serializers as shapes
from joblogs.filters import JobLogFilters
from joblogs.linepages import by_key
from joblogs.models import JobLog
from joblogs.recurring import NoSuchJob, StillRuns
from joblogs.states import Status, Trigger
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

SEE = "joblogs.view_joblog"
LINES_PER_PAGE = 100

ID = OpenApiParameter("id", str, "path", description="Number or name of the job log.")
NAME = OpenApiParameter("name", str, "path", description="Of the job.")


def size(default: int) -> OpenApiParameter:
    return OpenApiParameter("per_page", int, enum=PER_PAGE, default=default)


def find_log(text: str) -> JobLog:
    """The job log with this number or name. Raises ApiError if there is none."""
    number = whole_number(text)
    by_number = Q() if number is None else Q(pk=number)
    logs = JobLog.objects.select_related("asked_by")
    # PostgreSQL cannot compare with a NUL.
    found = None if "\0" in text else logs.filter(Q(name=text) | by_number).order_by("pk").first()
    if found is None:
        raise ApiError(404, "JOB_LOG_NOT_FOUND", f"There is no job log '{text[:40]}'.")
    return found


class JobLogs(ApiView):
    rights = {"GET": [SEE]}

    @extend_schema(
        operation_id="api_job_logs_list",
        parameters=[
            OpenApiParameter("page", int, default=1),
            size(25),
            OpenApiParameter("status", str, enum=Status.values),
            OpenApiParameter("job", str, description="What ran."),
            OpenApiParameter("start_date", OpenApiTypes.DATE),
            OpenApiParameter("end_date", OpenApiTypes.DATE, description="This day included."),
        ],
        responses=answers(shapes.JobLogList, 400),
    )
    def get(self, request: Request) -> Response:
        """All job logs, newest first, or those that fit the filters."""
        number, most = page_number(request), per_page(request)
        filters = JobLogFilters(
            request.query_params, queryset=JobLog.objects.select_related("asked_by")
        )
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
        logs = shapes.JobLogData(found, many=True).data
        return Response({"success": True, "job_logs": logs, "pagination": pages})


class JobLogDetail(ApiView):
    rights = {"GET": [SEE]}

    @extend_schema(parameters=[ID], responses=answers(shapes.JobLogDetailAnswer, 404))
    def get(self, request: Request, id: str) -> Response:
        """How a job goes, or went."""
        return Response({"success": True, "job_log": shapes.JobLogData(find_log(id)).data})


class JobLogLines(ApiView):
    rights = {"GET": [SEE]}

    @extend_schema(
        parameters=[
            ID,
            OpenApiParameter("after", OpenApiTypes.INT64, description="ID of the last line known."),
            size(LINES_PER_PAGE),
        ],
        responses=answers(shapes.Lines, 400, 404),
    )
    def get(self, request: Request, id: str) -> Response:
        """What the job has written behind a line, in its order.

        To follow a job, ask again behind the last line, until `status` is success or error and
        `next` is null.
        """
        most, last = per_page(request, LINES_PER_PAGE), after(request)
        log = find_log(id)  # before its lines: of one that has ended none is missed
        found = log.details.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)
        keys = list(found[: most + 1])
        following = keys[most - 1] if len(keys) > most else None
        return Response(
            {
                "success": True,
                "status": log.status,
                "lines": shapes.LineData(by_key(keys[:most]), many=True).data,
                "pagination": {"per_page": most, "next": following},
            }
        )


# --- Recurring jobs


class Schedules(ApiView):
    rights = {"GET": [SEE]}

    @extend_schema(responses=answers(shapes.Schedules))
    def get(self, request: Request) -> Response:
        """The recurring jobs, and whether anything works on the queue."""
        jobs = shapes.RecurringData(recurring.recurring(), many=True).data
        beat = shapes.BeatData(recurring.beat()).data
        return Response({"success": True, "beat": beat, "schedules": jobs})


class Run(ApiView):
    rights = {"POST": ["joblogs.run_job"]}

    @extend_schema(
        parameters=[NAME], request=None, responses=answers(shapes.Begun, 404, 409, 411, code=202)
    )
    def post(self, request: Request, name: str) -> Response:
        """Have a recurring job done now, also one that is paused."""
        try:
            log = recurring.run_now(name, request.user, Trigger.API)
        except NoSuchJob as problem:
            raise not_found(problem) from None
        except StillRuns as conflict:
            raise ApiError(409, "STATE_CONFLICT", str(conflict)) from None
        words = f"{name} will run as soon as a worker is free."
        answer = {"success": True, "message": words, "id": log.pk, "name": log.name}
        return Response(answer, status=202)


class Pause(ApiView):
    rights = {"POST": ["joblogs.pause_job"]}

    @extend_schema(parameters=[NAME], request=None, responses=answers(shapes.Done, 404, 411))
    def post(self, request: Request, name: str) -> Response:
        """Let a recurring job not run by itself until it is resumed."""
        return done(request, name, recurring.pause, "paused")


class Resume(ApiView):
    rights = {"POST": ["joblogs.pause_job"]}

    @extend_schema(parameters=[NAME], request=None, responses=answers(shapes.Done, 404, 411))
    def post(self, request: Request, name: str) -> Response:
        """Let a recurring job run again at its times."""
        return done(request, name, recurring.resume, "resumed")


def done(
    request: Request, name: str, deed: Callable[[str, AbstractBaseUser], None], verb: str
) -> Response:
    try:
        deed(name, request.user)
    except NoSuchJob as problem:
        raise not_found(problem) from None
    return Response({"success": True, "message": f"{name} is {verb}."})


def not_found(problem: NoSuchJob) -> ApiError:
    return ApiError(404, "SCHEDULE_NOT_FOUND", str(problem))
