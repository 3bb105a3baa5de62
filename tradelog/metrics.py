"""Metrics for Prometheus, computed from the database whenever they are asked for.

So they are the same whichever process answers, and none has to collect them from the others. What
is counted is counted over the last day, or now: a dozen small questions, however large the log is.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from batches.models import Batch
from batches.states import Status as BatchStatus
from imports.models import ImportExecutionLog
from imports.states import ACTIVE as ACTIVE_IMPORTS
from imports.states import Status as ImportStatus
from joblogs.models import JobLog, Notice
from joblogs.outcomes import outcomes
from joblogs.reconciliations import Reconciliation
from joblogs.recurring import beat
from web.shell import log_in_by_password

RIGHT = "joblogs.view_joblog"
DAY = timedelta(days=1)
BEARER = "Bearer "


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For the program that knows the token, and for users with the right to see job logs."""
    if not has_token(request):
        if refusal := log_in_by_password(request):
            return refusal
        if not request.user.has_perm(RIGHT):
            status = 403 if request.user.is_authenticated else 401
            headers = {} if status == 403 else {"WWW-Authenticate": 'Basic realm="tradelog"'}
            return HttpResponse("Not for you.\n", "text/plain", status=status, headers=headers)
    registry = CollectorRegistry()
    registry.register(FromDatabase())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def has_token(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "")
    token = settings.TRADELOG_METRICS_TOKEN
    return bool(token) and constant_time_compare(given, f"{BEARER}{token}")


class FromDatabase(Collector):
    def describe(self) -> list[Metric]:
        """Nothing: else it would ask the database already when it is made known."""
        return []

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        yield from of_the_queue(now)
        yield from of_jobs(now)
        yield from of_imports(now)
        yield from of_batches(now)
        yield from of_trouble(now)


def gauge(name: str, words: str, value: float | None) -> Metric:
    """One number; of what is not known yet, none."""
    family = GaugeMetricFamily(f"tradelog_{name}", words)
    if value is not None:
        family.add_metric([], value)
    return family


def by_label(name: str, words: str, label: str, numbers: dict[str, float]) -> Metric:
    family = GaugeMetricFamily(f"tradelog_{name}", words, labels=[label])
    for value, number in numbers.items():
        family.add_metric([value], number)
    return family


def seconds_since(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else (now - moment).total_seconds()


def of_the_queue(now: datetime) -> Iterator[Metric]:
    found = beat()
    yield gauge("queue_jobs", "Jobs that nobody has taken up.", found.waiting)
    oldest = seconds_since(found.oldest, now) or 0
    yield gauge("queue_oldest_seconds", "How long the oldest of them waits.", oldest)
    seen = seconds_since(found.at, now)
    yield gauge("worker_beat_age_seconds", "Since the last sign of life of any worker.", seen)


def of_jobs(now: datetime) -> Iterator[Metric]:
    lately = JobLog.objects.filter(created_at__gte=now - DAY).order_by()
    runs = GaugeMetricFamily(
        "tradelog_jobs", "Jobs of the last day, by outcome.", labels=["job", "status"]
    )
    average = GaugeMetricFamily(
        "tradelog_job_seconds_average", "Duration of the jobs of the last day.", labels=["job"]
    )
    longest = GaugeMetricFamily(
        "tradelog_job_seconds_longest", "Longest of the jobs of the last day.", labels=["job"]
    )
    for one in outcomes(lately):
        for status in ("success", "error", "active"):
            runs.add_metric([one.job, status], getattr(one, status))
        if one.average is not None:
            average.add_metric([one.job], one.average)
            longest.add_metric([one.job], one.longest)
    yield from (runs, average, longest)
    away = Q(error__startswith="django.db.utils.OperationalError")
    away |= Q(error__startswith="django.db.utils.InterfaceError")
    words = "Jobs of the last day that the database has failed."
    yield gauge("database_errors", words, lately.filter(away, status="error").count())


def by_status(rows: QuerySet, statuses: type) -> dict[str, float]:
    counts = dict(rows.order_by().values_list("status").annotate(Count("pk")))
    return {status.value: counts.get(status.value, 0) for status in statuses}


def of_imports(now: datetime) -> Iterator[Metric]:
    lately = ImportExecutionLog.objects.filter(queued_at__gte=now - DAY).order_by()
    words = "Imports of the last day, by status."
    yield by_label("imports", words, "status", by_status(lately, ImportStatus))
    active = ImportExecutionLog.objects.filter(status__in=ACTIVE_IMPORTS).count()
    yield gauge("imports_active", "Imports that wait or are at work, of any age.", active)
    done = lately.filter(processing_time_ms__gt=0)
    names = {"lines": "total_rows", "ms": "processing_time_ms", "trades": "trades_created"}
    found = done.aggregate(**{name: Sum(column) for name, column in names.items()})
    yield gauge("import_lines", "Lines of the imports of the last day.", found["lines"] or 0)
    yield gauge("import_trades", "Trades that they took in.", found["trades"] or 0)
    speed = 1000 * (found["lines"] or 0) / found["ms"] if found["ms"] else None
    yield gauge("import_lines_per_second", "Of these imports, on average.", speed)


def of_batches(now: datetime) -> Iterator[Metric]:
    lately = Batch.objects.filter(created_at__gte=now - DAY)
    words = "Batches of the last day, by status."
    yield by_label("batches", words, "status", by_status(lately, BatchStatus))
    active = Batch.objects.active().count()
    yield gauge("batches_active", "Batches that wait or are at work, of any age.", active)


def of_trouble(now: datetime) -> Iterator[Metric]:
    number = Notice.objects.open().count()
    yield gauge("notices_open", "Notices that nobody has acknowledged.", number)
    last = Reconciliation.objects.exclude(finished_at=None).first()
    found = last.differences if last else None
    yield gauge("differences", "What the last check of all that is kept has found.", found)
    age = seconds_since(last.finished_at, now) if last else None
    yield gauge("check_age_seconds", "Since that check.", age)
