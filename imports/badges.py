"""The colours and icons of the states of imports, of their lines and of their days."""

from django.utils.safestring import SafeString

from imports.days import Day, DayStatus
from imports.models import ImportExecutionLog, ImportRowLog
from imports.states import RowStatus, Status
from web.badges import Badge

OF_IMPORTS = {
    Status.QUEUED: Badge("plain", "hourglass_empty"),
    Status.RUNNING: Badge("info", "autorenew"),
    Status.SUCCESS: Badge("success", "check_circle"),
    Status.PARTIAL: Badge("warning", "error"),
    Status.FAILED: Badge("danger", "cancel"),
    Status.CANCELLED: Badge("plain", "block"),
    Status.ROLLING_BACK: Badge("info", "undo"),
    Status.ROLLED_BACK: Badge("plain", "undo"),
}
OF_ROWS = {
    RowStatus.SUCCESS: Badge("success", "check_circle"),
    RowStatus.FAILED: Badge("danger", "cancel"),
    RowStatus.SKIPPED: Badge("plain", "content_copy"),
}
OF_DAYS = {
    DayStatus.WAITING: Badge("plain", "hourglass_empty"),
    DayStatus.DONE: Badge("success", "check_circle"),
    DayStatus.FAILED: Badge("danger", "cancel"),
}


def import_badge(log: ImportExecutionLog) -> SafeString:
    return OF_IMPORTS[Status(log.status)].html(log.get_status_display())


def row_badge(row: ImportRowLog) -> SafeString:
    return OF_ROWS[RowStatus(row.status)].html(row.get_status_display())


def day_badge(day: Day) -> SafeString:
    return OF_DAYS[DayStatus(day.status)].html(day.label)
