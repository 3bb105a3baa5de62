"""Pages of a long list, whose rows nobody counts to the end."""

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

from web.numbers import whole_number

FAR = 10_000  # rows behind the page that are counted
FARTHEST_PAGE = 1_000_000


class BoundedPaginator(Paginator):
    """Counts no further than `reach` rows."""

    def __init__(self, found: QuerySet, per_page: int, reach: int) -> None:
        super().__init__(found, per_page)
        self.reach = reach

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by()[: self.reach].count()

    @property
    def is_cut(self) -> bool:
        """Whether there may be more than were counted."""
        return self.count == self.reach


def bounded_page(found: QuerySet, per_page: int, asked: str) -> Page:
    """The page of that number; the first if it is none, the last if there are not so many."""
    number = min(whole_number(asked) or 1, FARTHEST_PAGE)
    return BoundedPaginator(found, per_page, number * per_page + FAR).get_page(number)
