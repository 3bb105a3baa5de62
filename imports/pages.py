"""The page of all imports: filters, table, what opens under a row, and the upload of files.

Each address is a page by itself; a script that asks gets the part that it shows.
"""

from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from imports.actions import tell_received
from imports.chart import chart
from imports.filters import SORTS, ImportFilters
from imports.forms import UploadForm
from imports.kin import Kin
from imports.models import ImportExecutionLog
from imports.rowpages import row_page
from imports.states import RowStatus, Status
from imports.statistics import statistics
from imports.summary import outcome
from imports.tables import ImportTable, rights
from imports.views import mend_rows, take_uploaded
from trades.models import Account
from web.durations import duration_in_words
from web.shell import is_by_script, page_for, shell

SEE = page_for("imports.view_importexecutionlog")
UPLOAD = page_for("imports.add_importexecutionlog")
PER_PAGE = (25, 10, 50, 100)  # the first unless told otherwise
ACCOUNTS_OFFERED = 200
TABS = [
    ("rows", "Row logs"),
    ("errors", "Validation errors"),
    ("performance", "Performance"),
]


@dataclass(frozen=True)
class Heading:
    """Of a column. `order` is how the list is sorted by it now, `next` what a click asks for."""

    name: str
    title: str
    order: str = ""
    next: str = ""


@SEE
@require_GET
def import_logs(request: HttpRequest) -> HttpResponse:
    """The newest imports, or those that fit the filters. Scripts get no more than the list."""
    filters = ImportFilters(request.GET, queryset=ImportExecutionLog.objects.all())
    found = filters.qs if filters.is_valid() else ImportExecutionLog.objects.none()
    page = Paginator(found, per_page(request)).get_page(request.GET.get("page"))
    table = ImportTable(page.object_list, request.user)
    context = {
        "filters": filters,
        "is_filtered": any(name not in ("sort_by", "sort_order") for name in used(filters)),
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number),
        "per_page": page.paginator.per_page,
        "table": table,
        "headings": headings(table, *filters.order),
        "may": table.may,
    }
    if is_by_script(request):
        return render(request, "imports/list_imports.html", context)
    return render(request, "imports/list.html", whole_page(request, context))


def whole_page(request: HttpRequest, context: dict[str, object]) -> dict[str, object]:
    context |= {
        "title": "Import logs",
        "per_page_choices": sorted(PER_PAGE),
        **numbers(),
        "accounts": Account.objects.values_list("name", flat=True)[:ACCOUNTS_OFFERED],
        "upload": upload_context() if context["may"]["upload"] else None,
    }
    return shell(request, **context)


def numbers() -> dict[str, object]:
    """The statistics, with the words for them."""
    found = statistics()
    return {
        "statistics": found,
        "by_status": [(one, one.label, found.by_status[one]) for one in Status],
        "by_type": [(one, one.label, found.by_type[one]) for one in ImportExecutionLog.Type],
        "average_time": duration_in_words(found.average_time_ms),
        "chart": chart(found.by_day),
    }


def used(filters: ImportFilters) -> list[str]:
    """The parameters that say something."""
    return [name for name in filters.filters if filters.data.get(name)]


def per_page(request: HttpRequest) -> int:
    asked = request.GET.get("per_page", "")
    return next((number for number in PER_PAGE if str(number) == asked), PER_PAGE[0])


def headings(table: ImportTable, sorted_by: str, order: str) -> list[Heading]:
    found = []
    for column in table.columns:
        if column.name not in SORTS:
            found.append(Heading(column.name, column.header))
        elif column.name == sorted_by:
            other = "asc" if order == "desc" else "desc"
            found.append(Heading(column.name, column.header, order, other))
        else:
            found.append(Heading(column.name, column.header, "", "desc"))
    return found


# --- What opens under a row


@SEE
@require_GET
def rows(request: HttpRequest, pk: int) -> HttpResponse:
    """The lines of the file, in its order."""
    log = get_object_or_404(ImportExecutionLog, pk=pk)
    page = row_page(log, "", request.GET.get("from", ""))
    mend_rows(Kin(log), page, may_retry=False)
    return opened(request, log, "rows", page=page)


@SEE
@require_GET
def errors(request: HttpRequest, pk: int) -> HttpResponse:
    """The lines that failed, each with all that is wrong with it."""
    log = get_object_or_404(ImportExecutionLog, pk=pk)
    page = row_page(log, RowStatus.FAILED, request.GET.get("from", ""))
    mend_rows(Kin(log), page, rights(request.user)["retry"])
    return opened(request, log, "errors", page=page)


@SEE
@require_GET
def performance(request: HttpRequest, pk: int) -> HttpResponse:
    """When it ran, and how fast."""
    log = get_object_or_404(ImportExecutionLog, pk=pk)
    ms = log.processing_time_ms
    speed = round(1000 * log.total_rows / ms) if ms else None
    return opened(request, log, "performance", rows_per_second=speed)


def opened(
    request: HttpRequest, log: ImportExecutionLog, tab: str, **context: object
) -> HttpResponse:
    context |= {
        "log": log,
        "tab": tab,
        "address": reverse(f"import-{tab}", args=[log.pk]),
        "tabs": [(name, title, reverse(f"import-{name}", args=[log.pk])) for name, title in TABS],
        "see_trades": rights(request.user)["see_trades"],
        "content": f"imports/list_{tab}.html",
    }
    if is_by_script(request):
        return render(request, "imports/list_opened.html", context)
    page = shell(request, title=f"Import {log.pk}: {log.file_name}", **context)
    return render(request, "imports/list_opened_page.html", page)


# --- Upload


def upload_context() -> dict[str, object]:
    return {"form": UploadForm(), "zones": zones(), "zone": settings.TIME_ZONE}


@cache
def zones() -> list[str]:
    """Python looks through all the files of zones to know their names."""
    return sorted(available_timezones())


@UPLOAD
@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Take files and queue them. A script, which sends one at a time, is told what became of it."""
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return refused(request, form)
    logs = take_uploaded(request.user, form.cleaned_data)
    if is_by_script(request):
        return JsonResponse({"imports": [told(log) for log in logs]}, status=202)
    for log in logs:
        tell_received(request, log)
    return HttpResponseRedirect(reverse("import-logs"))


def told(log: ImportExecutionLog) -> dict[str, object]:
    words = "received, will be imported" if log.is_active else outcome(log)
    url = reverse("import-detail", args=[log.pk])
    return {"id": log.pk, "url": url, "is_received": log.is_active, "words": words}


def refused(request: HttpRequest, form: UploadForm) -> HttpResponse:
    problems = [
        f"{form[name].label}: {problem}" for name, found in form.errors.items() for problem in found
    ]
    if is_by_script(request):
        return JsonResponse({"errors": problems}, status=400)
    for problem in problems:
        messages.error(request, problem)
    return HttpResponseRedirect(reverse("import-logs"))
