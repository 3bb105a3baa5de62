"""What can be done to a batch: start, cancel, retry, roll back…

Each has an address: to look at it says what would happen, and does nothing; to send it does it. A
script gets the form alone, and shows it over its page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from batches import control
from batches.about import possible
from batches.answers import NOT_BOOKED, VERIFY
from batches.badges import batch_badge
from batches.forms import PriorityForm, SureForm
from batches.models import Batch, BatchTrade
from batches.states import StateConflict, TradeStatus
from trades.models import Trade
from web.shell import Page, is_by_script, page_for, shell

CONFLICT = 409
# What the message of a trade says that failed, and may have been executed all the same.
IN_DOUBT = Q(error_message__icontains=VERIFY) | Q(error_message__startswith=NOT_BOOKED)


@dataclass(frozen=True)
class Deed:
    """`verb` stands on its button, `done` is told afterwards; `do` gets what the form says."""

    name: str
    permission: str
    verb: str
    icon: str
    done: str
    do: Callable[[Batch, AbstractBaseUser, dict[str, Any]], object]
    form: type[forms.Form] = forms.Form
    tone: str = "tl-primary"
    busy: str = "Working…"


DEEDS = (
    Deed(
        "start",
        "start_batch",
        "Start",
        "play_arrow",
        "has been started.",
        lambda batch, user, form: control.start(batch, user),
    ),
    Deed(
        "cancel",
        "cancel_batch",
        "Cancel the batch",
        "block",
        "is cancelled, or will be as soon as what runs is finished.",
        lambda batch, user, form: control.cancel(batch, user),
        tone="tl-danger",
    ),
    Deed(
        "retry",
        "retry_batch",
        "Retry",
        "replay",
        "tries again what had failed.",
        lambda batch, user, form: control.retry(batch, user),
    ),
    Deed(
        "priority",
        "start_batch",
        "Change the priority",
        "low_priority",
        "has its new priority.",
        lambda batch, user, form: control.set_priority(batch, form["priority"], user),
        form=PriorityForm,
    ),
    Deed(
        "undo",
        "undo_batch",
        "Roll back",
        "undo",
        "is being rolled back.",
        lambda batch, user, form: control.undo(batch, user),
        form=SureForm,
        tone="tl-danger",
    ),
    Deed(
        "archive",
        "archive_batch",
        "Archive",
        "archive",
        "is in the archive now.",
        lambda batch, user, form: control.archive(batch, user),
    ),
    Deed(
        "unarchive",
        "archive_batch",
        "Take out of the archive",
        "unarchive",
        "is out of the archive.",
        lambda batch, user, form: control.unarchive(batch, user),
    ),
    Deed(
        "delete",
        "delete_batch",
        "Delete",
        "delete",
        "is deleted; its trades stay.",
        lambda batch, user, form: control.delete(batch, user),
        form=SureForm,
        tone="tl-danger",
    ),
)


def page_of(deed: Deed) -> Page:
    """The page of a deed, for those who may do it."""

    @page_for(f"batches.{deed.permission}")
    @require_http_methods(["GET", "POST"])
    def page(request: HttpRequest, pk: int) -> HttpResponse:
        batch = get_object_or_404(Batch, pk=pk)
        sent = [request.POST] if request.method == "POST" else []
        form, conflict = deed.form(*sent, initial={"priority": batch.priority}), ""
        if form.is_valid():
            try:
                return done(request, deed, batch, form)
            except StateConflict as problem:
                conflict = str(problem)
        elif not possible(batch, request.user)[deed.name]:
            conflict = f"{batch.name} is in no state for this."
        return asked(request, deed, batch, form=form, conflict=conflict)

    return page


def done(request: HttpRequest, deed: Deed, batch: Batch, form: forms.Form) -> HttpResponse:
    """Do it, say so, and lead to what there is to see now. Raises StateConflict."""
    deed.do(batch, request.user, form.cleaned_data)
    messages.success(request, f"{batch.name} {deed.done}")
    return redirect(reverse("batches") if deed.name == "delete" else batch.get_absolute_url())


def asked(
    request: HttpRequest, deed: Deed, batch: Batch, *, form: forms.Form, conflict: str
) -> HttpResponse:
    """Say what the deed would do, or why it cannot be done."""
    context = {
        "title": deed.verb,
        "deed": deed,
        "words": f"batches/sure_{deed.name}.html",
        "batch": batch,
        "badge": batch_badge(batch),
        "form": form,
        "conflict": conflict,
        "in_doubt": in_doubt(batch) if deed.name == "retry" else 0,
        "lost": what_goes(batch) if deed.name == "undo" else {},
        "address": reverse(f"batch-{deed.name}", args=[batch.pk]),
    }
    if is_by_script(request):
        return render(request, "batches/sure_form.html", context)
    page = shell(request, **context)
    return render(request, "batches/sure.html", page, status=CONFLICT if conflict else 200)


def in_doubt(*batches: Batch) -> int:
    """How many failed trades may have been executed: only the broker knows."""
    failed = BatchTrade.objects.filter(batch__in=batches, status=TradeStatus.FAILED)
    return failed.filter(IN_DOUBT).count()


def what_goes(batch: Batch) -> dict[str, int]:
    """What a rollback takes out of the log: of the trades of the batch, those that still exist."""
    return Trade.objects.filter(batch=batch).aggregate(
        trades=Count("pk"),
        with_notes=Count("pk", filter=~Q(notes="")),
        reviewed=Count("pk", filter=Q(reviewed=True)),
    )
