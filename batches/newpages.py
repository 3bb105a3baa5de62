"""The page that makes a batch of a file, CSV or JSON: first what it would become, then the batch.

The browser keeps the file meanwhile. Whatever is changed, which column feeds which field above all,
is previewed again; nothing is written before the batch is asked for.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from batches.badges import staged_badge
from batches.control import start
from batches.fields import FIELDS, Field
from batches.files import is_json, preview_file, stage_file
from batches.forms import NewBatchForm
from batches.lines import StagedLine
from batches.mapping import Columns, StagingError, layout_of
from batches.models import Batch, BatchTemplate
from batches.reading import opened_text
from batches.staging import Preview
from batches.tables import rights
from trades.models import Trade, plain
from web.numbers import whole_number
from web.shell import is_by_script, page_for, shell

ADD = page_for("batches.add_batch")
REFUSED = 400
SHOWN = ("account", "instrument", "side", "quantity", "price", "executed_at")  # of a line


@dataclass(frozen=True)
class Mapped:
    """A field, the heading that feeds it ('' for none), and what stands in for an empty cell."""

    field: Field
    heading: str
    default: str


@dataclass(frozen=True)
class Look:
    """What a file would become, or the problem why it becomes nothing, and how it is read."""

    file_name: str
    problem: str = ""
    preview: Preview | None = None
    header: tuple[str, ...] = ()
    mapping: tuple[Mapped, ...] = ()

    @property
    def tables(self) -> list[tuple[str, list[dict[str, object]]]]:
        """The lines with errors and the first lines of all, each with its title."""
        if self.preview is None:
            return []
        found = [
            ("Lines with errors", self.preview.bad_lines),
            ("The first lines", self.preview.lines),
        ]
        return [(title, list(map(as_row, lines))) for title, lines in found if lines]


def as_row(line: StagedLine) -> dict[str, object]:
    """As a table shows it, with the state that it would have."""
    return {
        "row_number": line.row_number or line.sequence,
        "badge": staged_badge(is_good=not line.problems),
        "cells": [(FIELDS[name].label, shown(line, name)) for name in SHOWN],
        "message": line.message,
    }


def shown(line: StagedLine, name: str) -> object:
    """What was read of a field; what could not be read, as it was given."""
    value = line.values.get(name)
    if value is None:
        return line.raw.get(line.keys.get(name, ""), "")
    if isinstance(value, Decimal):
        return plain(value)
    return Trade.Side(value).label if name == "side" else value


@ADD
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A form for a file; sent, the batch of it, which is started if that was wished."""
    template = template_of(request)
    if request.method == "GET":
        return whole_page(request, NewBatchForm(template=template), template, look=None)
    form = NewBatchForm(request.POST, request.FILES, template=template)
    if not form.is_valid():
        return answer(request, form, template, look=None)
    try:
        batch = staged(request, form, template)
    except StagingError as problem:
        return answer(request, form, template, look_at(request, form, template, str(problem)))
    if is_by_script(request):
        return HttpResponse(headers={"HX-Redirect": batch.get_absolute_url()})
    return redirect(batch)


@ADD
@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """What the file of the form would become; nothing is written."""
    template = template_of(request)
    form = NewBatchForm(request.POST, request.FILES, template=template)
    look = look_at(request, form, template) if form.is_valid() else None
    return answer(request, form, template, look)


def template_of(request: HttpRequest) -> BatchTemplate | None:
    asked = request.GET.get("template") or request.POST.get("template") or ""
    return get_object_or_404(BatchTemplate, pk=whole_number(asked)) if asked else None


# --- What becomes of a file


def staged(request: HttpRequest, form: NewBatchForm, template: BatchTemplate | None) -> Batch:
    """The new batch, after its template is kept and its start is asked for. StagingError."""
    wanted = form.cleaned_data
    file, user = wanted["file"], request.user
    columns, defaults = mapping_of(request, file)
    said = {"columns": columns, "defaults": defaults}
    wishes = form.wishes | said | {"template": template, "user": user}
    # What was chosen says of each field where it stands, or that it stands nowhere.
    batch = stage_file(file, file_name=file.name, own_names=not columns, **wishes)
    if wanted["save_as"] and rights(user)["add_template"]:
        keep_as_template(request, form, **said)
    return begun(request, batch, is_wished=wanted["start"])


