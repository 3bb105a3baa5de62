"""The page of the recurring jobs: how each goes, its buttons, and what other rooms add."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from joblogs import recurring
from joblogs.badges import OF_LOOKS, job_badge
from joblogs.recurring import NoSuchJob, Recurring, StillRuns
from joblogs.sections import sections_for
from joblogs.states import Trigger
from joblogs.tables import outcome
from joblogs.views import SEE
from web.shell import page_for, shell

RUN = page_for("joblogs.run_job", by_password=True)
PAUSE = page_for("joblogs.pause_job", by_password=True)


@SEE
@require_GET
def scheduler(request: HttpRequest) -> HttpResponse:
    jobs = recurring.recurring()
    context = {
        "title": "Scheduler",
        "beat": recurring.beat(),
        "jobs": [(job, badge_of(job), words_of(job)) for job in jobs],
        "may_run": request.user.has_perm("joblogs.run_job"),
        "may_pause": request.user.has_perm("joblogs.pause_job"),
        "sections": sections_for(request),
    }
    return render(request, "joblogs/scheduler.html", shell(request, **context))


def badge_of(job: Recurring) -> SafeString | None:
    """Of its last outcome; None if it has never run."""
    if job.was_idle:
        return OF_LOOKS[job.look.success].html("Nothing to do" if job.look.success else "Error")
    return job_badge(job.log) if job.log else None


def words_of(job: Recurring) -> str:
    if job.was_idle:
        return "" if job.look.success else str(job.look.result).strip().splitlines()[-1]
    return outcome(job.log) if job.log else ""


@RUN
@require_POST
def run(request: HttpRequest, name: str) -> HttpResponse:
    def begin(name: str, user: AbstractBaseUser) -> None:
        recurring.run_now(name, user, Trigger.MANUAL)

    return do(request, name, begin, "{} will run as soon as a worker is free.")


@PAUSE
@require_POST
def pause(request: HttpRequest, name: str) -> HttpResponse:
    return do(request, name, recurring.pause, "{} is paused.")


@PAUSE
@require_POST
def resume(request: HttpRequest, name: str) -> HttpResponse:
    return do(request, name, recurring.resume, "{} is resumed.")


def do(
    request: HttpRequest,
    name: str,
    deed: Callable[[str, AbstractBaseUser], None],
    words: str,
) -> HttpResponse:
    try:
        deed(name, request.user)
    except NoSuchJob as problem:
        raise Http404(str(problem)) from None
    except StillRuns as conflict:
        messages.warning(request, str(conflict))
    else:
        messages.success(request, words.format(name))
    return HttpResponseRedirect(reverse("scheduler"))
