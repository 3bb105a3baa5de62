"""Logins by password are counted by user and address, and by address alone, in django-axes' table.

A try counts before its password is looked at, and is taken back if the password is right: however
many are made at once, by however many processes, no more than the limit are looked at. What is
locked is free again after TRADELOG_LOCK_MINUTES; knocking meanwhile does not prolong it, nor does
it count for the address. Nobody is locked out by failures from elsewhere.
"""

from datetime import datetime, timedelta
from typing import Any

from axes.backends import AxesStandaloneBackend
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone

from web.addresses import home_address
from web.api import error_body, is_for_programs
from web.rights import RightsAtOnce

WHOEVER = ""  # instead of a name, in the row that counts for an address
LONGEST_NAME = 150


def limits(name: str) -> dict[str, int]:
    """How many tries each of the two rows bears. A name no user can have is cut to what fits."""
    return {
        name.replace("\0", "")[:LONGEST_NAME]: settings.TRADELOG_LOGIN_TRIES,
        WHOEVER: settings.TRADELOG_LOGIN_TRIES_PER_ADDRESS,
    }


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
            return all(count(request, *limit) for limit in limits(name).items())

    def user_login_failed(self, *_: object, **__: object) -> None:
        """It was counted before."""

    def user_logged_in(self, *_: object, **__: object) -> None:
        """It was taken back when the password was right."""

    def user_logged_out(self, *_: object, **__: object) -> None:
        """Says nothing of passwords."""


def forget_old() -> None:
    since = timezone.now() - timedelta(minutes=settings.TRADELOG_LOCK_MINUTES)
    AccessAttempt.objects.filter(attempt_time__lte=since).delete()


def count(request: HttpRequest, name: str, limit: int) -> bool:
    """Count one more in a row; whether it was still below its limit.

    The row is forgotten so long after its first try, or after the one that locked it.
    """
    AccessAttempt.objects.get_or_create(
        ip_address=home_address(request) or "0.0.0.0",
        username=name,
        user_agent="",
        defaults={"failures_since_start": 0},
    )
    is_last = When(failures_since_start=limit - 1, then=Value(timezone.now()))
    below = rows(request, name).filter(failures_since_start__lt=limit)
    return bool(
        below.update(
            failures_since_start=F("failures_since_start") + 1,
            attempt_time=Case(is_last, default=F("attempt_time")),
        )
    )


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
