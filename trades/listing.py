"""What the lists of trades, positions and issues have in common: pages, headings, exports."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django_tables2 import Table

from trades.filters import ListFilters
from trades.models import Instrument
from web.bounded import bounded_page

PER_PAGE = (50, 10, 25, 100)  # the first unless told otherwise
OFFERED = 200  # symbols that the form knows
SLICE = 500  # rows of a download that are read at once
ORDER = ("sort_by", "sort_order")


@dataclass(frozen=True)
class Heading:
    """Of a column. `order` is how the list is sorted by it now, `next` what a click asks for."""

    name: str
    title: str
    order: str = ""
    next: str = ""


def page_of(request: HttpRequest, filters: ListFilters) -> Page:
    """The page that is asked for, of numbers; nothing if the filters cannot be used.

    What is not counted to the end is not sorted either, but for the time, of which there is an
    index: anything else would have the database put a million rows into order for one page.
    """
    found = filters.qs if filters.is_valid() else filters.queryset.none()
    page = page_of_keys(request, found)
    if page.paginator.is_cut and not filters.is_by_time:
        page = page_of_keys(request, filters.by_time(found))
    return page


def page_of_keys(request: HttpRequest, found: QuerySet) -> Page:
    keys = found.values_list("pk", flat=True)
    return bounded_page(keys, per_page(request), request.GET.get("page", ""))


def per_page(request: HttpRequest) -> int:
    asked = request.GET.get("per_page", "")
    return next((number for number in PER_PAGE if str(number) == asked), PER_PAGE[0])


def rows_of(every: QuerySet, keys: Iterable[int]) -> list[Any]:
    """The rows with these numbers, in their order, without those that are gone.

    Numbers are asked for first: with what belongs to it, a row is read for the page alone, and not
    for all that there are to sort.
    """
    wanted = list(keys)
    found = every.in_bulk(wanted)
    return [found[key] for key in wanted if key in found]


def in_slices(every: QuerySet, found: QuerySet) -> Iterator[list[Model]]:
    """All rows that were found, some hundred at a time; only their numbers are kept in memory."""
    keys = array("q", found.values_list("pk", flat=True).iterator())
    for start in range(0, len(keys), SLICE):
        yield rows_of(every, keys[start : start + SLICE])


def listing(filters: ListFilters, page: Page, table: Table) -> dict[str, object]:
    """What the templates of a list need."""
    return {
        "filters": filters,
        "is_filtered": any(filters.data.get(name) for name in filters.filters if name not in ORDER),
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number),
        "is_by_time_only": page.paginator.is_cut and bool(filters.sorts),
        "table": table,
        "headings": headings(table, filters, is_cut=page.paginator.is_cut),
        "query": filters.data.urlencode(),
    }


def offers(page: Page) -> dict[str, object]:
    """What the form above a list needs besides."""
    symbols = Instrument.objects.values_list("symbol", flat=True)
    return {
        "per_page": page.paginator.per_page,
        "per_page_choices": sorted(PER_PAGE),
        "instruments": symbols[:OFFERED],
    }


def headings(table: Table, filters: ListFilters, *, is_cut: bool) -> list[Heading]:
    """A click turns the order round, or begins with the largest; of too many, only by time."""
    sorted_by, order = filters.order if not is_cut else filters.order_by_time
    other = "asc" if order == "desc" else "desc"
    offered = filters.sorts if not is_cut else {*filters.sorts} & {filters.moment}
    found = []
    for column in table.columns:
        if column.name not in offered:
            found.append(Heading(column.name, column.header))
        elif column.name == sorted_by:
            found.append(Heading(column.name, column.header, order, other))
        else:
            found.append(Heading(column.name, column.header, "", "desc"))
    return found


def named(rights: Sequence[str], request: HttpRequest) -> dict[str, bool]:
    """Which of these rights the user has, by the name of the right without its room."""
    return {right.partition(".")[2]: request.user.has_perm(right) for right in rights}
