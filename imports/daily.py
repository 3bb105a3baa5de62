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
    """The first of those days and yesterday, if there are any.

    Days between that are known already come along; nothing of them is taken in twice.
    """
    if not has_source() or is_sample():
        return None
    yesterday, asked = today() - timedelta(days=1), days_asked()
    begun = min(asked, default=yesterday)
    days = (yesterday - timedelta(days=n) for n in range(MOST_DAYS))
    missed = [day for day in days if day >= begun and day not in asked]
    return (min(missed), yesterday) if missed else None


def is_sample() -> bool:
    """The bundled executions are there to look at; nothing is added to them every day."""
    return settings.TRADELOG_SOURCES["EXECUTIONS"]["URL"] == SAMPLE


def days_asked() -> set[date]:
    """The days that an import has asked for when they were over: then nothing of them can lack."""
    zone = ZoneInfo(zone_of_source())
    imports = ImportExecutionLog.objects.filter(import_type=ImportExecutionLog.Type.DATE_RANGE)
    newest = imports.order_by("-queued_at").values_list("days", "queued_at")[:LOOKED_AT]
    return {
        day
        for days, queued_at in newest
        for day in (date.fromisoformat(one.date) for one in read_days(days))
        if queued_at >= end_of(day, zone)
    }


def end_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, zone)
