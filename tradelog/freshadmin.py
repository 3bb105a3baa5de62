"""What would outlive a stolen cookie asks for the password again, unless it was given just now."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from tradelog.tries import is_fresh

View = Callable[..., HttpResponse]
READ = ("_changelist", "_history")  # addresses that change nothing by GET, and show no form
AGAIN = "Log in once more: this needs a login of the last 15 minutes."


class FreshAdmin(ModelAdmin):
    """Stands before the class whose pages it guards. Lists can be read whenever one logged in."""

    def get_urls(self) -> list[URLPattern]:
        urls = super().get_urls()
        for one in urls:
            one.callback = self.asking(one.callback, is_read=(one.name or "").endswith(READ))
        return urls

    def asking(self, view: View, *, is_read: bool) -> View:
        @wraps(view)
        def guard(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            asks = not is_read or request.method not in ("GET", "HEAD")
            if asks and self.has_view_permission(request) and not is_fresh(request):
                messages.info(request, AGAIN)
                return redirect_to_login(request.get_full_path())
            return view(request, *args, **kwargs)

        return guard
