"""Writing down who did what. To be called in the transaction of the deed.

Who it is, by which way and from where, nobody needs to say: it is the one who asks in this request,
or for whom this job runs; else a command, by the user of the system.
"""

import getpass
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from audit.models import AuditEntry, Deed, Way
from web.addresses import client_address
from web.api import is_for_programs


@dataclass(frozen=True)
class Job:
    """Somebody's, or nobody's if it recurs."""

    asked_by: AbstractBaseUser | None


logger = logging.getLogger(__name__)

asking: ContextVar[HttpRequest | Job | None] = ContextVar("asking", default=None)


@contextmanager
def asked_by(who: HttpRequest | Job) -> Iterator[None]:
    """All that is done within is theirs."""
    before = asking.set(who)
    try:
        yield
    finally:
        asking.reset(before)


def write_down(
    deed: Deed,
    subject: Model | str,
    *,
    count: int | None = None,
    words: str = "",
    user: AbstractBaseUser | None = None,
) -> None:
    """`user`: where it is not the one who asks."""
    who, way = asking.get(), way_of(asking.get())
    request = who if isinstance(who, HttpRequest) else None
    user = user or (who.asked_by if isinstance(who, Job) else getattr(request, "user", None))
    user = user if user and user.is_authenticated else None
    entry = AuditEntry.objects.create(
        user=user,
        username=user.get_username() if user else system_user() if way == Way.COMMAND else "",
        way=way,
        token=getattr(getattr(request, "auth", None), "token_key", ""),
        address=client_address(request) if request else None,
        deed=deed,
        count=count,
        words=words[:500],
        **named(subject),
    )
    logger.info("%s.", entry)


def way_of(who: HttpRequest | Job | None) -> Way:
    if who is None:
        return Way.COMMAND
    if isinstance(who, Job):
        return Way.WORKER
    if who.path.startswith(reverse("admin:index")):
        return Way.ADMIN
    return Way.API if is_for_programs(who) else Way.PAGE


def named(subject: Model | str) -> dict[str, str]:
    if isinstance(subject, str):
        return {"subject": subject[:200]}
    return {
        "kind": str(subject._meta.verbose_name),
        "subject_id": str(subject.pk)[:50],
        # Of a token: how it begins, not its hash.
        "subject": str(getattr(subject, "token_key", subject))[:200],
    }


def system_user() -> str:
    try:
        return getpass.getuser()[:150]
    except (OSError, KeyError, ImportError):  # a container may know no name for it
        return "a command"
