"""Ask for the executions of a range of days: what may be asked for, and the import of it."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone

from imports.days import as_json, days_between
from imports.fetching import NO_SOURCE
from imports.formats.source_executions import FORMAT
from imports.models import ImportExecutionLog
from imports.moments import EARLIEST_YEAR
from imports.states import StateConflict
from imports.storing import Wishes, new_import, save_new
from sources.configured import executions
from sources.reading import SourceError

MOST_DAYS = 30
USUAL_DAYS = 7


def problem_of(start: date, end: date) -> tuple[str, str] | None:
    """The field and the sentence, if such a range cannot be asked for."""
    if start.year < EARLIEST_YEAR:
        return "start_date", f"{start} is too far away; the first day is {EARLIEST_YEAR}-01-01."
    if end < start:
        return "end_date", f"{end} is before {start}, the start date."
    count = (end - start).days + 1
    if count > MOST_DAYS:
        return "end_date", f"{start} to {end} are {count:,} days; at most {MOST_DAYS} fit."
    if end > today():
        return "end_date", f"{end} has not begun in {zone_of_source()}, the zone of the source."
    return None


def usual_range() -> tuple[date, date]:
    """The last days, today included."""
    end = today()
    return end - timedelta(days=USUAL_DAYS - 1), end


def today() -> date:
    """The day that it is where the source is."""
    return timezone.localdate(timezone=ZoneInfo(zone_of_source()))


def zone_of_source() -> str:
    try:
        source = executions()
    except SourceError:  # the import itself says what is wrong
        source = None
    return source.timezone if source else settings.TIME_ZONE


def has_source() -> bool:
    """Whether one is set up; that it can be read, only an import finds out."""
    try:
        return executions() is not None
    except SourceError:
        return True


def receive_range(
    start: date, end: date, user: AbstractBaseUser | None = None
) -> ImportExecutionLog:
    """A queued import of these days. Raises StateConflict if there is no source to ask."""
    if not has_source():
        raise StateConflict(NO_SOURCE)
    wishes = Wishes(
        timezone=zone_of_source(),
        format=FORMAT.name,
        import_type=ImportExecutionLog.Type.DATE_RANGE,
        user=user,
    )
    log = new_import(f"executions-{words_for(start, end)}.csv", wishes)
    log.days = as_json(days_between(start, end))
    save_new(log)
    return log


def words_for(start: date, end: date) -> str:
    return str(start) if start == end else f"{start}-to-{end}"
