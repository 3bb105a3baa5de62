"""Doors of the admin: look at an import, upload files, fetch the bytes of an import."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin

from imports.actions import tell_received
from imports.background import IMPORT, ROLLBACK, start_import
from imports.badges import import_badge, row_badge
from imports.dialect import in_words
from imports.formats import all_formats, normal
from imports.forms import UploadForm
from imports.models import ImportExecutionLog
from imports.rowpages import row_page
from imports.states import RowStatus, Status
from imports.storing import Wishes, receive
from joblogs.models import JobLog
from joblogs.states import Trigger
from web.downloads import download

JOBS_SHOWN = 5


@dataclass(frozen=True)
class Progress:
    """So many of so many; `words` says what of."""

    done: int
    most: int
    words: str


def import_detail(request: HttpRequest, object_id: str, model_admin: ModelAdmin) -> HttpResponse:
    """One import: its outcome, its lines by the page, its file and its run."""
    log = model_admin.get_object(request, object_id)
    if log is None:
        raise Http404("There is no such import.")
    if not model_admin.has_view_permission(request, log):
        raise PermissionDenied
    page = row_page(log, request.GET.get("rows", ""), request.GET.get("from", ""))
    for row in page.rows:
        row.badge = row_badge(row)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "title": log.file_name,
        "object": log,
        "log": log,
        "badge": import_badge(log),
        "format": all_formats().get(log.format),
        "columns": ", ".join(name for name in log.header if name),
        "reading": in_words(log.dialect) if log.dialect else "",
        "row_page": page,
        "row_choices": row_choices(log),
        "is_stored": bool(log.file_hash) and log.stored_path.exists(),
        "has_ids": has_ids(log),
        "can_retry": model_admin.has_retry_permission(request)
        and (log.can_be_retried or log.waits_long),
        "job_logs": job_logs_of(log) if request.user.has_perm("joblogs.view_joblog") else (),
        "can_cancel": model_admin.has_cancel_permission(request) and log.can_be_cancelled,
        "progress": progress(log),
        "waits_long": log.waits_long,
        "can_roll_back": model_admin.has_roll_back_permission(request) and log.can_be_rolled_back,
    }
    return TemplateResponse(request, "imports/detail.html", context)


def job_logs_of(log: ImportExecutionLog) -> QuerySet[JobLog]:
    """The newest runs that worked on it in the background."""
    return JobLog.objects.filter(job__in=[IMPORT, ROLLBACK], subject_id=log.pk).order_by("-pk")[
        :JOBS_SHOWN
    ]


def progress(log: ImportExecutionLog) -> Progress | None:
    """How far an import or its rollback is; None if nothing is going on."""
    if log.status == Status.ROLLING_BACK:
        left = log.ledger_rows.count()
        return Progress(max(0, log.trades_created - left), log.trades_created, "trades are undone")
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


def import_uploaded(request: HttpRequest, wanted: dict[str, Any]) -> HttpResponse:
    wishes = Wishes(wanted["account"], wanted["timezone"], wanted["format"], user=request.user)
    logs = [receive(file, file.name, wishes) for file in wanted["files"]]
    for log in logs:
        start_import(log, Trigger.MANUAL)
        tell_received(request, log)
    listing = reverse("admin:imports_importexecutionlog_changelist")
    return HttpResponseRedirect(logs[0].get_absolute_url() if len(logs) == 1 else listing)


def stored_file(request: HttpRequest, import_id: int, model_admin: ModelAdmin) -> HttpResponseBase:
    """The bytes of an import as they were received; 404 if they are not stored here."""
    log = get_object_or_404(ImportExecutionLog, pk=import_id)
    if not model_admin.has_view_permission(request, log):
        raise PermissionDenied
    if not log.file_hash or not log.stored_path.exists():
        raise Http404(f"The bytes of {log.file_name} are not stored here.")
    return download(log.stored_path, log.file_name)
