"""What nobody expected: a page, or JSON for programs, that says as much as is known.

A database that is away, busy or full is told as such (503): what was committed is safe, and whoever
asks again a little later gets an answer.
"""

import errno
import logging
import re
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from web.api import error_body, is_for_programs
from web.marks import REQUEST

logger = logging.getLogger(__name__)

FULL = re.compile(r"disk is full|disk full|no space left|could not extend|disk i/o", re.I)
BUSY = re.compile(r"locked|deadlock|too many", re.I)
SECONDS = 10  # until it is worth asking again


def tell_what_is_away(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answers in place of a view that the database, or the disk, has let down."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    middleware.process_exception = unavailable
    return middleware


def unavailable(request: HttpRequest, problem: Exception) -> HttpResponse | None:
    """None to what is a mistake of ours: that is answered by `server_error`."""
    found = reason(problem)
    if not found:
        return None
    logger.warning("%s: %s", type(problem).__name__, str(problem).strip())
    return answer(request, 503, "UNAVAILABLE", found)


def server_error(request: HttpRequest) -> HttpResponse:
    """What Django calls for everything else that a view has raised."""
    words = "Something went wrong here; the log of the server says what."
    return answer(request, 500, "SERVER_ERROR", words)


def reason(problem: BaseException | None) -> str:
    """A sentence on what is away, busy or full; '' if it is nothing of that kind."""
    full = "The disk of the server is full. Nothing that was accounted for is lost."
    if isinstance(problem, OSError):
        return full if problem.errno in (errno.ENOSPC, errno.EDQUOT) else ""
    if not isinstance(problem, OperationalError | InterfaceError):
        return ""
    if FULL.search(str(problem)):
        return full
    if BUSY.search(str(problem)):
        return "The database is busy with something else. Try again in a moment."
    return "The database cannot be reached at the moment. What was committed is safe."


def answer(request: HttpRequest, status: int, code: str, words: str) -> HttpResponse:
    number = REQUEST.get()
    headers = {"Retry-After": str(SECONDS)} if status == 503 else {}
    if is_for_programs(request):
        body = error_body(code, words, {"request_id": number} if number else {})
        return JsonResponse(body, status=status, headers=headers)
    context = {"reason": words, "request_id": number}
    page = render_to_string(f"{status}.html", context)
    return HttpResponse(page, status=status, headers=headers)
