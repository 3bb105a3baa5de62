"""The first page of the admin: what positions brought, how imports and jobs go, what is amiss.

What is much to add up is asked for apart, so that the page is there at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from imports import outcomes as importing
from imports.background import start_import
from imports.models import ImportExecutionLog
from imports.sample import receive_sample
from joblogs import outcomes as working
from joblogs.states import Trigger
from tradelog.attention import concerns
from tradelog.dashboardform import DashboardForm
from trades.figures import chosen_positions
from trades.models import Trade
from trades.overview import overview, overview_rest
from web.periods import OWN_DAYS
from web.shell import is_by_script, shell

POSITIONS, REST, IMPORTS, JOBS = "positions", "rest", "imports", "jobs"
MAY_IMPORT = "imports.add_importexecutionlog"


@dataclass(frozen=True)
class Part:
    """A part of the page, for those with the `right`. What `found` gives is added up by `context`,
    at once if there are no more than `most` rows of it. An inner one belongs to another part."""

    title: str
    right: str
    template: str
    found: Callable[[DashboardForm], QuerySet]
    context: Callable[[HttpRequest, DashboardForm], dict[str, Any]]
    most: int = 10_000
    is_inner: bool = False


def positions_found(form: DashboardForm) -> QuerySet:
    return chosen_positions(form.found_period, [one.pk for one in form.cleaned_data["account"]])


def positions_context(request: HttpRequest, form: DashboardForm) -> dict[str, Any]:
    told = form.cleaned_data
    may_set_worth = request.user.has_perm("trades.change_instrument")
    context = overview(form.found_period, list(told["account"]), told["currency"], may_set_worth)
    if context.get("is_much"):
        context["later"] = asked_apart(REST, request, currency=context["code"])
    return context


def rest_context(request: HttpRequest, form: DashboardForm) -> dict[str, Any]:
    told = form.cleaned_data
    return overview_rest(form.found_period, list(told["account"]), told["currency"])


def imports_found(form: DashboardForm) -> QuerySet:
    names = [account.name for account in form.cleaned_data["account"]]
    return importing.imports_of(form.found_period, names)


def imports_context(request: HttpRequest, form: DashboardForm) -> dict[str, Any]:
    return importing.outcomes(imports_found(form))


def jobs_found(form: DashboardForm) -> QuerySet:
    return working.jobs_of(form.found_period)


def jobs_context(request: HttpRequest, form: DashboardForm) -> dict[str, Any]:
    return {"jobs": working.outcomes(jobs_found(form)), "bar": working.WIDTH}


PARTS = {
    POSITIONS: Part(
        "Profit and loss",
        "trades.view_position",
        "trades/overview.html",
        positions_found,
        positions_context,
    ),
    REST: Part(
        "Drawdown and instruments",
        "trades.view_position",
        "trades/overview_rest.html",
        positions_found,
        rest_context,
        is_inner=True,
    ),
    IMPORTS: Part(
        "Imports",
        "imports.view_importexecutionlog",
        "imports/outcomes.html",
        imports_found,
        imports_context,
    ),
    JOBS: Part(
        "Jobs",
        "joblogs.view_joblog",
        "joblogs/outcomes.html",
        jobs_found,
        jobs_context,
        most=20_000,
    ),
}


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the template of the admin's first page needs besides; the settings name this."""
    form = DashboardForm(request.GET)
    is_valid = form.is_valid()
    context |= {
        "title": "Dashboard",
        "form": form,
        "chosen_period": OWN_DAYS if form.has_own_days else request.GET.get("period", ""),
        "is_fresh": not ImportExecutionLog.objects.exists() and not Trade.objects.exists(),
        "may_import": request.user.has_perm(MAY_IMPORT),
        "concerns": concerns(request.user),
        "query": request.GET.urlencode(),
    }
    if is_valid:
        context |= {"period": form.found_period, "parts": parts(request, form)}
    return context


def parts(request: HttpRequest, form: DashboardForm) -> list[SafeString]:
    """Those that this user may see; what is too much for now as a place that asks for it."""
    return [
        rendered(name, request, form) if is_little(part, form) else asked_apart(name, request)
        for name, part in PARTS.items()
        if request.user.has_perm(part.right) and not part.is_inner
    ]


def is_little(part: Part, form: DashboardForm) -> bool:
    return part.found(form).values("pk")[: part.most + 1].count() <= part.most


def rendered(name: str, request: HttpRequest, form: DashboardForm) -> SafeString:
    part = PARTS[name]
    context = part.context(request, form) | {"period": form.found_period}
    return render_to_string(part.template, context, request)


def asked_apart(name: str, request: HttpRequest, **more: str) -> SafeString:
    query = request.GET.copy()
    for key, value in more.items():
        query[key] = value
    page = f"{reverse('dashboard-part', args=[name])}?{query.urlencode()}"
    context = {"name": name, "part": PARTS[name], "page": page}
    return render_to_string("admin/part_later.html", context, request)


@admin.site.admin_view
@require_GET
def part(request: HttpRequest, name: str) -> HttpResponse:
    """One part alone, for the page that asks for it; in the shell for who opens it by itself."""
    if name not in PARTS:
        raise Http404("There is no such part of the dashboard.")
    if not request.user.has_perm(PARTS[name].right):
        raise PermissionDenied
    form = DashboardForm(request.GET)
    if not form.is_valid():
        return HttpResponseRedirect(f"{reverse('admin:index')}?{request.GET.urlencode()}")
    shown = rendered(name, request, form)
    if is_by_script(request):
        return HttpResponse(shown)
    context = {"title": PARTS[name].title, "shown": shown, "query": request.GET.urlencode()}
    return render(request, "admin/part.html", shell(request, **context))


@admin.site.admin_view
@require_POST
def load_sample(request: HttpRequest) -> HttpResponse:
    """Take in the bundled file, so that there is something to look at."""
    if not request.user.has_perm(MAY_IMPORT):
        raise PermissionDenied
    log = receive_sample(request.user)
    start_import(log, Trigger.MANUAL, request.user)
    messages.success(request, f"{log.file_name} is being imported.")
    return HttpResponseRedirect(log.get_absolute_url())
