"""The page of the own account on which a second factor is set up and turned off."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_otp.plugins.otp_totp.models import TOTPDevice

from tradelog import secondfactor
from tradelog.codeform import CodeForm
from tradelog.tries import is_fresh
from web.api import error_body, is_for_programs
from web.secondfactor import has_second_factor, lacks_second_factor, must_have_second_factor
from web.shell import page_for, shell

BEGUN = "second_factor_begun"  # the number of what is set up in this session


@page_for()
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Secrets are shown, and anything is done, only soon after a login."""
    if not is_fresh(request):
        messages.info(request, "Log in once more: this page needs a login of the last 15 minutes.")
        return redirect_to_login(request.path)
    return DEEDS.get(request.POST.get("deed", ""), show)(request)


def show(request: HttpRequest, form: CodeForm | None = None) -> HttpResponse:
    devices = TOTPDevice.objects.filter(user=request.user)
    begun = devices.filter(confirmed=False, pk=request.session.get(BEGUN)).first()
    context = {
        "title": "Second factor",
        "device": devices.filter(confirmed=True).first(),
        "left": secondfactor.codes_left(request.user),
        "must": must_have_second_factor(request.user),
        "begun": begun,
        "form": form or CodeForm(),
    }
    if begun:
        context["drawing"] = mark_safe(secondfactor.drawing(begun))
        context["letters"] = secondfactor.in_letters(begun)
    return render(request, "account/second_factor.html", shell(request, **context))


def begin(request: HttpRequest) -> HttpResponse:
    if not has_second_factor(request.user):
        request.session[BEGUN] = secondfactor.begin(request.user).pk
    return redirect("second-factor")


def confirm(request: HttpRequest) -> HttpResponse:
    form = CodeForm(request.POST)
    if not form.is_valid():
        return show(request, form)
    code, begun = form.cleaned_data["code"], request.session.get(BEGUN)
    with transaction.atomic():
        problem = secondfactor.problem_of_first(request.user, begun, code)
        codes = [] if problem else secondfactor.new_codes(request.user)
    if problem:
        form.add_error("code", problem)
        return show(request, form)
    return show_codes(request, codes)


def make_codes(request: HttpRequest) -> HttpResponse:
    if not has_second_factor(request.user):
        return redirect("second-factor")
    return show_codes(request, secondfactor.new_codes(request.user))


def show_codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    """Once: they stand in this answer, and nowhere else."""
    context = shell(request, title="Recovery codes", codes=codes)
    return render(request, "account/recovery_codes.html", context)


def turn_off(request: HttpRequest) -> HttpResponse:
    if secondfactor.turn_off(request.user):
        messages.success(request, "The second factor is turned off.")
    return redirect("second-factor")


DEEDS: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "begin": begin,
    "confirm": confirm,
    "codes": make_codes,
    "off": turn_off,
}


# --- Those who must have one


def lead_staff_there(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Where the settings want it, staff without a second factor get no further than to its page."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def before_view(
        request: HttpRequest, view: Callable, arguments: list, named: dict
    ) -> HttpResponse | None:
        if not lacks_second_factor(request.user) or request.path in ways_out():
            return None
        if is_for_programs(request):
            words = "Set up a second factor first, on the page of your account."
            return JsonResponse(error_body("SECOND_FACTOR_REQUIRED", words), status=403)
        return redirect("second-factor")

    middleware.process_view = before_view
    return middleware


def ways_out() -> set[str]:
    """What they may do without: set it up, log in as somebody else, log out, save the password."""
    names = ["second-factor", "login", "login-code", "admin:login", "admin:logout"]
    names += ["admin:password_change", "admin:password_change_done", "admin:jsi18n"]
    return {reverse(name) for name in names}
