"""The page of a job log: how it ended, its lines by the page, its run."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin

from joblogs.badges import job_badge
from joblogs.linepages import line_page
from joblogs.models import JobLog
from joblogs.registry import JOBS


def job_detail(request: HttpRequest, object_id: str, model_admin: ModelAdmin) -> HttpResponse:
    log = model_admin.get_object(request, object_id)
    if log is None:
        raise Http404("There is no such job log.")
    if not model_admin.has_view_permission(request, log):
        raise PermissionDenied
    before, after = request.GET.get("before", ""), request.GET.get("after", "")
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "title": f"{log.job} {log.name}",
        "object": log,
        "log": log,
        "badge": job_badge(log),
        "page": line_page(log, before=before, after=after),
        "subject_page": subject_page(log),
        "is_newest": not (before or after),
    }
    return TemplateResponse(request, "joblogs/detail.html", context)


def subject_page(log: JobLog) -> str:
    """Where to look at what the job is about; '' if nowhere."""
    job = JOBS.get(log.job)
    known = job is not None and job.page and log.subject_id is not None
    return reverse(job.page, args=[log.subject_id]) if known else ""
