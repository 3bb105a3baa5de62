"""Retry and roll back several imports at once: first what would happen, then the deed."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from imports.console import outcome
from imports.models import ImportExecutionLog
from imports.retry import retry
from imports.rollback import preview, roll_back
from imports.running import run_import
from imports.states import StateConflict, Status

MOST_AT_ONCE = 500  # imports in one go

Deed = Callable[[HttpRequest, ImportExecutionLog], None]


class BulkActions:
    """The actions of the list of imports. A confirmation shows the sum of what will change."""

    actions = ["roll_back_selected", "retry_selected"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("imports.retry_import")

    def has_roll_back_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("imports.roll_back_import")

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
            "is_rollback": is_rollback,
            "able": able,
            "unable": [log for log in logs if log not in able],
            "failed_rows": sum(log.failed_rows for log in able),
            "known_rows": sum(log.success_rows + log.skipped_rows for log in able),
        }
        return TemplateResponse(request, "imports/confirm.html", context)


def first_of(request: HttpRequest, queryset: QuerySet) -> list[ImportExecutionLog]:
    """As many of the chosen imports as one request can do; the user is told of the rest."""
    logs = list(queryset[: MOST_AT_ONCE + 1])
    if len(logs) > MOST_AT_ONCE:
        messages.warning(request, f"Only the first {MOST_AT_ONCE} of the chosen imports are taken.")
    return logs[:MOST_AT_ONCE]


def for_each(request: HttpRequest, logs: list[ImportExecutionLog], deed: Deed) -> None:
    """Do it to each. One that is in the wrong state is told to the user and stops no other."""
    for log in logs:
        try:
            deed(request, log)
        except StateConflict as conflict:
            messages.warning(request, str(conflict))


def undo(request: HttpRequest, log: ImportExecutionLog) -> None:
    deleted = roll_back(log, request.user)
    messages.success(request, f"{log.file_name}: rolled back, {deleted:,} trades deleted.")


def again(request: HttpRequest, log: ImportExecutionLog) -> None:
    new = log if log.is_left_behind else retry(log, request.user)
    tell(request, run_import(new.pk) or new)


def tell(request: HttpRequest, log: ImportExecutionLog) -> None:
    """A message about how an import ended, coloured by its state."""
    levels = {Status.FAILED: messages.ERROR, Status.PARTIAL: messages.WARNING}
    messages.add_message(request, levels.get(log.status, messages.SUCCESS), outcome(log))
