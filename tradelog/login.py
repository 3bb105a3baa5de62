"""Logging in, and what else belongs to one's own account, for members of the staff or not."""

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from unfold.forms import AuthenticationForm


class LoginForm(AuthenticationForm):
    """In the shell's clothes, but without its demand that everybody belong to the staff."""

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        super(AdminAuthenticationForm, self).confirm_login_allowed(user)


class Login(LoginView):
    template_name = "admin/login.html"
    authentication_form = LoginForm

    def get_context_data(self, **context: object) -> dict[str, object]:
        return super().get_context_data(
            **admin.site.each_context(self.request),
            title="Log in",
            app_path=self.request.get_full_path(),
            **context,
        )


# Before the admin's own addresses, which these take over: the shell of every page links to them.
urlpatterns = [
    path("login/", Login.as_view(), name="login"),
    path("admin/logout/", LogoutView.as_view(next_page="login")),
    path("admin/password_change/done/", login_required(admin.site.password_change_done)),
]
