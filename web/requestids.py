"""Each request has an id: in every line of the log, in its answer, on the page of an error."""

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from web.marks import REQUEST

HEADER = "X-Request-ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)

access = logging.getLogger("tradelog.access")


def give_id(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """The proxy's own if it is one, else a new one; and, if the settings want it, a line of it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        request.id = given if WELL_FORMED.fullmatch(given) else uuid.uuid4().hex
        mark, begun = REQUEST.set(request.id), time.monotonic()
        try:
            response = get_response(request)
            response.headers[HEADER] = request.id
            if settings.TRADELOG_ACCESS_LOG:
                write_down(request, response.status_code, time.monotonic() - begun)
            return response
        finally:
            REQUEST.reset(mark)

    return middleware


def write_down(request: HttpRequest, status: int, seconds: float) -> None:
    """Without the query, which may hold anything."""
    who = request.META.get("REMOTE_ADDR", "") or "-"
    access.info("%s %s %s %s %.0f ms", who, request.method, request.path, status, 1000 * seconds)
