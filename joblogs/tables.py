"""The table of job logs: its columns, and how each cell looks."""

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django_tables2 import Column, Table

from joblogs.badges import job_badge
from joblogs.models import JobLog

LONGEST = 100  # characters of an outcome


def outcome(log: JobLog) -> str:
    """In a line: its counters, or what it broke off with."""
    words = log.error.partition("\n")[0] or log.result_in_words
    return Truncator(words).chars(LONGEST)


class JobLogTable(Table):
    """`query` is that of the list; it goes with every link, so that one comes back to the same."""

    name = Column(attrs={"td": {"class": "tl-mono"}})
    job = Column()
    status = Column()
    started = Column(accessor="started_at")
    duration = Column(accessor="duration_in_words", attrs={"td": {"class": "tl-number"}})
    counters = Column(empty_values=(), attrs={"td": {"class": "tl-outcome"}})

    def __init__(self, logs: Iterable[JobLog], query: str) -> None:
        super().__init__(logs, orderable=False)
        self.query = f"?{query}" if query else ""

    def render_name(self, value: str, record: JobLog) -> SafeString:
        page = record.get_absolute_url() + self.query
        return format_html('<a class="tl-link" href="{}">{}</a>', page, value)

    def render_status(self, record: JobLog) -> SafeString:
        return job_badge(record)

    def render_started(self, value: datetime) -> SafeString:
        words = date_format(timezone.localtime(value), "DATETIME_FORMAT")
        return format_html('<time datetime="{}">{}</time>', value.isoformat(), words)

    def render_counters(self, record: JobLog) -> str:
        return outcome(record) or "—"
