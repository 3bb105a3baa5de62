"""What the page of a batch says beside its trades: errors, what happened, what can be done."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from batches.badges import batch_badge
from batches.control import why_it_cannot_be_undone
from batches.errors import grouped_errors
from batches.executors import EXECUTORS
from batches.models import Batch
from batches.tables import rights
from joblogs.models import JobLog
from joblogs.registry import JOBS

JOBS_SHOWN = 5
PAGE = "batch"  # of the jobs whose subject is a batch


@dataclass(frozen=True)
class Event:
    """Something that happened to a batch; `words` say what, and who did it."""

    at: datetime
    words: str


def about(batch: Batch, user: AbstractBaseUser | AnonymousUser) -> dict[str, object]:
    ours = [job.name for job in JOBS.values() if job.page == PAGE]
    jobs = JobLog.objects.filter(job__in=ours, subject_id=batch.pk).order_by("-pk")
    return {
        "badge": batch_badge(batch),
        "executor": EXECUTORS.get(batch.executor),
        "settings": settings_of(batch),
        "errors": grouped_errors(batch) if batch.failed_trades else [],
        "events": events(batch),
        "job_logs": jobs[:JOBS_SHOWN] if user.has_perm("joblogs.view_joblog") else (),
        "can": possible(batch, user),
    }


def settings_of(batch: Batch) -> list[tuple[str, object]]:
    """What was set, as the executor calls it."""
    executor = EXECUTORS.get(batch.executor)
    labels = {one.name: one.label for one in executor.settings} if executor else {}
    return [(labels.get(name, name), value) for name, value in batch.executor_settings.items()]


def events(batch: Batch) -> list[Event]:
    """Oldest first."""
    again = f", for the {ordinal(batch.rounds)} time" if batch.rounds > 1 else ""
    found = [
        (batch.created_at, f"Staged{by(batch.created_by)}"),
        (batch.queued_at, f"Started{again}"),
        (batch.started_at, "Taken up by a worker"),
        (batch.completed_at, f"Ended: {batch.get_status_display().lower()}"),
        (batch.undone_at, f"Rolled back{by(batch.undone_by)}"),
        (batch.archived_at, "Archived"),
    ]
    return sorted((Event(at, words) for at, words in found if at), key=lambda event: event.at)


def by(user: AbstractBaseUser | None) -> str:
    return f" by {user}" if user else ""


def ordinal(number: int) -> str:
    """2nd, 3rd, 11th."""
    teens = 10 < number % 100 < 14
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def possible(batch: Batch, user: AbstractBaseUser | AnonymousUser) -> dict[str, bool]:
    """What this user can do with a batch in this state."""
    is_archived = batch.archived_at is not None
    in_this_state = {
        "start": batch.can_be_started,
        "cancel": batch.can_be_cancelled,
        "retry": batch.can_be_retried,
        "undo": not why_it_cannot_be_undone(batch),
        "delete": batch.can_be_deleted,
    }
    may = rights(user)
    return {deed: may[deed] and able for deed, able in in_this_state.items()} | {
        "priority": may["start"] and not batch.is_completed,
        "archive": may["archive"] and batch.is_completed and not is_archived,
        "unarchive": may["archive"] and is_archived,
    }
