"""The pages of the templates of batches: all of them, make one, change one, delete one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from batches.control import delete_template
from batches.executors import EXECUTORS
from batches.forms import SureForm, TemplateForm
from batches.models import BatchTemplate
from batches.tables import rights
from web.shell import is_by_script, page_for, shell

SEE = page_for("batches.view_batchtemplate")
ADD = page_for("batches.add_batchtemplate")
CHANGE = page_for("batches.change_batchtemplate")
DELETE = page_for("batches.delete_batchtemplate")
REFUSED = 400


@SEE
@require_GET
def templates(request: HttpRequest) -> HttpResponse:
    """All of them, by name."""
    found = BatchTemplate.objects.select_related("created_by")
    context = {
        "title": "Templates of batches",
        "templates": [(one, EXECUTORS.get(one.executor)) for one in found],
        "may": rights(request.user),
    }
    return render(request, "batches/templates.html", shell(request, **context))


@ADD
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    return edited(request, BatchTemplate(created_by=request.user), "New template")


@CHANGE
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    template = get_object_or_404(BatchTemplate, pk=pk)
    return edited(request, template, f"Template {template.name}")


def edited(request: HttpRequest, template: BatchTemplate, title: str) -> HttpResponse:
    """Its form; sent, the template as it says."""
    sent = [request.POST] if request.method == "POST" else []
    form = TemplateForm(*sent, template=template)
    if form.is_valid():
        saved = form.save()
        messages.success(request, f"The template {saved.name} is kept.")
        return redirect("batch-templates")
    page = shell(request, title=title, form=form)
    return render(request, "batches/template.html", page, status=REFUSED if sent else 200)


@DELETE
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask first; batches that were made from it stay."""
    template = get_object_or_404(BatchTemplate, pk=pk)
    form = SureForm(*[request.POST] if request.method == "POST" else [])
    if form.is_valid():
        delete_template(template)
        messages.success(request, f"The template {template.name} is deleted.")
        return redirect("batch-templates")
    context = {"title": "Delete a template", "template": template, "form": form}
    if is_by_script(request):
        return render(request, "batches/template_delete_form.html", context)
    return render(request, "batches/template_delete.html", shell(request, **context))
