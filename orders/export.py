"""The open orders that fit the filters, as CSV."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from django.db.models import QuerySet

from orders.building import FIELDS
from orders.models import OpenOrder
from trades.models import plain
from web.formulas import neutral

SLICE = 500  # orders
GONE = "The rest is missing: the orders were renewed meanwhile. Export them again."


def as_csv(orders: QuerySet[OpenOrder]) -> Iterator[str]:
    """Slice by slice, with the byte order mark by which spreadsheets know UTF-8.

    Only the numbers of the orders are kept in memory. Moments are in UTC.
    """
    yield "\ufeff" + lines([list(FIELDS)])
    keys = list(orders.values_list("pk", flat=True))
    for start in range(0, len(keys), SLICE):
        wanted = keys[start : start + SLICE]
        found = OpenOrder.objects.in_bulk(wanted)
        yield lines([cells(found[key]) for key in wanted if key in found])
        if len(found) < len(wanted):
            yield lines([[GONE]])
            return


def cells(order: OpenOrder) -> list[str]:
    return [cell(getattr(order, name)) for name in FIELDS]


def cell(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return neutral(str(value or ""))


def lines(rows: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()
