"""How programs log in, how often they may ask, and for what. The settings name these classes."""

import json
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac
from knox.auth import TokenAuthentication
from rest_framework.authentication import BasicAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied, Throttled
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from web.addresses import home_address, is_of_another_site
from web.scopes import Scope, limit, scope_of
from web.secondfactor import those_with_a_password_alone

MINUTE = 60  # seconds
ELSEWHERE = "A page of another site asks for this, with a password that the browser has kept."
NO_PASSWORD = "This user logs in with a second factor. Programs use a token of theirs."


class Requests(SimpleRateThrottle):
    """So many a minute for each user; for strangers, for each address that they come from."""

    scope = "requests"

    def get_rate(self) -> str:
        return f"{settings.TRADELOG_API_PER_MINUTE}/min"

    def get_cache_key(self, request: Request, view: Any) -> str:
        who = request.user.pk if request.user.is_authenticated else home_address(request)
        return f"requests-{who}"


class PasswordLogin(BasicAuthentication):
    """HTTP Basic, with the accounts of the pages; tries are counted as those of the page are.

    Programs send their password with each request. One that was right is known again for a minute:
    to look at it takes long, and to count it is a write. It does not do for users who have, or must
    have, a second factor.
    """

    www_authenticate_realm = "tradelog"

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Browsers keep a password and send it along with the forms of any site, like a cookie."""
        found = super().authenticate(request)
        if found and is_of_another_site(request):
            raise PermissionDenied(ELSEWHERE)
        return found

    def authenticate_credentials(
        self, userid: str, password: str, request: Request | None = None
    ) -> tuple[Any, Any]:
        key = self.key_of(userid, password, request)
        known = cache.get(key, {})
        enough = those_with_a_password_alone()
        user = enough.filter(pk=known["user"]).first() if known else None
        if user and known["hash"] == user.get_session_auth_hash():
            return user, None
        try:
            user, _ = super().authenticate_credentials(userid, password, request)
        except AuthenticationFailed:
            if getattr(request, "axes_locked_out", False):
                raise Throttled(settings.TRADELOG_LOCK_MINUTES * MINUTE) from None
            raise
        if not enough.filter(pk=user.pk).exists():
            raise PermissionDenied(NO_PASSWORD)
        cache.set(key, {"user": user.pk, "hash": user.get_session_auth_hash()}, MINUTE)
        return user, None

    def key_of(self, userid: str, password: str, request: Request | None) -> str:
        """Says nothing of the password, and is another for another client."""
        told = json.dumps([home_address(request), userid, password])
        return salted_hmac("web.apilogin", told, algorithm="sha256").hexdigest()


class TokenLogin(TokenAuthentication):
    """Authorization: Token … After too many wrong ones of an address none is tried for a minute."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        if not request.headers.get("Authorization", "").lower().startswith("token"):
            return None
        key = f"wrong-tokens-{home_address(request)}"
        wrong = cache.get(key, 0)
        if wrong >= settings.TRADELOG_WRONG_TOKENS_PER_MINUTE:
            raise Throttled(MINUTE)
        try:
            return super().authenticate(request)
        except AuthenticationFailed:
            cache.set(key, wrong + 1, MINUTE)
            raise

    def authenticate_credentials(self, token: bytes) -> tuple[Any, Any]:
        if not token.isascii():
            raise AuthenticationFailed("Invalid token.")
        user, found = super().authenticate_credentials(token)
        limit(user, scope_of(found))
        return user, found


class Rights(BasePermission):
    """For people who are logged in and have what the view's `rights` name for the method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        method = "GET" if request.method == "HEAD" else request.method
        if not request.user.is_authenticated:
            return False
        if scope_of(request.auth) != Scope.FULL and method != "GET" and not view.rights.get(method):
            return False  # as no right is asked for, nothing else would stop it
        # A method that the view does not know is refused as such, which says more.
        return request.user.has_perms(view.rights.get(method, []))
