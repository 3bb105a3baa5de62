"""What is wrong with the settings of logins; tradelog/checks.py runs these with its own."""

from collections.abc import Callable, Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning


def tries_problems() -> Iterator[CheckMessage]:
    for name in ("LOGIN_TRIES", "LOGIN_TRIES_PER_ADDRESS", "LOCK_MINUTES", "SESSION_HOURS"):
        if getattr(settings, f"TRADELOG_{name}") < 1:
            yield Error(
                f"TRADELOG_{name} is no whole number above 0; nobody could log in.",
                hint="Give a whole number, or remove the setting for its default.",
                id="tradelog.E020",
            )


def proxies_problems() -> Iterator[CheckMessage]:
    if settings.TRADELOG_PROXIES is None:
        yield Error(
            "TRADELOG_PROXIES is no whole number.",
            hint="Give the number of web servers in front of this one, or 0.",
            id="tradelog.E021",
        )


def shared_address_problems() -> Iterator[CheckMessage]:
    if settings.HTTPS and settings.TRADELOG_PROXIES == 0:
        yield Warning(
            "All clients would seem to have the address of the web server in front: one who "
            "mistypes a password too often would lock out all.",
            hint="Set TRADELOG_PROXIES to the number of web servers in front, usually 1.",
            id="tradelog.W005",
        )


CHECKS: tuple[Callable[[], Iterator[CheckMessage]], ...] = (
    tries_problems,
    proxies_problems,
    shared_address_problems,
)
