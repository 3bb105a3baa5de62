"""The newest imports, whatever their type, as a part of the page of recurring jobs."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from imports.badges import import_badge
from imports.models import ImportExecutionLog
from imports.tables import rights

NEWEST = 20


def newest_imports(request: HttpRequest) -> SafeString:
    logs = list(ImportExecutionLog.objects.all()[:NEWEST])
    context = {
        "imports": [(log, import_badge(log)) for log in logs],
        "is_active": any(log.changes_soon for log in logs),
        "may": rights(request.user),
    }
    return render_to_string("imports/newest.html", context, request)
