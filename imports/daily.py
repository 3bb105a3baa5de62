"""Every day, the executions of the day before; days that were missed come with the next, once.

So do days of the last week that could not be had.
"""

import logging
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings

from imports.background import start_import
from imports.daterange import MOST_DAYS, has_source, receive_range, today, zone_of_source
from imports.days import DayStatus, read_days
from imports.models import ImportExecutionLog
from imports.states import ACTIVE, Status
from joblogs.states import Trigger

logger = logging.getLogger(__name__)

IMPORT_YESTERDAY = "import_yesterday"
EVERY = 60  # minutes; a look is cheap, and so the day is fetched soon after it has ended
SAMPLE = "examples/executions.csv"
TRIED_FOR = timedelta(days=7)  # a day that could not be had, with every day that follows
LOOKED_AT = 200  # the newest imports of date ranges


def import_yesterday(_: int | None = None) -> dict[str, object]:
    """Queue an import of yesterday, of days before it that nobody has asked for, or that failed."""
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
    known = {one.day for one in asked}
    begun = min(known, default=yesterday)
    days = (yesterday - timedelta(days=n) for n in range(MOST_DAYS))
    missed = [day for day in days if day >= begun and day not in known]
    if not missed:
        return None
    again = [day for day in days_failed(asked) if day > yesterday - TRIED_FOR]
    return min([*missed, *again]), yesterday


def is_sample() -> bool:
    """The bundled executions are there to look at; nothing is added to them every day."""
    return settings.TRADELOG_SOURCES["EXECUTIONS"]["URL"] == SAMPLE


class Asked(NamedTuple):
    """A day that an import has asked for, when it was over: then nothing of it can lack."""

    day: date
    status: str  # of the day
    of_import: str


def days_asked() -> list[Asked]:
    zone = ZoneInfo(zone_of_source())
    imports = ImportExecutionLog.objects.filter(import_type=ImportExecutionLog.Type.DATE_RANGE)
    newest = imports.order_by("-queued_at").values_list("days", "queued_at", "status")[:LOOKED_AT]
    return [
        Asked(day, one.status, status)
        for days, queued_at, status in newest
        for one in read_days(days)
        if queued_at >= end_of(day := date.fromisoformat(one.date), zone)
    ]


def days_failed(asked: list[Asked]) -> set[date]:
    """Those that no import has brought, behind the last day that a user has stopped or undone, or
    that an import is at: days between come along, and nobody wants those back.
    """
    failed = {one.day for one in asked if one.of_import in (Status.FAILED, Status.PARTIAL)}
    brought = {one.day for one in asked if one.status == DayStatus.DONE}
    left_alone = (*ACTIVE, Status.CANCELLED, Status.ROLLED_BACK)
    last = max((one.day for one in asked if one.of_import in left_alone), default=date.min)
    return {day for day in failed - brought if day > last}


def end_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, zone)
