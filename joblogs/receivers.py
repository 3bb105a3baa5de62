"""Where notices are sent: the addresses of TRADELOG_NOTIFY_URLS, as Apprise understands them.

They carry passwords and tokens. So nobody is ever shown an address, and of what Apprise says of a
delivery, which may name one, only the kind of its reason is kept.
"""

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac

# What Apprise writes when a message surely did not get through; {} is the number of an answer.
SURELY_NOT = [
    (re.compile(r"error=(?!504)(\d{3})\b"), "it answered {}"),
    (re.compile(r"refused", re.I), "the connection was refused"),
    (re.compile(r"connect ?timeout", re.I), "it cannot be reached in time"),
    (re.compile(r"resolve|getaddrinfo|name or service not known", re.I), "its host is not found"),
    (re.compile(r"unreachable|no route", re.I), "its host cannot be reached"),
    (re.compile(r"certificate|SSLError|WRONG_VERSION", re.I), "there is no trusted connection"),
    (re.compile(r"SMTPAuthentication|SMTPRecipients|\(5\d\d,"), "the mail server refused it"),
]
# And when it may have.
PERHAPS = re.compile(r"error=504|timed? ?out|abort|reset|closed|broken|incomplete|unhandled", re.I)


@dataclass(frozen=True)
class Answer:
    """Of a receiver. `is_certain`: nobody need fear that the message arrived all the same."""

    is_taken: bool
    reason: str = ""
    is_certain: bool = True


@dataclass(frozen=True)
class Receiver:
    """One address; `number` is its place in the setting, from 1."""

    number: int
    address: str

    def __repr__(self) -> str:
        return f"<Receiver {self.number}>"

    @property
    def mark(self) -> str:
        """By which a notice remembers that it was reached; it says nothing of the address."""
        return salted_hmac("joblogs.receivers", self.address).hexdigest()[:16]

    @cached_property
    def service(self) -> Any:
        """Apprise's object for the address; None if it does not understand it."""
        with listening_to_apprise():
            return apprise().Apprise.instantiate(self.address, suppress_exceptions=True)

    @property
    def title(self) -> str:
        """JSON, E-Mail…; never a part of the address."""
        name = self.service.service_name if self.service else "not understood"
        return f"receiver {self.number} ({name})"

    def send(self, title: str, text: str, level: str) -> Answer:
        """Send a text without marks of its own. Ends by itself: Apprise waits 4 s for an answer."""
        if self.service is None:
            return Answer(False, "Apprise does not understand its address")
        kinds = {"warning": "warning", "error": "failure"}
        with listening_to_apprise() as said:
            one = apprise().Apprise(self.service)
            told = {"title": title, "body": text or title, "body_format": "text"}
            if one.notify(**told, notify_type=kinds.get(level, "info")):
                return Answer(True)
        return refusal("\n".join(said))


def receivers() -> list[Receiver]:
    """All that the settings name, in their order."""
    return [Receiver(number, one) for number, one in enumerate(settings.TRADELOG_NOTIFY_URLS, 1)]


def misunderstood() -> list[int]:
    """The places of the addresses that Apprise does not understand, from 1."""
    return [one.number for one in receivers() if one.service is None]


def refusal(said: str) -> Answer:
    """Why a message was not taken, from all that Apprise wrote on the way."""
    for pattern, words in SURELY_NOT:
        if found := pattern.search(said):
            return Answer(False, words.format(*found.groups()))
    if PERHAPS.search(said):
        return Answer(False, "its answer was lost", is_certain=False)
    return Answer(False, "it did not take the message")


def apprise() -> ModuleType:
    """Loaded when it is first needed: that takes a second, which most processes can spare."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of modules that it tries in vain
        return import_module("apprise")


class Ear(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.said = said

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@contextmanager
def listening_to_apprise() -> Iterator[list[str]]:
    """All that it logs, which goes nowhere else: addresses may stand in it."""
    said: list[str] = []
    logger, ear = logging.getLogger("apprise"), Ear(said)
    level, propagate = logger.level, logger.propagate
    logger.addHandler(ear)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield said
    finally:
        logger.removeHandler(ear)
        logger.setLevel(level)
        logger.propagate = propagate
