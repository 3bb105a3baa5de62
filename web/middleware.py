"""What no request may carry, whichever room it goes to."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse


def refuse_nul(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """No address with a NUL: PostgreSQL cannot compare with one, and nobody types it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "%00" in request.META["QUERY_STRING"]:
            raise BadRequest("The address contains a NUL character.")
        return get_response(request)

    return middleware


def refuse_far_numbers(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """No number that SQLite cannot compare with; the filters of the admin pass on any."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def explain(request: HttpRequest, problem: Exception) -> None:
        if isinstance(problem, OverflowError) and "SQLite" in str(problem):
            raise BadRequest("A number in the request is larger than any here.") from problem

    middleware.process_exception = explain
    return middleware
