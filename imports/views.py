"""The page of one import, its downloads, and the admin's form for files."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_GET
from unfold.admin import ModelAdmin

from imports.actions import tell_received
from imports.background import IMPORT, ROLLBACK, start_import
from imports.badges import day_badge, import_badge, row_badge
from imports.correcting import corrections, count_corrected, tried, why_never
from imports.days import read_days
from imports.details import RELATIVES, counts
from imports.dialect import in_words
from imports.export import DOWNLOADS, download_of
from imports.fetching import is_to_be_fetched
from imports.formats import all_formats, normal
from imports.forms import UploadForm
from imports.kin import Kin
from imports.models import ImportedExecution, ImportExecutionLog
from imports.retry import days_missing
from imports.rollback import restored_by
from imports.rowpages import RowPage, row_page
from imports.states import Category, RowStatus, Status
from imports.storing import Wishes, receive
from imports.tables import rights
from joblogs.models import JobLog
from joblogs.states import Trigger
from web.downloads import download
from web.durations import duration_in_words
from web.shell import page_for, shell

SEE = page_for("imports.view_importexecutionlog")
JOBS_SHOWN = 5
COUNTED_AT_ONCE = 10_000  # lines; of a larger import, what must be counted is asked for apart


@dataclass(frozen=True)
class Progress:
    """So many of so many; `words` says what of."""

    done: int
    most: int
    words: str


@SEE
@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One import: its outcome, its lines by the page, its relatives, its file and its run."""
    log = get_object_or_404(ImportExecutionLog, pk=pk)
    asked = [request.GET.get(name, "") for name in ("rows", "from")]
    page = row_page(log, *asked, category=request.GET.get("category", ""))
    may = rights(request.user)
    kin = Kin(log)
    mend_rows(kin, page, may["retry"])
    context = {
        "title": f"Import {log.pk}: {log.file_name}",
        "log": log,
        "badge": import_badge(log),
        "corrected": count_corrected(kin),
        "row_page": page,
        "row_choices": row_choices(log),
        "categories": [one for one in Category if one != Category.DUPLICATE],
        "may": may,
        "progress": progress(log),
        "waits_long": log.waits_long,
        "can_retry": may["retry"] and (log.can_be_retried or log.waits_long),
        "can_cancel": may["cancel"] and log.can_be_cancelled,
        "can_roll_back": may["roll_back"] and log.can_be_rolled_back,
        "is_stored": bool(log.file_hash) and log.stored_path.exists(),
        "family": list(kin.members.values())[:RELATIVES],
        "counts": counts(log) if log.total_rows <= COUNTED_AT_ONCE else None,
        "days": [{**vars(day), "badge": day_badge(day)} for day in read_days(log.days)],
        **about_the_file(log),
        **about_the_run(log, request),
    }
    return render(request, "imports/detail.html", shell(request, **context))


@SEE
@require_GET
def counted(request: HttpRequest, pk: int) -> HttpResponse:
    """What must be counted of a large import; its page asks for it apart."""
    log = get_object_or_404(ImportExecutionLog, pk=pk)
    context = {"title": f"Import {log.pk}: {log.file_name}", "log": log, "counts": counts(log)}
    context["may"] = rights(request.user)
    return render(request, "imports/detail_counted.html", shell(request, **context))


def mend_rows(kin: Kin, page: RowPage, may_retry: bool) -> None:
    """Give each row its badge, its correction if there is one, and whether it can be corrected."""
    failed = [row for row in page.rows if row.status == RowStatus.FAILED]
    lines = [row.row_number for row in failed]
    before, corrected = (tried(kin), corrections(kin, lines)) if lines else ({}, {})
    for row in page.rows:
        row.badge = row_badge(row)
        row.is_mended = row.row_number in corrected
        row.correction = corrected.get(row.row_number) or before.get(row.row_number)
        row.can_be_corrected = may_retry and not row.is_mended and not why_never(kin.log, row)


def about_the_file(log: ImportExecutionLog) -> dict[str, object]:
    # There is one way only to read a backup.
    is_told = log.dialect and log.import_type != ImportExecutionLog.Type.BACKUP
    return {
        "format": all_formats().get(log.format),
        "columns": ", ".join(name for name in log.header if name),
        "reading": in_words(log.dialect) if is_told else "",
        "has_ids": has_ids(log),
        "restored": len(restored_by(log)),
    }


