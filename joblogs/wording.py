"""What may be written down: texts and results that every database takes, without secrets."""

import math
from collections.abc import Mapping

from joblogs.masking import MASK, mask, names_a_secret
from joblogs.models import LONGEST_MESSAGE

NUL = "\N{SYMBOL FOR NULL}"
DEEPEST = 10  # levels of a result


def worded(text: str) -> str:
    """A text without secrets, NUL and half characters, at most LONGEST_MESSAGE long."""
    # What is too long by far is not worth a search for secrets; what is left of it is searched.
    text = text if len(text) <= 4 * LONGEST_MESSAGE else cut(text, 4 * LONGEST_MESSAGE)
    return cut(mask(storable(text)), LONGEST_MESSAGE)


def storable(text: str) -> str:
    return text.replace("\0", NUL).encode("utf-8", "backslashreplace").decode("utf-8")


def cut(text: str, longest: int) -> str:
    """The beginning and the end of a text that is too long: a cause stands at either."""
    if len(text) <= longest:
        return text
    mark = f" … [cut: {len(text):,} characters] … "
    kept = longest - len(mark)
    end = kept // 3
    return text[: kept - end] + mark + text[-end:]


def as_json(value: object, depth: int = 0) -> object:
    """A value as JSON that every database takes; what JSON has no word for becomes a text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth < DEEPEST and isinstance(value, Mapping):
        return {worded(str(name)): under(str(name), one, depth) for name, one in value.items()}
    if depth < DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [as_json(one, depth + 1) for one in value]
    return worded(value.isoformat() if hasattr(value, "isoformat") else str(value))


def under(name: str, value: object, depth: int) -> object:
    return MASK if names_a_secret(name) else as_json(value, depth + 1)
