"""Pages of our own in the shell of the admin, also for those who may not enter the admin."""

from collections.abc import Callable
from functools import wraps

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from rest_framework.exceptions import APIException

from web.apilogin import PasswordLogin

Page = Callable[..., HttpResponseBase]


def shell(request: HttpRequest, **context: object) -> dict[str, object]:
    """What the templates of the shell need; the sidebar leads where this user may go."""
    return {
        **admin.site.each_context(request),
        "has_permission": True,
        "sidebar_navigation": admin.site.get_sidebar_list(request),
        **context,
    }


def page_for(*permissions: str, by_password: bool = False) -> Callable[[Page], Page]:
    """A page for those who have these permissions; nobody else sees it, and no cache keeps it.

    `by_password`: also for programs that log in by HTTP Basic.
    """

    def guarded(page: Page) -> Page:
        @never_cache
        @wraps(page)
        def guard(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if by_password and (refusal := log_in_by_password(request)):
                return refusal
            if not request.user.is_authenticated:
                return ask_to_log_in(request)
            if not request.user.has_perms(permissions):
                raise PermissionDenied
            return page(request, *args, **kwargs)

        return guard

    return guarded


def log_in_by_password(request: HttpRequest) -> HttpResponse | None:
    """Make the user of HTTP Basic that of this request, if it names one; else why it cannot be."""
    login = PasswordLogin()
    try:
        found = login.authenticate(request)
    except APIException as problem:
        return HttpResponse(
            str(problem.detail),
            status=problem.status_code,
            headers={"WWW-Authenticate": login.authenticate_header(request)},
            content_type="text/plain",
        )
    if found:
        request.user, _ = found
    return None


def ask_to_log_in(request: HttpRequest) -> HttpResponse:
    """By the page for it; a script is told so, and htmx loads its page anew, which then asks."""
    if is_by_script(request):
        return HttpResponse("Log in first.", status=401, headers={"HX-Refresh": "true"})
    return redirect_to_login(request.get_full_path())


def is_by_script(request: HttpRequest) -> bool:
    """Whether a script asks for a part of a page, and not a browser for a page."""
    return "HX-Request" in request.headers
