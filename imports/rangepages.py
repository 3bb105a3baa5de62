"""The page that asks a source for the executions of some days."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from imports.background import start_import
from imports.daterange import MOST_DAYS, has_source, receive_range, zone_of_source
from imports.fetching import NO_SOURCE
from imports.forms import DateRangeForm
from imports.states import StateConflict
from joblogs.states import Trigger
from web.shell import page_for, shell

ASK = page_for("imports.add_importexecutionlog")


@ASK
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Two dates; the import of the days between them tells what becomes of each."""
    form = DateRangeForm(request.POST if request.method == "POST" else None)
    conflict = "" if has_source() else NO_SOURCE
    if form.is_valid():
        try:
            return asked(request, form)
        except StateConflict as problem:
            conflict = str(problem)
    context = {
        "title": "Import days",
        "form": form,
        "conflict": conflict,
        "zone": zone_of_source(),
        "most": MOST_DAYS,
    }
    status = 409 if conflict and form.is_bound else 200
    return render(request, "imports/date_range.html", shell(request, **context), status=status)


def asked(request: HttpRequest, form: DateRangeForm) -> HttpResponse:
    log = receive_range(**days_of(form), user=request.user)
    start_import(log, Trigger.MANUAL, request.user)
    messages.success(request, f"{log.file_name} is asked for.")
    return redirect(log)


def days_of(form: DateRangeForm) -> dict[str, object]:
    return {"start": form.cleaned_data["start_date"], "end": form.cleaned_data["end_date"]}
