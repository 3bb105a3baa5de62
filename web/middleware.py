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
