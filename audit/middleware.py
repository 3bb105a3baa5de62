"""Who asks is known to all that is done in a request; and what leaves the house is audited."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse

from audit.models import Deed
from audit.writing import asked_by, write_down


def remember_who_asks(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        with asked_by(request):
            response = get_response(request)
            if response.headers.get("Content-Disposition", "").startswith("attachment"):
                with closed_if_refused(response):
                    write_down_export(request, response)
        return response

    return middleware


@contextmanager
def closed_if_refused(response: HttpResponse) -> Iterator[None]:
    """Nothing leaves if that cannot be written."""
    try:
        yield
    except BaseException:
        response.close()
        raise


def write_down_export(request: HttpRequest, response: HttpResponse) -> None:
    """By its address, which names the filters."""
    _, _, name = response.headers["Content-Disposition"].partition("=")
    size = response.headers.get("Content-Length")
    write_down(
        Deed.EXPORT,
        unquote(name.removeprefix("utf-8''").strip('"')),
        words=f"{f'{int(size):,} bytes, ' if size else ''}{request.get_full_path()}",
    )
