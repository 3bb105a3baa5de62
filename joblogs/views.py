"""The pages of job logs: all of them, newest first, and each with its lines as they are written."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET
from unfold.admin import ModelAdmin

from joblogs.details import about, news
from joblogs.filters import JobLogFilters
from joblogs.models import JobLog
from joblogs.tables import JobLogTable
from web.bounded import bounded_page
from web.numbers import whole_number
from web.shell import is_by_script, page_for, shell

SEE = page_for("joblogs.view_joblog", by_password=True)
PER_PAGE = 25
OF_THE_LIST = ["page", *JobLogFilters.base_filters]  # parameters that a link to a log keeps


@SEE
@require_GET
def job_logs(request: HttpRequest) -> HttpResponse:
    """The newest job logs, or those that fit the filters. Scripts get no more than the list."""
    filters = JobLogFilters(request.GET, queryset=JobLog.objects.all())
    found = filters.qs if filters.is_valid() else JobLog.objects.none()
    page = bounded_page(found, PER_PAGE, request.GET.get("page", ""))
    context = {
        "title": "Job logs",
        "filters": filters,
        "is_filtered": any(request.GET.get(name) for name in filters.filters),
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number),
        "table": JobLogTable(page.object_list, query_of_list(request)),
    }
    if is_by_script(request):
        return render(request, "joblogs/list_logs.html", context)
    context["sees_orders"] = request.user.has_perm("orders.view_openorder")
    context["sees_queue"] = request.user.is_staff and request.user.has_module_perms("django_q")
    return render(request, "joblogs/list.html", shell(request, **context))


@SEE
@require_GET
def job_log(request: HttpRequest, pk: int) -> HttpResponse:
    """How a job goes, or went, with its lines by the page."""
    log = get_object_or_404(JobLog.objects.select_related("asked_by"), pk=pk)
    context = about(log, request) | {"query": query_of_list(request)}
    return render(request, "joblogs/page.html", shell(request, **context))


@SEE
@require_GET
def lines(request: HttpRequest, pk: int) -> HttpResponse:
    """What is new since a line, for the page that shows the job while it runs."""
    log = JobLog.objects.select_related("asked_by").filter(pk=pk).first()
    if log is None:  # as of a run that found nothing to do
        return render(request, "joblogs/gone.html")
    after, shown = (whole_number(request.GET.get(name, "")) or 0 for name in ("after", "shown"))
    context = news(log, after, shown)
    response = render(request, "joblogs/news.html", context)
    if context["is_anew"]:
        response["HX-Retarget"] = "#lines"
    return response


def query_of_list(request: HttpRequest) -> str:
    """The page and the filters of the list, as they stand in the address."""
    query = request.GET.copy()
    for name in {*query} - {*OF_THE_LIST}:
        del query[name]
    return query.urlencode()


def job_detail(request: HttpRequest, object_id: str, model_admin: ModelAdmin) -> HttpResponse:
    """The same in the admin."""
    log = model_admin.get_object(request, object_id)
    if log is None:
        raise Http404("There is no such job log.")
    if not model_admin.has_view_permission(request, log):
        raise PermissionDenied
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "object": log,
        **about(log, request),
    }
    return TemplateResponse(request, "joblogs/detail.html", context)
