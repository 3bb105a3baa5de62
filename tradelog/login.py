"""Logging in, and what else belongs to one's own account, for members of the staff or not.

Who has a second factor is not logged in by a password: for some minutes the session knows for whom
it was right, and asks for a code.
"""

import time

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser, User
from django.contrib.auth.views import (
    LoginView,
    LogoutView,
    RedirectURLMixin,
    redirect_to_login,
)
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.crypto import constant_time_compare
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView
from unfold.forms import AuthenticationForm

from tradelog.codeform import CodeForm
from tradelog.secondfactor import problem_of
from tradelog.secondfactorpages import second_factor
from web.secondfactor import has_second_factor

PENDING = "waits_for_a_code"
PATIENCE = 5 * 60  # seconds


class LoginForm(AuthenticationForm):
    """In the shell's clothes, but without its demand that everybody belong to the staff."""

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        super(AdminAuthenticationForm, self).confirm_login_allowed(user)


class Login(LoginView):
    template_name = "admin/login.html"
    authentication_form = LoginForm

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        if has_second_factor(form.get_user()):
            wait_for_code(self.request, form.get_user())
            return redirect_to_login(self.get_success_url(), "login-code")
        self.request.session.pop(PENDING, None)
        return super().form_valid(form)

    def get_context_data(self, **context: object) -> dict[str, object]:
        return super().get_context_data(
            **admin.site.each_context(self.request),
            title="Log in",
            app_path=self.request.get_full_path(),
            **context,
        )


def log_in_to_admin(request: HttpRequest) -> HttpResponse:
    """As the admin itself does: for the staff, who need not do it twice."""
    if request.method == "GET" and admin.site.has_permission(request):
        return redirect("admin:index")
    view = Login.as_view(authentication_form=AuthenticationForm, next_page="admin:index")
    return view(request)


def wait_for_code(request: HttpRequest, user: AbstractBaseUser) -> None:
    """In a new session, in which nobody is logged in."""
    request.session.flush()
    until = time.time() + PATIENCE
    request.session[PENDING] = [user.pk, user.get_session_auth_hash(), until]


def waiting_user(request: HttpRequest) -> User | None:
    """Whose code is waited for: not for too long, and not if anything has changed meanwhile."""
    pk, password, until = request.session.get(PENDING, (None, "", 0))
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None or time.time() > until or not has_second_factor(user):
        return None
    return user if constant_time_compare(password, user.get_session_auth_hash()) else None


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class LoginCode(RedirectURLMixin, FormView):
    """The second step, for whom the first was made in this session."""

    template_name = "account/login_code.html"
    form_class = CodeForm
    next_page = settings.LOGIN_REDIRECT_URL

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        self.user = waiting_user(request)
        if self.user is None:
            if request.session.pop(PENDING, None):
                messages.warning(request, "This login has ended before its code came. Begin again.")
            return redirect_to_login(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: CodeForm) -> HttpResponse:
        if problem := problem_of(self.user, form.cleaned_data["code"]):
            form.add_error("code", problem)
            return self.form_invalid(form)
        del self.request.session[PENDING]
        login(self.request, self.user)
        return redirect(self.get_success_url())

    def get_context_data(self, **context: object) -> dict[str, object]:
        return super().get_context_data(
            **admin.site.each_context(self.request), title="Second factor", **context
        )


# Before the admin's own addresses, which these take over: the shell of every page links to them.
urlpatterns = [
    path("login/", Login.as_view(), name="login"),
    path("login/code/", LoginCode.as_view(), name="login-code"),
    path("account/second-factor/", second_factor, name="second-factor"),
    path("admin/login/", log_in_to_admin),
    path("admin/logout/", LogoutView.as_view(next_page="login")),
    path("admin/password_change/done/", login_required(admin.site.password_change_done)),
]
