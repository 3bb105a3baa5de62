"""The lines of jobs that ended long ago are deleted; the job logs, with counters and error, stay.

So do the lines of a recurring job that failed, as long as nobody has acknowledged its notice.
"""

from collections.abc import Iterator

from django.db.models import CharField, Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat

from joblogs.models import JobLog, JobLogDetail, JobLogQuerySet, Notice
from joblogs.states import ACTIVE, Status
from web.ages import days_ago
from web.manyids import change

LOT = 5_000  # lines that are deleted in one transaction
JOBS_AT_ONCE = 200


def old_jobs(days: int | None) -> JobLogQuerySet:
    """Those that ended so many days ago and may lose the lines that they still have; none for 0."""
    if not days:
        return JobLog.objects.none()
    ended = JobLog.objects.exclude(status__in=ACTIVE).filter(finished_at__lt=days_ago(days))
    key = Concat(Value("job:"), "job", Value(":"), Cast("pk", CharField()))
    unknown = Notice.objects.open().filter(key=OuterRef("notice_key"))
    failed = Q(status=Status.ERROR) & Q(Exists(unknown))
    has_lines = Exists(JobLogDetail.objects.filter(job_log=OuterRef("pk")))
    return ended.annotate(notice_key=key).filter(has_lines).exclude(failed).order_by("pk")


def old_lines(days: int | None) -> int:
    return JobLogDetail.objects.filter(job_log__in=old_jobs(days).order_by().values("pk")).count()


def forget_lines(days: int | None) -> Iterator[int]:
    """Delete them, lot by lot; gives the number of each."""
    last = 0
    while jobs := list(
        old_jobs(days).filter(pk__gt=last).values_list("pk", flat=True)[:JOBS_AT_ONCE]
    ):
        lines = JobLogDetail.objects.filter(job_log__in=jobs).order_by("job_log_id", "pk")
        while keys := list(lines.values_list("pk", flat=True)[:LOT]):
            yield change("DELETE FROM job_log_details WHERE id", keys)
        last = jobs[-1]
