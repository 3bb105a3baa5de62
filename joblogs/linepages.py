"""A page of a job's lines, found by key: as quick at the millionth line as at the first."""

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
    """The lines next before or after a key, else the newest. What is no number is not given."""
    lines = JobLogDetail.objects.filter(job_log=log)
    first, last = whole_number(before), whole_number(after)
    if last is not None:
        found = list(lines.filter(pk__gt=last).order_by("pk")[:PAGE])
    else:
        earlier = lines if first is None else lines.filter(pk__lt=first)
        found = list(earlier.order_by("-pk")[:PAGE])[::-1]
    if not found:
        return LinePage([])
    older, newer = found[0].pk, found[-1].pk
    return LinePage(
        found,
        older if has_any(lines.filter(pk__lt=older).order_by("-pk")) else None,
        newer if has_any(lines.filter(pk__gt=newer).order_by("pk")) else None,
    )


def has_any(lines: QuerySet[JobLogDetail]) -> bool:
    """By the order of the index: asked whether there is any, PostgreSQL may read the table."""
    return bool(lines.values_list("pk")[:1])
