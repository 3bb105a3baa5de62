"""Cancel, retry and archive several batches at once: first what would happen, then the deed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from batches import control
from batches.deeds import in_doubt
from batches.models import Batch
from batches.states import StateConflict
from batches.tables import rights
from web.bulk import first_of


@dataclass(frozen=True)
class BulkDeed:
    """`verb` stands on the button, `done` is told afterwards; `can`: whether it is possible."""

    action: str
    verb: str
    done: str
    do: Callable[..., Batch]
    can: Callable[[Batch], bool]
    tone: str = "tl-primary"


CANCEL = BulkDeed(
    "cancel_selected",
    "Cancel",
    "cancelled",
    control.cancel,
    lambda batch: batch.can_be_cancelled,
    tone="tl-danger",
)
RETRY = BulkDeed(
    "retry_selected", "Retry", "retried", control.retry, lambda batch: batch.can_be_retried
)


class BulkActions:
    """The actions of the list of batches."""

    actions = ["cancel_selected", "retry_selected", "archive_selected"]

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return rights(request.user)["cancel"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return rights(request.user)["retry"]

    def has_archive_permission(self, request: HttpRequest) -> bool:
        return rights(request.user)["archive"]

    @admin.action(description="Cancel…", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return self.asked_first(request, first_of(request, queryset), CANCEL)

    @admin.action(description="Retry what failed…", permissions=["retry"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return self.asked_first(request, first_of(request, queryset), RETRY)

    @admin.action(description="Archive", permissions=["archive"])
    def archive_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        for_each(request, first_of(request, queryset), control.archive, "archived")

    def asked_first(
        self, request: HttpRequest, batches: list[Batch], deed: BulkDeed
    ) -> HttpResponse | None:
        """The page that says what would become of those that can; confirmed, do it."""
        if "confirmed" in request.POST:
            for_each(request, batches, deed.do, deed.done)
            return None
        able = [batch for batch in batches if deed.can(batch)]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": f"{deed.verb} batches",
            **{name: getattr(deed, name) for name in ("action", "verb", "done", "tone")},
            "able": able,
            "unable": [batch for batch in batches if batch not in able],
            "waiting": sum(batch.pending_trades for batch in able),
            "again": sum(batch.failed_trades + batch.cancelled_trades for batch in able),
            "in_doubt": in_doubt(*able) if deed is RETRY else 0,
        }
        return TemplateResponse(request, "batches/confirm.html", context)


def for_each(
    request: HttpRequest, batches: Sequence[Batch], do: Callable[..., Batch], done: str
) -> None:
    """Do it to each. One that is in the wrong state is told to the user and stops no other."""
    changed = 0
    for batch in batches:
        try:
            do(batch, request.user)
            changed += 1
        except StateConflict as conflict:
            messages.warning(request, str(conflict))
    if changed:
        messages.success(request, f"{changed:,} batch{'es' if changed > 1 else ''} {done}.")
