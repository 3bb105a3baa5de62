"""Logins by password are counted by user and address, and by address alone, in django-axes' table.

A try counts before its password is looked at, and is taken back if the password is right: however
many are made at once, by however many processes, no more than the limit are looked at. What is
locked is free again after TRADELOG_LOCK_MINUTES; knocking meanwhile does not prolong it, nor does
it count for the address. Nobody is locked out by failures from elsewhere.
"""

import time
from datetime import datetime, timedelta
from typing import Any

from axes.backends import AxesStandaloneBackend
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, User
from django.db import transaction
from django.db.models import Case, F, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone

from audit.models import Deed
from audit.writing import write_down
from web.addresses import home_address
from web.api import error_body, is_for_programs
from web.rights import RightsAtOnce

WHOEVER = ""  # instead of a name, in the row that counts for an address
LONGEST_NAME = 150
LOGGED_IN_AT = "logged_in_at"
FRESH = 15 * 60  # seconds


def limits(name: str) -> dict[str, int]:
    """How many tries each of the two rows bears. A name no user can have is cut to what fits."""
    return {
        clean(name): settings.TRADELOG_LOGIN_TRIES,
        WHOEVER: settings.TRADELOG_LOGIN_TRIES_PER_ADDRESS,
    }


def clean(name: str) -> str:
    return name.replace("\0", "")[:LONGEST_NAME]


def rows(request: HttpRequest, name: str) -> QuerySet[AccessAttempt]:
    return AccessAttempt.objects.filter(
        ip_address=home_address(request) or "0.0.0.0", username=name, user_agent=""
    )


class CountBefore(AxesDatabaseHandler):
    """What django-axes asks before each password, and tells of each outcome."""

    def is_allowed(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        """Count this try; whether it may be made."""
        forget_old()
        name = (credentials or {}).get("username") or ""
        with transaction.atomic():
            for limit in limits(name).items():
                if not count(request, *limit):
                    return tell_of_lock(request, *limit)
        return True

    def user_login_failed(
        self,
        sender: str,
        credentials: dict[str, Any],
        request: HttpRequest | None = None,
        **_: object,
    ) -> None:
        """It was counted before, and of a lock is told once.

        Whom it was for is kept only if there is such a user: what else stands there may be a
        password.
        """
        if not getattr(request, "axes_locked_out", False):
            write_down(Deed.LOGIN_FAILED, known_name(credentials.get("username") or ""))

    def user_logged_in(
        self, sender: type, request: HttpRequest, user: AbstractBaseUser, **_: object
    ) -> None:
        request.session.cycle_key()  # Django keeps that of who logs in again, which may be stolen
        request.session[LOGGED_IN_AT] = time.time()
        write_down(Deed.LOGIN, "", user=user)

    def user_logged_out(
        self, sender: type, request: HttpRequest, user: AbstractBaseUser | None, **_: object
    ) -> None:
        if user is not None:
            write_down(Deed.LOGOUT, "", user=user)


def is_fresh(request: HttpRequest) -> bool:
    """Whether the password was given in this session just now. A stolen cookie is seldom fresh."""
    return time.time() - request.session.get(LOGGED_IN_AT, 0) < FRESH


def known_name(name: str) -> str:
    return name if User.objects.filter(username=clean(name)).exists() else "an unknown name"


def tell_of_lock(request: HttpRequest, name: str, limit: int) -> bool:
    """Audit the first time that it refuses, which counts beyond the limit; always False."""
    first = rows(request, name).filter(failures_since_start=limit)
    if first.update(failures_since_start=limit + 1):
        whom = known_name(name) if name else "all users"
        write_down(Deed.LOCKED, whom, words=f"after {limit} failed logins")
    return False


def forget_old() -> None:
    since = timezone.now() - timedelta(minutes=settings.TRADELOG_LOCK_MINUTES)
    AccessAttempt.objects.filter(attempt_time__lte=since).delete()


def count(request: HttpRequest, name: str, limit: int) -> bool:
    """Count one more in a row; whether it was still below its limit.

    The row is forgotten so long after its first try, or after the one that locked it.
    """
    # Not get_or_create: whose row is made and deleted by others meanwhile, would get neither.
    row = AccessAttempt(
        ip_address=home_address(request) or "0.0.0.0",
        username=name,
        user_agent="",
        failures_since_start=0,
    )
    AccessAttempt.objects.bulk_create([row], ignore_conflicts=True)
    is_last = When(failures_since_start=limit - 1, then=Value(timezone.now()))
    below = rows(request, name).filter(failures_since_start__lt=limit)
    counted = below.update(
        failures_since_start=F("failures_since_start") + 1,
        attempt_time=Case(is_last, default=F("attempt_time")),
    )
    # The row may be gone again: somebody has just logged in.
    return bool(counted) or not rows(request, name).filter(failures_since_start__gte=limit).exists()


def locked_until(attempt: AccessAttempt) -> datetime | None:
    """None if it is not locked."""
    if attempt.failures_since_start < limits(attempt.username)[attempt.username]:
        return None
    return attempt.attempt_time + timedelta(minutes=settings.TRADELOG_LOCK_MINUTES)


def take_back(request: HttpRequest, name: str) -> None:
    """The password was right: this try does not count, nor do earlier ones for this user here."""
    rows(request, name).delete()
    others = rows(request, WHOEVER).filter(failures_since_start__gt=0)
    others.update(failures_since_start=F("failures_since_start") - 1)


class CountedLogin(AxesStandaloneBackend, RightsAtOnce):
    """Passwords and rights, for every door: all of them ask Django to authenticate."""

    def authenticate(
        self,
        request: HttpRequest,
        username: str | None = None,
        password: str | None = None,
        **more: Any,
    ) -> Any:
        super().authenticate(request, username, password, **more)  # raises if locked
        if username is None or clean(username) != username:
            return None
        user = RightsAtOnce.authenticate(self, request, username, password, **more)
        if user is not None:
            take_back(request, user.get_username())
        return user


def answer_locked(
    request: HttpRequest, _: HttpResponse | None = None, __: dict[str, Any] | None = None
) -> HttpResponse:
    """A page that says for how long, or the same in JSON; in place of any other answer."""
    minutes = settings.TRADELOG_LOCK_MINUTES
    again = {"Retry-After": str(minutes * 60)}
    if is_for_programs(request):
        words = f"Too many failed logins; try again in {minutes} minutes."
        return JsonResponse(error_body("TOO_MANY_REQUESTS", words), status=429, headers=again)
    text = render_to_string("locked.html", {"minutes": minutes})
    return HttpResponse(text, status=429, headers=again)
