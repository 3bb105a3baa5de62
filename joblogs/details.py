"""What is shown of a job log: how it goes, its lines by the page, its run."""

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from joblogs.badges import job_badge
from joblogs.linepages import LinePage, line_page
from joblogs.models import JobLog
from joblogs.registry import JOBS
from web.ages import days_ago

MOST_SHOWN = 1_000  # lines on a page that goes on by itself; then it begins anew


def is_old(log: JobLog) -> bool:
    """Whether its lines may have been deleted."""
    days = settings.TRADELOG_DELETE_JOB_LINES_DAYS
    return bool(days and log.finished_at and log.finished_at < days_ago(days))


def about(log: JobLog, request: HttpRequest) -> dict[str, object]:
    """For the templates; what the address asks for decides which lines."""
    before, after = request.GET.get("before", ""), request.GET.get("after", "")
    page = line_page(log, before=before, after=after)
    is_newest = not (before or after)
    return about_the_run(log) | {
        "page": page,
        "is_newest": is_newest,
        "is_old": is_old(log),
        "is_live": is_newest and log.is_active,
        "last": last_key(page),
        "shown": len(page.lines),
    }


def about_the_run(log: JobLog) -> dict[str, object]:
    return {
        "title": f"Job log {log.name}: {log.job}",
        "log": log,
        "badge": job_badge(log),
        "subject_page": subject_page(log),
    }


def news(log: JobLog, after: int, shown: int) -> dict[str, object]:
    """What was written behind a line, for a page that shows so many; all anew if it is too much.

    The log was read before its lines are: of one that has ended none is missed.
    """
    page = line_page(log, after=str(after))
    is_too_much = page.newer is not None or shown + len(page.lines) > MOST_SHOWN
    page = line_page(log) if is_too_much else page
    return about_the_run(log) | {
        "page": page,
        "is_newest": True,
        "is_live": log.is_active,
        "is_anew": is_too_much,
        "last": last_key(page) or after,
        "shown": len(page.lines) + (0 if is_too_much else shown),
    }


def last_key(page: LinePage) -> int:
    return page.lines[-1].pk if page.lines else 0


def subject_page(log: JobLog) -> str:
    """Where to look at what the job is about; '' if nowhere."""
    job = JOBS.get(log.job)
    known = job is not None and job.page and log.subject_id is not None
    return reverse(job.page, args=[log.subject_id]) if known else ""
