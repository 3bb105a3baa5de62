"""From a row of the source to an open order. What cannot be kept is a problem of the row."""

import json
from hashlib import blake2b

from orders.models import LONGEST_TEXT, OpenOrder, OpenOrderSnapshot
from sources.reading import Problem, Row

FIELDS = (
    "order_id",
    "account",
    "instrument",
    "side",
    "type",
    "time_in_force",
    "quantity",
    "filled",
    "remaining",
    "limit_price",
    "stop_price",
    "state",
    "submitted_at",
    "updated_at",
)
TEXTS = frozenset({*FIELDS[:6], "state"})


def checked(row: Row) -> Row:
    """The row, with texts that are too long for us among its problems."""
    texts = {name: value_of(row, name) for name in FIELDS if name in TEXTS}
    long = {name: text for name, text in texts.items() if len(text) > LONGEST_TEXT}
    more = [
        Problem(name, name, f"'{text[:40]}…' is longer than {LONGEST_TEXT} characters")
        for name, text in long.items()
    ]
    return row._replace(values=row.values | dict.fromkeys(long), problems=[*row.problems, *more])


def order_of(snapshot: OpenOrderSnapshot, row: Row) -> OpenOrder:
    values = {name: value_of(row, name) for name in FIELDS}
    problems = [as_json(problem, row) for problem in row.problems]
    return OpenOrder(
        snapshot=snapshot,
        number=row.number,
        key=digest([values["account"], values["order_id"]]),
        content=digest([*values.values(), problems]),
        problems=problems,
        **values,
    )


def value_of(row: Row, name: str) -> object:
    value = row.values.get(name)
    if name not in TEXTS:
        return value
    return "" if value is None else str(value)


def as_json(problem: Problem, row: Row) -> dict[str, str]:
    value = row.raw.get(problem.column, "")
    return {
        "field": problem.field,
        "column": problem.column,
        "value": value[:LONGEST_TEXT],
        "error": problem.error,
    }


def digest(values: list[object]) -> str:
    """The same 32 characters for the same values."""
    text = json.dumps(values, default=str, ensure_ascii=False)
    return blake2b(text.encode(errors="replace"), digest_size=16).hexdigest()
