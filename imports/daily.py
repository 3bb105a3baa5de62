"""Every day, the executions of the day before; days that were missed come with the next, once."""

import logging
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from imports.background import start_import
from imports.daterange import MOST_DAYS, has_source, receive_range, today, zone_of_source
from imports.days import read_days
from imports.models import ImportExecutionLog
from joblogs.states import Trigger

logger = logging.getLogger(__name__)

IMPORT_YESTERDAY = "import_yesterday"
EVERY = 60  # minutes; a look is cheap, and so the day is fetched soon after it has ended
SAMPLE = "examples/executions.csv"
LOOKED_AT = 200  # the newest imports of date ranges


def import_yesterday(_: int | None = None) -> dict[str, object]:
    """Queue an import of yesterday, and of the days before it that nobody has asked for."""
    due = days_due()
    if due is None:
        logger.info("Yesterday was asked for already, or no source of executions is set up.")
        return {"days": 0}
    log = receive_range(*due)
    start_import(log, Trigger.SCHEDULE)
    logger.info("%s is queued as import %s.", log.file_name, log.pk)
    return {"days": len(log.days), "import": log.pk}


def is_due() -> bool:
    return days_due() is not None


def days_due() -> tuple[date, date] | None:
    """The first and the last of those days, if there are any."""
    if not has_source() or is_sample():
        return None
    yesterday = today() - timedelta(days=1)
    asked = last_day_asked()
    first = asked + timedelta(days=1) if asked else yesterday
    first = max(first, yesterday - timedelta(days=MOST_DAYS - 1))
    return (first, yesterday) if first <= yesterday else None


def is_sample() -> bool:
    """The bundled executions are there to look at; nothing is added to them every day."""
    return settings.TRADELOG_SOURCES["EXECUTIONS"]["URL"] == SAMPLE


def last_day_asked() -> date | None:
    """The last day that an import has asked for when it was over: then nothing of it can lack."""
    zone = ZoneInfo(zone_of_source())
    imports = ImportExecutionLog.objects.filter(import_type=ImportExecutionLog.Type.DATE_RANGE)
    newest = imports.order_by("-queued_at").values_list("days", "queued_at")[:LOOKED_AT]
    whole = [
        date.fromisoformat(day.date)
        for days, queued_at in newest
        for day in read_days(days)
        if queued_at >= end_of(date.fromisoformat(day.date), zone)
    ]
    return max(whole, default=None)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, zone)
