"""The page of what does not fit together in the fills, and what users say to it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from trades.filters import IssueFilters
from trades.forms import LONGEST_REASON, NO_REASON, ReasonForm
from trades.issues import KINDS, IssueQuerySet
from trades.listing import listing, offers, page_of, rows_of
from trades.models import IntegrityIssue
from trades.origins import every_issue
from trades.tables import IssueTable
from web.numbers import whole_number
from web.shell import is_by_script, page_for, shell

SEE = page_for("trades.view_integrityissue")
DISMISS = page_for("trades.view_integrityissue", "trades.dismiss_issue")
MOST_CHOSEN = 100  # there are no more on a page


@SEE
@require_GET
def issues(request: HttpRequest) -> HttpResponse:
    """The issues that stand, or those that fit the filters. Scripts get no more than the list."""
    filters = IssueFilters(request.GET, queryset=IntegrityIssue.objects.all())
    page = page_of(request, filters)
    # Of those that stand, it says nothing.
    exclude = () if request.GET.get("dismissed", "no") != "no" else ("state",)
    table = IssueTable(rows_of(every_issue(), page.object_list), request, exclude)
    context = listing(filters, page, table) | {"address": reverse("issues"), "noun": "issue"}
    context["may_dismiss"] = table.may["dismiss_issue"]
    context["longest_reason"] = LONGEST_REASON
    if is_by_script(request):
        return render(request, "trades/list_rows.html", context)
    context |= offers(page) | {"title": "Issues", "kinds": KINDS.values()}
    return render(request, "trades/issues.html", shell(request, **context))


@DISMISS
@require_POST
def dismiss(request: HttpRequest) -> HttpResponse:
    """Dismiss those that were chosen, with the reason that was given."""
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, NO_REASON)
        return back(request)
    count = chosen(request).dismiss(request.user, form.cleaned_data["reason"])
    if count:
        messages.success(request, f"{count} issue{'' if count == 1 else 's'} dismissed.")
    else:
        messages.warning(request, "Choose issues that are not dismissed yet.")
    return back(request)


@DISMISS
@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    """Take the dismissal of those that were chosen back."""
    count = chosen(request).restore()
    if count:
        messages.success(request, f"{count} issue{' is' if count == 1 else 's are'} back.")
    else:
        messages.warning(request, "Choose issues that are dismissed.")
    return back(request)


def chosen(request: HttpRequest) -> IssueQuerySet:
    keys = [whole_number(text) for text in request.POST.getlist("issue")[:MOST_CHOSEN]]
    return IntegrityIssue.objects.filter(pk__in=[key for key in keys if key], resolved_at=None)


def back(request: HttpRequest) -> HttpResponse:
    """To the list as it was, with its page and filters, or to the position."""
    page = request.POST.get("next", "")
    ours = (reverse("issues"), reverse("positions"))
    is_ours = page.startswith(ours) and url_has_allowed_host_and_scheme(page, None)
    return HttpResponseRedirect(page if is_ours else ours[0])
