"""JSON that others send, and JSON in a column of text."""

import json
from collections.abc import Callable
from typing import Any

from django.db import models

DEEPEST = 100  # lists and objects in each other; far fewer than Python can follow


def strict_json(text: str | bytes, **hooks: Callable[[str], Any]) -> Any:
    """What a text of JSON says; the hooks are those of `json.loads`.

    Raises ValueError for what is none, or nested deeper than anything of ours, or has an object
    with two values for one key, of which nobody knows which is meant.
    """
    try:
        found = json.loads(text, object_pairs_hook=said_once, **hooks)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    require_shallow(found)
    return found


def said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {ascii(twice[:60])} stands twice in one object")
    return found


def require_shallow(value: Any) -> None:
    """Raise ValueError for what is nested deeper than anything of ours."""
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in within(one)]
        if not level:
            return
    raise ValueError("it is nested too deeply")


def within(value: Any) -> list[Any]:
    """The lists and objects right inside of a value."""
    if not isinstance(value, list | dict):
        return []
    inner = value.values() if isinstance(value, dict) else value
    return [one for one in inner if isinstance(one, list | dict)]


class JSONTextField(models.TextField):
    """JSON kept as text.

    The database never looks inside, so it is spared the parsing that `jsonb` and SQLite's
    JSON check would do for every line of every file.
    """

    def from_db_value(self, value: str | None, *_: object) -> object:
        return None if value is None else json.loads(value)

    def get_prep_value(self, value: object) -> str | None:
        return None if value is None else self.encoded(value)

    encoded = staticmethod(json.JSONEncoder(ensure_ascii=False).encode)
