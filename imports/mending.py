"""What can be done to one import: retry it, correct a line of it, cancel it, roll it back.

Each door is a page by itself; the form of the rollback is also a part that others show.
"""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.datastructures import MultiValueDict
from django.views.decorators.http import require_http_methods, require_POST

from imports.actions import again, stop, tell_received, undo
from imports.background import start_import
from imports.badges import import_badge
from imports.correctedfile import retry_corrected
from imports.correcting import correct, read_corrected, why_not
from imports.forms import CellsForm, ConfirmForm, CorrectedFileForm
from imports.kin import BeingRetried, Kin
from imports.lines import Line
from imports.models import ImportExecutionLog, ImportRowLog
from imports.retry import days_missing
from imports.rollback import preview
from imports.states import StateConflict, Status
from imports.summary import outcome
from joblogs.states import Trigger
from web.shell import is_by_script, page_for, shell

RETRY = page_for("imports.retry_import")
CANCEL = page_for("imports.cancel_import")
ROLL_BACK = page_for("imports.roll_back_import")
CONFLICT = 409


@RETRY
@require_http_methods(["GET", "POST"])
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Read the stored file again, or take a corrected one for it."""
    log = get_object_or_404(ImportExecutionLog, pk=pk)
    form, conflict = CorrectedFileForm(*sent(request)), ""
    if form.is_valid():
        try:
            return redirect(retried(request, log, form))
        except StateConflict as problem:
            conflict = str(problem)
    can_retry = log.can_be_retried or log.is_left_behind
    at_work = being_retried(log) if can_retry else ""
    is_stored = bool(log.file_hash) and log.stored_path.exists()
    context = {"title": "Retry", "log": log, "form": form, "conflict": conflict or at_work}
    context |= {"is_stored": is_stored, "badge": import_badge(log)}
    context |= {"can_retry": can_retry and not at_work, "days_missing": days_missing(log)}
    page = shell(request, **context)
    return render(request, "imports/detail_retry.html", page, status=CONFLICT if conflict else 200)


def being_retried(log: ImportExecutionLog) -> str:
    """What says so, if a retry has not ended yet."""
    try:
        Kin(log).require_no_retry()
    except BeingRetried as problem:
        return str(problem)
    return ""


def sent(request: HttpRequest) -> list[MultiValueDict]:
    """What a form was filled with, if it was sent; to look at it does nothing."""
    return [request.POST, request.FILES] if request.method == "POST" else []


def retried(
    request: HttpRequest, log: ImportExecutionLog, form: CorrectedFileForm
) -> ImportExecutionLog:
    file = form.cleaned_data["file"]
    if file is None:
        return again(request, log)
    new = retry_corrected(log, file, file.name, request.user)
    start_import(new, Trigger.MANUAL, request.user)
    tell_received(request, new)
    return new


@CANCEL
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    log = get_object_or_404(ImportExecutionLog, pk=pk)
    try:
        stop(request, log)
    except StateConflict as conflict:
        messages.warning(request, str(conflict))
    return redirect(log)


@ROLL_BACK
@require_http_methods(["GET", "POST"])
def roll_back(request: HttpRequest, pk: int) -> HttpResponse:
    """What a rollback would do; with the confirmation, the deed, which goes on in the background.

    A script gets the form alone.
    """
    log = get_object_or_404(ImportExecutionLog, pk=pk)
    form, conflict = ConfirmForm(*sent(request), log=log), ""
    if not log.can_be_rolled_back:
        conflict = f"{log.file_name} is {log.get_status_display().lower()}: nothing to roll back."
    elif form.is_valid():
        try:
            return redirect(undo(request, log))
        except StateConflict as problem:
            conflict = str(problem)
    context = {"log": log, "form": form, "conflict": conflict, "title": "Roll back"}
    context["effect"] = None if conflict else preview([log])
    if is_by_script(request):
        return render(request, "imports/detail_rollback_form.html", context)
    page = shell(request, **context)
    status = CONFLICT if conflict else 200
    return render(request, "imports/detail_rollback.html", page, status=status)


@RETRY
@require_http_methods(["GET", "POST"])
def correct_line(request: HttpRequest, pk: int, row: int) -> HttpResponse:
    """The cells of a failed line as a form; what can be read then is imported at once."""
    log = get_object_or_404(ImportExecutionLog, pk=pk)
    row_log = get_object_or_404(log.row_logs.select_related("import_log"), row_number=row)
    conflict, line = why_not(log, row_log), None
    form = CellsForm(*sent(request), log=log, row=row_log)
    if form.is_valid() and not conflict:
        line = read_corrected(log, row_log, form.cells)
        try:
            if line.execution:
                return redirect(corrected(request, row_log, line))
        except StateConflict as problem:
            conflict = str(problem)
    form.show_problems(row_log.validation_errors if line is None else problems_of(line))
    context = {"title": f"Correct line {row}", "log": log, "row": row_log, "form": form}
    page = shell(request, conflict=conflict, **context)
    status = CONFLICT if conflict and request.method == "POST" else 200
    return render(request, "imports/detail_correct.html", page, status=status)


def problems_of(line: Line) -> list[dict[str, str]]:
    return [problem.as_json() for problem in line.problems]


def corrected(request: HttpRequest, row: ImportRowLog, line: Line) -> ImportExecutionLog:
    """Import the line, and say what came of it; gives the import to look at."""
    new = correct(row, line, request.user)
    if new.status == Status.SUCCESS and new.success_rows:
        messages.success(request, f"Line {row.row_number} was corrected and taken in.")
        return row.import_log
    if new.status == Status.SUCCESS:
        words = "is known already, so nothing was taken in; its page says from where."
        messages.warning(request, f"The corrected line {row.row_number} {words}")
    elif new.is_active:
        messages.warning(request, f"Line {row.row_number} waits for a worker.")
    else:
        messages.error(request, outcome(new))
    return new
