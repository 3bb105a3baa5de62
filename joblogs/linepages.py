"""A page of a job's lines, found by key: as quick at the millionth line as at the first."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from joblogs.models import JobLog, JobLogDetail
from web.numbers import whole_number

PAGE = 200


@dataclass(frozen=True)
class LinePage:
    """Lines in their order. `older` and `newer` are the keys to go on from, if there are more."""

    lines: list[JobLogDetail]
    older: int | None = None
    newer: int | None = None


def line_page(log: JobLog, *, before: str = "", after: str = "") -> LinePage:
    """The lines next before or after a key, else the newest. What is no number is not given.

    Their keys are asked for first, which the index answers by itself: asked for the lines at once,
    PostgreSQL may read those of every other job between.
    """
    lines = JobLogDetail.objects.filter(job_log=log)
    first, last = whole_number(before), whole_number(after)
    if last is not None:
        nearest = lines.filter(pk__gt=last).order_by("pk")
    else:
        nearest = (lines if first is None else lines.filter(pk__lt=first)).order_by("-pk")
    keys = list(nearest.values_list("pk", flat=True)[: PAGE + 1])
    if not keys:
        return LinePage([])
    shown, is_more = sorted(keys[:PAGE]), len(keys) > PAGE
    if last is not None:
        has_older, has_newer = has_any(lines.filter(pk__lt=shown[0]).order_by("-pk")), is_more
    else:
        has_older, has_newer = is_more, has_any(lines.filter(pk__gt=shown[-1]).order_by("pk"))
    older, newer = shown[0] if has_older else None, shown[-1] if has_newer else None
    return LinePage(by_key(shown), older, newer)


def by_key(keys: Iterable[int]) -> list[JobLogDetail]:
    """The lines with these keys, as they were written."""
    return list(JobLogDetail.objects.filter(pk__in=keys).order_by("pk"))


def has_any(lines: QuerySet[JobLogDetail]) -> bool:
    """By the order of the index: asked whether there is any, PostgreSQL may read the table."""
    return bool(lines.values_list("pk")[:1])
