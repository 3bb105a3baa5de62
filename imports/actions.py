"""Retry, roll back and cancel several imports at once: first what would happen, then the deed.

The deed itself is done in the background.
"""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from imports.background import start_import, start_rollback
from imports.cancel import cancel
from imports.models import ImportExecutionLog
from imports.retry import retry
from imports.rollback import preview
from imports.states import StateConflict
from imports.summary import outcome
from joblogs.states import Trigger
from web.bulk import first_of

# Gives the import to look at afterwards.
Deed = Callable[[HttpRequest, ImportExecutionLog], ImportExecutionLog]


class BulkActions:
    """The actions of the list of imports. A confirmation shows the sum of what will change."""

    actions = ["roll_back_selected", "retry_selected", "cancel_selected"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("imports.retry_import")

    def has_roll_back_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("imports.roll_back_import")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("imports.cancel_import")

    @admin.action(description="Roll back…", permissions=["roll_back"])
    def roll_back_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        logs = first_of(request, queryset)
        if "confirmed" in request.POST:
            return for_each(request, logs, undo)
        able = [log for log in logs if log.can_be_rolled_back]
        return self.confirmation(
            request, logs, able, action="roll_back_selected", effect=preview(able)
        )

    @admin.action(description="Retry…", permissions=["retry"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        logs = first_of(request, queryset)
        if "confirmed" in request.POST:
            return for_each(request, logs, again)
        able = [log for log in logs if log.can_be_retried or log.is_left_behind]
        return self.confirmation(request, logs, able, action="retry_selected")

    @admin.action(description="Cancel", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return for_each(request, first_of(request, queryset), stop)

    def confirmation(
        self,
        request: HttpRequest,
        logs: list[ImportExecutionLog],
        able: list[ImportExecutionLog],
        **context: object,
    ) -> HttpResponse:
        """The page that shows what the action would do to those that it can be done to."""
        is_rollback = context["action"] == "roll_back_selected"
        context |= {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": "Roll back imports" if is_rollback else "Retry imports",
            "verb": "Roll back" if is_rollback else "Retry",
            "done": "rolled back" if is_rollback else "retried",
            "tone": "tl-danger" if is_rollback else "tl-primary",
            "is_rollback": is_rollback,
            "able": able,
            "unable": [log for log in logs if log not in able],
            "failed_rows": sum(log.failed_rows for log in able),
            "known_rows": sum(log.success_rows + log.skipped_rows for log in able),
        }
        return TemplateResponse(request, "imports/confirm.html", context)


def for_each(
    request: HttpRequest, logs: list[ImportExecutionLog], deed: Deed
) -> HttpResponse | None:
    """Do it to each. One that is in the wrong state is told to the user and stops no other."""
    changed = []
    for log in logs:
        try:
            changed.append(deed(request, log))
        except StateConflict as conflict:
            messages.warning(request, str(conflict))
    alone = len(logs) == len(changed) == 1
    return HttpResponseRedirect(changed[0].get_absolute_url()) if alone else None


def undo(request: HttpRequest, log: ImportExecutionLog) -> ImportExecutionLog:
    start_rollback(log, request.user, Trigger.MANUAL)
    messages.success(request, f"{log.file_name} is being rolled back.")
    return log


def again(request: HttpRequest, log: ImportExecutionLog) -> ImportExecutionLog:
    new = log if log.is_left_behind else retry(log, request.user)
    start_import(new, Trigger.MANUAL, request.user)
    messages.success(request, f"{log.file_name} will be imported again.")
    return new


def stop(request: HttpRequest, log: ImportExecutionLog) -> ImportExecutionLog:
    cancel(log, request.user)
    messages.success(request, f"{log.file_name} was cancelled.")
    return log


def tell_received(request: HttpRequest, log: ImportExecutionLog) -> None:
    """A message about a file that has come in, or why it has not."""
    if log.is_active:
        messages.success(request, f"{log.file_name} has been received and will be imported.")
    else:
        messages.error(request, outcome(log))
