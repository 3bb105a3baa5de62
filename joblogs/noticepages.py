"""The page of the notices: what nobody has acknowledged yet, what became of each, and the past."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from joblogs.filters import NoticeFilters
from joblogs.models import Notice
from joblogs.notices import acknowledge, acknowledge_until
from joblogs.tables import NoticeTable
from web.bounded import bounded_page
from web.numbers import whole_number
from web.shell import is_by_script, page_for, shell

SEE = page_for("joblogs.view_notice", by_password=True)
ACKNOWLEDGE = page_for("joblogs.acknowledge_notice")
PER_PAGE = 25


@SEE
@require_GET
def notices(request: HttpRequest) -> HttpResponse:
    """The newest notices, or those that fit the filters. Scripts get no more than the list."""
    every = Notice.objects.select_related("acknowledged_by")
    filters = NoticeFilters(request.GET, queryset=every)
    found = filters.qs if filters.is_valid() else Notice.objects.none()
    page = bounded_page(found, PER_PAGE, request.GET.get("page", ""))
    newest = Notice.objects.order_by("-pk").first()
    context = {
        "title": "Notices",
        "filters": filters,
        "is_filtered": any(request.GET.get(name) for name in filters.filters),
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number),
        "table": NoticeTable(page.object_list),
        "newest": newest.pk if newest else 0,
        "has_open": Notice.objects.open().exists(),
        "may_acknowledge": request.user.has_perm("joblogs.acknowledge_notice"),
    }
    if is_by_script(request):
        return render(request, "joblogs/notices_list.html", context)
    return render(request, "joblogs/notices.html", shell(request, **context))


@ACKNOWLEDGE
@require_POST
def acknowledge_one(request: HttpRequest, pk: int) -> HttpResponse:
    notice = get_object_or_404(Notice, pk=pk)
    if acknowledge(notice, request.user):
        messages.success(request, f"Acknowledged: {notice.title}")
    else:
        messages.info(request, "Somebody has acknowledged it already.")
    return back(request)


@ACKNOWLEDGE
@require_POST
def acknowledge_seen(request: HttpRequest) -> HttpResponse:
    """All that there were when the page was made; what came since then stays."""
    number = acknowledge_until(whole_number(request.POST.get("newest", "")) or 0, request.user)
    messages.success(request, f"{number:,} acknowledged.")
    return back(request)


def back(request: HttpRequest) -> HttpResponse:
    """To the list as it was, with its page and filters."""
    page = request.POST.get("next", "")
    is_ours = page.startswith(reverse("notices")) and url_has_allowed_host_and_scheme(page, None)
    return HttpResponseRedirect(page if is_ours else reverse("notices"))
