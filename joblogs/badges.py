"""The colours and icons of a job log's states."""

from django.utils.safestring import SafeString

from joblogs.models import JobLog
from joblogs.states import Status
from web.badges import Badge

OF_JOBS = {
    Status.NEW: Badge("plain", "hourglass_empty"),
    Status.PROCESSING: Badge("info", "autorenew"),
    Status.SUCCESS: Badge("success", "check_circle"),
    Status.ERROR: Badge("danger", "cancel"),
}
# Of a recurring job's call that left no log, by whether it went well.
OF_LOOKS = {True: Badge("plain", "check"), False: Badge("danger", "cancel")}


def job_badge(log: JobLog) -> SafeString:
    return OF_JOBS[Status(log.status)].html(log.get_status_display())