def begun(request: HttpRequest, batch: Batch, *, is_wished: bool) -> Batch:
    """Tell of a new batch, and start it if that is wished by one who may."""
    bad = f", {batch.failed_trades:,} of them with errors" if batch.failed_trades else ""
    number = f"{batch.total_trades:,} trade{'s are' if batch.total_trades > 1 else ' is'}"
    messages.success(request, f"{batch.name}: {number} staged{bad}.")
    may_start = is_wished and rights(request.user)["start"]
    return start(batch, request.user) if may_start else batch


def keep_as_template(request: HttpRequest, form: NewBatchForm, **said: dict[str, str]) -> None:
    wished = form.wishes | {"name": form.cleaned_data["save_as"]}
    del wished["timezone"]
    kept = {kind: {name: text for name, text in of.items() if text} for kind, of in said.items()}
    BatchTemplate.objects.create(created_by=request.user, **wished, **kept)


def mapping_of(request: HttpRequest, file: UploadedFile) -> tuple[dict[str, str], dict[str, str]]:
    """By field the chosen heading, and the default, as the form says of this very file.

    What was chosen for a file before it is forgotten: its headings are other ones.
    """
    if request.POST.get("mapped") != file.name:
        return {}, {}
    kinds = ("column", "default")
    columns, defaults = (
        {
            name: request.POST[f"{kind}.{name}"]
            for name in FIELDS
            if f"{kind}.{name}" in request.POST
        }
        for kind in kinds
    )
    return columns, defaults


def look_at(
    request: HttpRequest, form: NewBatchForm, template: BatchTemplate | None, problem: str = ""
) -> Look:
    """The file of a valid form, as it would be staged."""
    file = form.cleaned_data["file"]
    columns, defaults = mapping_of(request, file)
    wishes = form.wishes | {"template": template, "columns": columns, "defaults": defaults}
    found = None
    try:
        file.seek(0)
        found = preview_file(file, file_name=file.name, own_names=not columns, **wishes)
        header, fed = found.header, found.columns
    except StagingError as why:
        problem = problem or str(why)
        header = header_of(file)
        fed = Columns(columns).headings(header)
    template = template or BatchTemplate()
    columns, defaults = template.columns | fed | columns, template.defaults | defaults
    mapping = tuple(
        Mapped(field, columns.get(name, ""), defaults.get(name, ""))
        for name, field in FIELDS.items()
    )
    headings = tuple(dict.fromkeys(heading for heading in header if heading))
    return Look(file.name, problem, found, headings, mapping if headings else ())


def header_of(file: UploadedFile) -> list[str]:
    """The headings that there are to choose from, though the needed ones are not among them."""
    if is_json(file.name):
        return []
    nothing_needed = Columns(defaults={field.name: "-" for field in FIELDS.values()})
    file.seek(0)
    try:
        with opened_text(file, file.name) as text:
            return layout_of(text, nothing_needed).header
    except StagingError:
        return []


# --- The page


def answer(
    request: HttpRequest, form: NewBatchForm, template: BatchTemplate | None, look: Look | None
) -> HttpResponse:
    """A script gets the preview alone, or only what is wrong with the form."""
    if is_by_script(request):
        news = render(request, "batches/new_news.html", {"form": form, "look": look})
        if look is None:  # what is previewed, and what was chosen for it, stays
            news["HX-Reswap"] = "none"
        return news
    return whole_page(request, form, template, look)


def whole_page(
    request: HttpRequest, form: NewBatchForm, template: BatchTemplate | None, look: Look | None
) -> HttpResponse:
    context = {
        "title": "New batch",
        "form": form,
        "look": look,
        "template": template,
        "templates": BatchTemplate.objects.all(),
        "may": rights(request.user),
        "zones": zones(),
        "zone": settings.TIME_ZONE,
    }
    is_refused = bool(form.errors) or bool(look and look.problem)
    page = shell(request, **context)
    return render(request, "batches/new.html", page, status=REFUSED if is_refused else 200)


@cache
def zones() -> list[str]:
    """Python looks through all the files of zones to know their names."""
    return sorted(available_timezones())
