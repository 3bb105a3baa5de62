"""What somebody should look at now, whatever the filters of the dashboard say."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone

from imports.models import ImportExecutionLog
from imports.states import Status
from joblogs.findings import counted as exactly
from joblogs.reconciliations import Reconciliation
from joblogs.recurring import Recurring, beat, recurring
from joblogs.states import Status as JobStatus
from trades.models import Instrument, IntegrityIssue, Position

DAYS = 30  # a failed import from before that is of no interest any more
MOST = 100  # that are counted
NAMED = 5


@dataclass(frozen=True)
class Concern:
    """`words` say it; `links` are (address, words) of what it is about, `more` that there are more.

    A grave one is trouble already, another will be.
    """

    words: str
    links: list[tuple[str, str]] = field(default_factory=list)
    more: bool = False
    is_grave: bool = True


def concerns(user: AbstractBaseUser) -> list[Concern]:
    """Of what this user may see, the gravest first."""
    found = [one for right, look in LOOKS if user.has_perm(right) for one in look(user)]
    return sorted(found, key=lambda one: not one.is_grave)


def imports_that_failed(user: AbstractBaseUser) -> Iterator[Concern]:
    """In the last days, with no retry since."""
    since = timezone.now() - timedelta(days=DAYS)
    again = ImportExecutionLog.objects.filter(retry_of=OuterRef("pk"))
    logs = ImportExecutionLog.objects.filter(~Exists(again), queued_at__gte=since)
    for status, words in ((Status.FAILED, "failed"), (Status.PARTIAL, "took in only a part")):
        found = list(logs.filter(status=status)[:MOST])
        if found:
            links = [(log.get_absolute_url(), log.file_name) for log in found[:NAMED]]
            number = counted(len(found), "import")
            sentence = f"{number} of the last {DAYS} days {words}, with no retry since"
            yield Concern(sentence, links, len(found) > NAMED, status == Status.FAILED)


def jobs_in_trouble(user: AbstractBaseUser) -> Iterator[Concern]:
    page = reverse("scheduler")
    if beat().is_silent:
        yield Concern("Nothing works on the queue: no worker runs", [(page, "Scheduler")])
    jobs = recurring()
    late = [job for job in jobs if job.is_late]
    if late:
        yield Concern(f"{counted(len(late), 'recurring job')} late", links_of(late, page))
    failed = [job for job in jobs if job.outcome == JobStatus.ERROR]
    if failed:
        sentence = f"{counted(len(failed), 'recurring job')} failed at the last run"
        yield Concern(sentence, links_of(failed, page))


def differences(user: AbstractBaseUser) -> Iterator[Concern]:
    """What the last check of all that is kept has found."""
    last = Reconciliation.objects.exclude(finished_at=None).first()
    if last is not None and last.differences:
        number = exactly(last.differences, "difference")
        words = (
            f"The last check of what is kept found {number}; manage.py reconcile --fix mends most"
        )
        yield Concern(words, [(reverse("notices"), "Notices")])


def links_of(jobs: list[Recurring], page: str) -> list[tuple[str, str]]:
    return [(f"{page}#schedule-{job.name}", job.name) for job in jobs]


def unknown_worth(user: AbstractBaseUser) -> Iterator[Concern]:
    """Instruments whose P&L is unknown; those who may set their point value are led there."""
    positions = Position.objects.of_unknown_worth().filter(instrument=OuterRef("pk"))
    found = list(Instrument.objects.filter(Exists(positions), point_value=None)[:MOST])
    if not found:
        return
    is_led = user.has_perm("trades.change_instrument")
    listed = reverse("positions")
    links = [
        (
            reverse("point-value", args=[one.pk])
            if is_led
            else f"{listed}?instrument={one.symbol}",
            one.symbol,
        )
        for one in found[:NAMED]
    ]
    sentence = (
        f"The P&L in {counted(len(found), 'instrument')} is unknown, for want of a point value"
    )
    yield Concern(sentence, links, len(found) > NAMED, is_grave=False)


def issues(user: AbstractBaseUser) -> Iterator[Concern]:
    errors = IntegrityIssue.objects.standing().errors().order_by()
    number = errors.values("pk")[:MOST].count()
    if number:
        link = (reverse("issues"), "Issues")
        yield Concern(f"{counted(number, 'issue')} of trades that do not fit together", [link])


def counted(number: int, noun: str) -> str:
    """1 import, 2 imports, more than 99 imports."""
    if number == 1:
        return f"1 {noun}"
    return f"more than {MOST - 1} {noun}s" if number == MOST else f"{number} {noun}s"


Look = Callable[[AbstractBaseUser], Iterator[Concern]]
LOOKS: list[tuple[str, Look]] = [
    ("joblogs.view_joblog", jobs_in_trouble),
    ("joblogs.view_notice", differences),
    ("imports.view_importexecutionlog", imports_that_failed),
    ("trades.view_integrityissue", issues),
    ("trades.view_position", unknown_worth),
]
