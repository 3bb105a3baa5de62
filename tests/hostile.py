"""What nobody should send: texts for every place that takes one, and every place there is."""

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from inspect import getsource, unwrap
from random import Random
from types import ModuleType

from django.conf import settings
from django.contrib.admin import site
from django.urls import URLPattern, URLResolver, get_resolver
from django_filters import FilterSet

TEXTS = [
    "",
    "0",
    "-1",
    "1.5",
    "1e999999999",
    "NaN",
    "9" * 18,
    str(2**63),
    "-" + "9" * 30,
    "9" * 5_000,
    "²",
    "\u0661",  # a digit, and decimal
    "\0",
    "a\0b",
    "\r\nX: y",
    "\u202e\u2066",
    "\U0001f4c8",
    "x" * 5_000,
    "%",
    "_\\",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "../../../etc/passwd",
    "..\\..\\con",
    "[]",
    "{}",
    "[" * 5_000,
    "None",
    "0000-00-00",
    "0001-01-01",
    "9999-12-31",
    "2026-02-30",
    "2026-01-01T00:00:00Z",
]
RAW = ["%FF%FE", "%ED%A0%80", "%", "%u0000", "%2e%2e%2f%2e%2e%2f"]  # in an address, as they stand
ASKED_EVERYWHERE = ["page", "per_page", "after", "from", "sort_by", "sort_order"]
ASKED_IN_ADMIN = ["p", "q", "o", "all", "e", "_facets", "_changelist_filters"]
ASKED = re.compile(r'\.(?:GET|query_params|POST)\.get(?:list)?\(\s*"(\w+)"')
PART = re.compile(r"<(?:\w+:)?(\w+)>")


def addresses() -> Iterator[tuple[str, ModuleType]]:
    """Every address, with <id> where it has a part, and the module of what answers there."""
    yield from below(get_resolver().url_patterns, "/")


def below(
    patterns: Iterable[URLPattern | URLResolver], start: str
) -> Iterator[tuple[str, ModuleType]]:
    for one in patterns:
        address = start + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from below(one.url_patterns, address)
        elif "(?P" not in address and "^" not in address:
            yield PART.sub(r"<\1>", address), module_of(one)


def module_of(pattern: URLPattern) -> ModuleType:
    view = pattern.callback
    view = getattr(view, "cls", None) or getattr(view, "view_class", None) or unwrap(view)
    return import_module(view.__module__)


def is_ours(module: ModuleType) -> bool:
    return module.__name__.partition(".")[0] in {*settings.ROOMS, "tradelog"}


def asked_by(address: str, module: ModuleType) -> list[str]:
    """The parameters that an address may look at."""
    if address.startswith("/admin/"):
        return [*ASKED_IN_ADMIN, *admin_filters(address)]
    filters = [one for one in vars(module).values() if is_filter_set(one)]
    named = {name for one in filters for name in one.get_filters()}
    found = set(ASKED.findall(getsource(module))) if is_ours(module) else set()
    return [*ASKED_EVERYWHERE, *sorted(named | found)]


def is_filter_set(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, FilterSet)


def admin_filters(address: str) -> Iterator[str]:
    for model, admin in site._registry.items():
        if address == f"/admin/{model._meta.app_label}/{model._meta.model_name}/":
            for one in admin.list_filter:
                name = one[0] if isinstance(one, tuple) else getattr(one, "parameter_name", one)
                if isinstance(name, str):
                    yield from (name + end for end in ("", "__exact", "__id__exact", "__isnull"))
                    yield from (name + end for end in ("__gte", "__lt", "_from", "_to"))


def some(of: Iterable, most: int, seed: str) -> list:
    """So many of them, always the same, or all if they are no more."""
    every = list(of)
    return Random(seed).sample(every, min(most, len(every)))
