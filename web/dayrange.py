"""A filter by days in the admin, both ends included."""

from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from unfold.contrib.filters.admin import RangeDateFilter


class DayRangeFilter(RangeDateFilter):
    """From the beginning of one day to the end of another, in the zone of the pages.

    The shell's own filter takes the last day's midnight for its end and so leaves that day out.
    """

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        first = day(self.used_parameters.get(f"{self.parameter_name}_from"))
        last = day(self.used_parameters.get(f"{self.parameter_name}_to"))
        if first:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": beginning(first)})
        if last:
            end = beginning(last + timedelta(days=1))
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": end})
        return queryset


def day(text: str | None) -> date | None:
    """The day that a text names; what is no day, or one that no clock reaches, filters nothing."""
    try:
        found = parse_date(text or "")
    except ValueError:
        return None
    return found if found and MINYEAR < found.year < MAXYEAR else None


def beginning(of: date) -> datetime:
    return timezone.make_aware(datetime.combine(of, time.min))
