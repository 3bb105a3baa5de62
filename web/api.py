"""What every API of this project shares: who may ask, how pages are asked for, how errors look."""

from collections.abc import Callable
from datetime import UTC
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views import defaults
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework import exceptions, serializers, status
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from web.apilogin import PasswordLogin, TokenLogin
from web.numbers import whole_number

PER_PAGE = (10, 25, 50, 100)
FARTHEST_PAGE = 1_000_000

# --- Errors


class ErrorAnswer(serializers.Serializer):
    """How every error looks."""

    success = serializers.BooleanField(help_text="Always false.")
    error = serializers.CharField(help_text="One sentence for people.")
    error_code = serializers.CharField(help_text="A fixed word for programs.")
    details = serializers.DictField(help_text="By parameter, what is wrong with it; often empty.")


class ApiError(exceptions.APIException):
    """An answer in the shape of errors, with a code of its own."""

    def __init__(
        self, status_code: int, code: str, sentence: str, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(sentence)
        self.status_code, self.code, self.details = status_code, code, details or {}


def invalid(**problems: str) -> ApiError:
    """The answer to parameters that cannot be understood: what is wrong, by parameter."""
    sentence = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
    details = {name: [problem] for name, problem in problems.items()}
    return ApiError(400, "INVALID_PARAMETER", sentence, details)


CODES: dict[type[exceptions.APIException], str] = {
    exceptions.ParseError: "MALFORMED_REQUEST",
    exceptions.NotAuthenticated: "NOT_AUTHENTICATED",
    exceptions.AuthenticationFailed: "AUTHENTICATION_FAILED",
    exceptions.PermissionDenied: "PERMISSION_DENIED",
    exceptions.NotFound: "NOT_FOUND",
    exceptions.MethodNotAllowed: "METHOD_NOT_ALLOWED",
    exceptions.NotAcceptable: "NOT_ACCEPTABLE",
    exceptions.UnsupportedMediaType: "UNSUPPORTED_MEDIA_TYPE",
    exceptions.Throttled: "TOO_MANY_REQUESTS",
}


def error_body(code: str, sentence: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"success": False, "error": sentence, "error_code": code, "details": details or {}}


def answer_error(problem: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to what a view has raised. None to what nobody expected: see `failure`."""
    if isinstance(problem, serializers.ValidationError):
        problem = invalid(**first_problems(problem.detail))
    if isinstance(problem, RequestDataTooBig):
        problem = ApiError(413, "TOO_LARGE", "The request is larger than is taken here.")
    if isinstance(problem, TooManyFieldsSent | TooManyFilesSent):
        problem = exceptions.ParseError("The request has more fields or files than are taken here.")
    response = exception_handler(problem, context)
    if response is None:
        return None
    if isinstance(problem, ApiError):
        response.data = error_body(problem.code, str(problem.detail), problem.details)
        return response
    code = CODES.get(type(problem), "PERMISSION_DENIED" if response.status_code == 403 else "")
    detail = response.data.get("detail", "")
    details = {"wait_seconds": wait} if (wait := getattr(problem, "wait", None)) else {}
    response.data = error_body(code or "NOT_FOUND", str(detail), details)
    return response


def first_problems(detail: Any) -> dict[str, str]:
    """The first problem of each field."""
    if not isinstance(detail, dict):
        return {"request": str(detail[0])}
    names = {"non_field_errors": "request"}
    return {
        names.get(name, str(name)): str(found[0] if isinstance(found, list) else found)
        for name, found in detail.items()
    }


def is_for_programs(request: HttpRequest) -> bool:
    """Whether the address belongs to an API, known or not."""
    match = getattr(request, "resolver_match", None)
    view = getattr(getattr(match, "func", None), "cls", None)
    return request.path.startswith("/api/") or (view is not None and issubclass(view, APIView))


def failure(
    status_code: int, code: str, sentence: str, page: Callable[..., HttpResponse]
) -> Callable[..., HttpResponseBase]:
    """What Django calls for errors outside of a view: JSON for programs, a page for browsers."""

    def answer(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
        if is_for_programs(request):
            return JsonResponse(error_body(code, sentence), status=status_code)
        return page(request, exception) if exception else page(request)

    return answer


bad_request = failure(400, "BAD_REQUEST", "The request cannot be understood.", defaults.bad_request)
forbidden = failure(403, "PERMISSION_DENIED", "You may not do this.", defaults.permission_denied)
stale = failure(
    403,
    "PERMISSION_DENIED",
    "The form was open for too long; load its page again.",
    defaults.permission_denied,
)
not_found = failure(404, "NOT_FOUND", "There is nothing at this address.", defaults.page_not_found)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """What Django calls for a form whose token is missing or old."""
    return stale(request, PermissionDenied(reason))


# --- Views


class RoomSchema(AutoSchema):
    """In the document, the operations stand together by room."""

    def get_tags(self) -> list[str]:
        return [self.view.__module__.partition(".")[0]]


class ApiView(APIView):
    """`rights`: by method, the permissions that are asked for."""

    schema = RoomSchema()
    rights: dict[str, list[str]] = {}
    http_method_names = ["get", "post", "put", "delete", "head"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """No body whose length is not told: Django would take it for an empty one."""
        super().initial(request, *args, **kwargs)
        if "Transfer-Encoding" in request.headers and not request.headers.get("Content-Length"):
            raise ApiError(411, "LENGTH_REQUIRED", "Send the body with its Content-Length.")

    def finalize_response(
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """No cache keeps what only some may see."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class NothingHere(APIView):
    """Under /api/, every address that nothing else answers to."""

    permission_classes: list[type[BasePermission]] = []
    authentication_classes: list[type] = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise Http404("There is nothing at this address.")


class AnyAccept(DefaultContentNegotiation):
    """For downloads, whose form the address tells: whatever the client would rather have."""

    def select_renderer(
        self, request: Request, renderers: list[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


# --- Pages


def page_number(request: Request) -> int:
    return number_of(request, "page", default=1, least=1, most=FARTHEST_PAGE)


def per_page(request: Request, default: int = 25) -> int:
    text = request.query_params.get("per_page", str(default))
    if text not in map(str, PER_PAGE):
        raise invalid(per_page=f"'{text[:20]}' is none of {', '.join(map(str, PER_PAGE))}")
    return int(text)


def after(request: Request) -> int:
    """The key behind which a page begins; it stood in the page before as `next`."""
    return number_of(request, "after", default=0, least=0, most=10**18 - 1)


def number_of(request: Request, name: str, *, default: int, least: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    number = whole_number(text)
    if number is None or not least <= number <= most:
        raise invalid(**{name: f"'{text[:20]}' is no whole number from {least} to {most}"})
    return number


# --- What the document says


class MomentField(serializers.DateTimeField):
    """In UTC, with a Z, whatever the zone of the pages."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"default_timezone": UTC} | kwargs)


SENTENCES = {
    400: "A parameter is wrong; `details` says which",
    401: "Not logged in",
    403: "Logged in, without the right",
    404: "There is no such thing",
    406: "JSON is the only form",
    409: "Its state does not allow it",
    411: "The body came without its length",
    413: "Too large",
    415: "The body is of the wrong type",
    422: "The key was used for something else",
    429: "Too many requests; `Retry-After` says when to come back",
}


def answers(good: Any, *errors: int, code: int = status.HTTP_200_OK) -> dict[int, Any]:
    """All that an operation may answer, for the document; what every one may is added."""
    usual = {401, 403, 406, 429} | ({411} if 415 in errors else set())
    return {code: good} | {
        number: OpenApiResponse(ErrorAnswer, SENTENCES[number])
        for number in sorted(usual | set(errors))
    }


class PasswordScheme(OpenApiAuthenticationExtension):
    target_class = PasswordLogin
    name = "password"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "basic"}


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = TokenLogin
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token` and a blank before the token itself",
        }