def about_the_run(log: ImportExecutionLog, request: HttpRequest) -> dict[str, object]:
    """How long it waited and how fast it was, with the newest runs that worked on it."""
    wait = log.started_at - log.queued_at if log.started_at else None
    ms = log.processing_time_ms
    jobs = JobLog.objects.filter(job__in=[IMPORT, ROLLBACK], subject_id=log.pk).order_by("-pk")
    is_shown = request.user.has_perm("joblogs.view_joblog")
    return {
        "waited": duration_in_words(round(wait.total_seconds() * 1000)) if wait else None,
        "rows_per_second": round(1000 * log.total_rows / ms) if ms and log.total_rows else None,
        "job_logs": jobs[:JOBS_SHOWN] if is_shown else (),
    }


def progress(log: ImportExecutionLog) -> Progress | None:
    """How far an import or its rollback is; None if nothing is going on."""
    if log.status == Status.ROLLING_BACK:
        left = ImportedExecution.objects.filter(import_log__in=[log.pk, *restored_by(log)]).count()
        return Progress(max(0, log.success_rows - left), log.success_rows, "trades are undone")
    if log.is_active and is_to_be_fetched(log):
        return Progress(len(log.days) - days_missing(log), len(log.days), "days are fetched")
    # The header is a line too, and a last line without a break may wait.
    most = max((log.line_count or 1) - 1, log.cursor)
    return Progress(log.cursor, most, "lines are done") if log.is_active else None


def has_ids(log: ImportExecutionLog) -> bool:
    """Whether the file has a column for the broker's id of a fill."""
    format_ = all_formats().get(log.format)
    columns = format_.columns if format_ else ()
    names = [name for column in columns if column.field == "native_id" for name in column.headings]
    return not {normal(name) for name in log.header}.isdisjoint(map(normal, names))


def row_choices(log: ImportExecutionLog) -> list[tuple[str, str, int]]:
    """The filters above the row logs: value, words, how many."""
    return [
        ("", "All lines", log.total_rows),
        (RowStatus.SUCCESS, RowStatus.SUCCESS.label, log.success_rows),
        (RowStatus.FAILED, RowStatus.FAILED.label, log.failed_rows),
        (RowStatus.SKIPPED, RowStatus.SKIPPED.label, log.skipped_rows),
    ]


# --- Downloads


@SEE
@require_GET
def exported(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The import as JSON or text, or its failed lines as CSV."""
    log = get_object_or_404(ImportExecutionLog, pk=pk)
    form = request.GET.get("format", "json")
    if form not in DOWNLOADS:
        raise Http404(f"There is no such form; expected one of {', '.join(DOWNLOADS)}.")
    return download_of(log, form)


@SEE
@require_GET
def stored_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The bytes of an import as they were received; 404 if they are not stored here."""
    log = get_object_or_404(ImportExecutionLog, pk=pk)
    if not log.file_hash or not log.stored_path.exists():
        raise Http404(f"The bytes of {log.file_name} are not stored here.")
    return download(log.stored_path, log.file_name)


# --- Upload in the admin


def upload(request: HttpRequest, model_admin: ModelAdmin) -> HttpResponse:
    """Take files from a form and import them."""
    if not model_admin.has_add_permission(request):
        raise PermissionDenied
    form = UploadForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        return import_uploaded(request, form.cleaned_data)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "title": "Import files",
        "form": form,
        "zones": sorted(available_timezones()),
    }
    return TemplateResponse(request, "imports/upload.html", context)


def take_uploaded(user: AbstractBaseUser, wanted: dict[str, Any]) -> list[ImportExecutionLog]:
    """Store the files of a form and queue their imports."""
    wishes = Wishes(wanted["account"], wanted["timezone"], wanted["format"], user=user)
    logs = [receive(file, file.name, wishes) for file in wanted["files"]]
    for log in logs:
        start_import(log, Trigger.MANUAL, user)
    return logs


def import_uploaded(request: HttpRequest, wanted: dict[str, Any]) -> HttpResponse:
    logs = take_uploaded(request.user, wanted)
    for log in logs:
        tell_received(request, log)
    listing = reverse("import-logs")
    return HttpResponseRedirect(logs[0].get_absolute_url() if len(logs) == 1 else listing)
