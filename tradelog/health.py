"""Whether the log works: for load balancers, supervisors and people. It tells nothing secret."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from joblogs.recurring import beat
from web.shell import log_in_by_password

logger = logging.getLogger(__name__)

TOO_LONG = timedelta(minutes=15)  # for work to wait until somebody takes it up
OK, AWAY, NEVER, SILENT, WAITS = "ok", "away", "never seen", "silent", "waits too long"


@dataclass(frozen=True)
class Health:
    """In a word each; the numbers behind them are for those with the right to see them."""

    database: str = OK
    worker: str = OK
    queue: str = OK
    seen_at: datetime | None = None
    waiting: int = 0
    oldest: datetime | None = None

    @property
    def is_good(self) -> bool:
        return (self.database, self.worker, self.queue) == (OK, OK, OK)

    def in_words(self) -> str:
        if self.database != OK:
            return "The database cannot be reached."
        seen = "No worker has been seen yet." if self.seen_at is None else ago(self.seen_at)
        waits = "1 job waits." if self.waiting == 1 else f"{self.waiting:,} jobs wait."
        return f"{seen} {waits}"


def ago(moment: datetime) -> str:
    seconds = round((timezone.now() - moment).total_seconds())
    return f"A worker was seen {seconds:,} s ago."


def look() -> Health:
    """Asks the database, three small questions."""
    try:
        found = beat()
    except (DatabaseError, InterfaceError) as problem:
        logger.warning("The database cannot be asked: %s", str(problem).strip())
        return Health(database=AWAY, worker="unknown", queue="unknown")
    worker = NEVER if found.at is None else SILENT if found.is_silent else OK
    waits = found.oldest is not None and found.oldest < timezone.now() - TOO_LONG
    return Health(
        worker=worker,
        queue=WAITS if waits else OK,
        seen_at=found.at,
        waiting=found.waiting,
        oldest=found.oldest,
    )


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """All of it: 200, or 503 if something does not work."""
    found = look()
    told: dict[str, object] = {"status": OK if found.is_good else "failing"}
    told |= {"database": found.database, "worker": found.worker, "queue": found.queue}
    if "details" in request.GET and found.database == OK and may_see(request):
        told |= {
            "worker_seen_at": found.seen_at,
            "jobs_waiting": found.waiting,
            "oldest_job_at": found.oldest,
        }
    return JsonResponse(told, status=200 if found.is_good else 503)


@never_cache
@require_safe
def web_health(request: HttpRequest) -> JsonResponse:
    """Only whether this web server can answer: the database. Workers are no matter of its own."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError) as problem:
        logger.warning("The database cannot be asked: %s", str(problem).strip())
        return JsonResponse({"status": "failing", "database": AWAY}, status=503)
    return JsonResponse({"status": OK, "database": OK})


def may_see(request: HttpRequest) -> bool:
    refusal = log_in_by_password(request)
    return refusal is None and request.user.has_perm("joblogs.view_joblog")
