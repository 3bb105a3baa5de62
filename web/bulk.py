"""Several rows that were chosen in a list of the admin, to have something done to them."""

from typing import TypeVar

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest

MOST_AT_ONCE = 500  # rows in one go

Row = TypeVar("Row", bound=Model)


def first_of(request: HttpRequest, queryset: QuerySet[Row]) -> list[Row]:
    """As many of the chosen rows as one request can do; the user is told of the rest."""
    rows = list(queryset[: MOST_AT_ONCE + 1])
    if len(rows) > MOST_AT_ONCE:
        words = queryset.model._meta.verbose_name_plural
        messages.warning(request, f"Only the first {MOST_AT_ONCE} of the chosen {words} are taken.")
    return rows[:MOST_AT_ONCE]
