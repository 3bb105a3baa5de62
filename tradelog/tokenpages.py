"""The page of one's own tokens: all of them; make one, which is shown once; revoke one."""

from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from knox.models import AuthToken
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from tradelog.tokens import make, revoke, tokens_of
from tradelog.tries import is_fresh
from web.scopes import Scope, scope_of
from web.shell import is_by_script, page_for, shell

MINE = page_for()  # everybody may have some, and none may do more than its owner
USED = "used_token_forms"
MOST_USED = 100
REFUSED = 400


class NewToken(forms.Form):
    """Each form makes one token, however often it is sent: `number` tells it from all others."""

    scope = forms.ChoiceField(
        label="It may", choices=Scope, initial=Scope.READ, widget=UnfoldAdminSelectWidget
    )
    number = forms.CharField(max_length=32, widget=forms.HiddenInput, initial=lambda: uuid4().hex)

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        most = settings.TRADELOG_TOKEN_DAYS
        self.fields["days"] = forms.IntegerField(
            label="Days until it ends",
            min_value=1,
            max_value=most,
            initial=most,
            widget=UnfoldAdminIntegerFieldWidget,
            help_text=f"At most {most}.",
        )


@MINE
@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """All of one's own, and the form that makes another."""
    if request.method == "POST":
        return made(request)
    return answered(request, NewToken())


def made(request: HttpRequest) -> HttpResponse:
    """The answer alone has the new token: neither the address nor the session knows it."""
    if not is_fresh(request):
        return redirect_to_login(reverse("tokens"))
    form = NewToken(request.POST)
    if not form.is_valid():
        return answered(request, form, status=REFUSED)
    used = request.session.get(USED, [])
    if form.cleaned_data["number"] in used:
        messages.warning(request, "This form has made its token already; no other was made.")
        return redirect("tokens")
    request.session[USED] = [*used, form.cleaned_data["number"]][-MOST_USED:]
    token, secret = make(request.user, form.cleaned_data["days"], form.cleaned_data["scope"])
    return answered(request, None, token=token, secret=secret)


def answered(
    request: HttpRequest, form: NewToken | None, status: int = 200, **new: object
) -> HttpResponse:
    context = {
        "title": "Your API tokens",
        "tokens": [told(one) for one in tokens_of(request.user)],
        "form": form if is_fresh(request) else None,
        **new,
    }
    return render(request, "account/tokens.html", shell(request, **context), status=status)


def told(token: AuthToken) -> dict[str, object]:
    has_ended = token.expiry is not None and token.expiry <= timezone.now()
    return {"token": token, "scope": Scope(scope_of(token)).label, "has_ended": has_ended}


@MINE
@require_http_methods(["GET", "POST"])
def token_revoke(request: HttpRequest, key: str) -> HttpResponse:
    """Ask first: programs that use it get in no more."""
    token = get_object_or_404(tokens_of(request.user), token_key=key)
    if request.method == "POST":
        revoke(token)
        messages.success(request, f"The token {key}… is revoked.")
        return redirect("tokens")
    context = {"title": "Revoke a token", "token": token}
    if is_by_script(request):
        return render(request, "account/token_revoke_form.html", context)
    return render(request, "account/token_revoke.html", shell(request, **context))
