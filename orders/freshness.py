"""How far the mirror can be trusted: from how the last sync ended, and from how old it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db import models
from django.utils import timezone
from django.utils.safestring import SafeString

from joblogs.models import JobLog
from joblogs.states import Status as JobStatus
from orders.models import OpenOrderSnapshot
from orders.states import Status
from orders.tasks import SYNC
from web.badges import Badge

SYNCED_FOR = timedelta(minutes=10)
STALE_FOR = timedelta(minutes=30)


class State(models.TextChoices):
    SYNCED = "synced", "Synced"
    STALE = "stale", "Stale"
    OUTDATED = "outdated", "Outdated"
    FAILED = "failed", "Sync failed"
    NEVER = "never", "Never synced"


BADGES = {
    State.SYNCED: Badge("success", "check_circle"),
    State.STALE: Badge("warning", "schedule"),
    State.OUTDATED: Badge("danger", "running_with_errors"),
    State.FAILED: Badge("danger", "cancel"),
    State.NEVER: Badge("danger", "sync_disabled"),
}


@dataclass(frozen=True)
class Freshness:
    """`current` is what readers see, `last` the sync that ended last."""

    current: OpenOrderSnapshot | None
    last: OpenOrderSnapshot | None
    is_loading: bool
    is_waiting: bool
    state: State

    @property
    def is_running(self) -> bool:
        """Whether a sync is at work, or waits to be."""
        return self.is_loading or self.is_waiting

    @property
    def badge(self) -> SafeString:
        return BADGES[self.state].html(self.state.label)

    @property
    def taken_at(self) -> datetime | None:
        return self.current.taken_at if self.current else None

    @property
    def sentence(self) -> str:
        """How old the orders are, and what went wrong since."""
        seen = (
            f"As of {naturaltime(self.taken_at)}." if self.current else "No orders were seen yet."
        )
        return f"{seen} {self.last.error}".strip() if self.last else seen


def freshness() -> Freshness:
    last = OpenOrderSnapshot.objects.last_ended()
    # Asked second: a sync that completes in between is the current one, and nothing came after it.
    current = OpenOrderSnapshot.objects.current()
    if last and current and last.pk < current.pk:
        last = current
    loading = OpenOrderSnapshot.objects.loading()
    is_loading = loading is not None and not loading.is_abandoned
    is_waiting = JobLog.objects.filter(job=SYNC, status=JobStatus.NEW).exists()
    return Freshness(current, last, is_loading, is_waiting, state_of(current, last))


def state_of(current: OpenOrderSnapshot | None, last: OpenOrderSnapshot | None) -> State:
    """After an error failed; else by age. Orders that a source without any left are stale."""
    ended = last.status if last else None
    if ended == Status.FAILED:
        return State.FAILED
    if current is None:
        return State.NEVER
    age = timezone.now() - current.taken_at
    if age < SYNCED_FOR and ended == Status.COMPLETE:
        return State.SYNCED
    return State.STALE if age < STALE_FOR else State.OUTDATED
