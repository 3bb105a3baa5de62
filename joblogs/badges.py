"""The colours and icons of a job log's states, and of notices."""

from django.utils.safestring import SafeString

from joblogs.models import JobLog, Notice
from joblogs.states import Delivery, Level, Status
from web.badges import Badge

OF_JOBS = {
    Status.NEW: Badge("plain", "hourglass_empty"),
    Status.PROCESSING: Badge("info", "autorenew"),
    Status.SUCCESS: Badge("success", "check_circle"),
    Status.ERROR: Badge("danger", "cancel"),
}
OF_LEVELS = {
    Level.INFO: Badge("info", "info"),
    Level.WARNING: Badge("warning", "warning"),
    Level.ERROR: Badge("danger", "error"),
}
OF_DELIVERIES = {
    Delivery.KEPT: Badge("plain", "inbox"),
    Delivery.WAITING: Badge("plain", "hourglass_empty"),
    Delivery.SENDING: Badge("info", "autorenew"),
    Delivery.SENT: Badge("success", "check_circle"),
    Delivery.FAILED: Badge("danger", "cancel"),
    Delivery.UNKNOWN: Badge("warning", "help"),
}
# Of a recurring job's call that left no log, by whether it went well.
OF_LOOKS = {True: Badge("plain", "check"), False: Badge("danger", "cancel")}


def job_badge(log: JobLog) -> SafeString:
    return OF_JOBS[Status(log.status)].html(log.get_status_display())


def level_badge(notice: Notice) -> SafeString:
    return OF_LEVELS[Level(notice.level)].html(notice.get_level_display())


def delivery_badge(notice: Notice) -> SafeString:
    return OF_DELIVERIES[Delivery(notice.delivery)].html(notice.get_delivery_display())
