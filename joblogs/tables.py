"""The tables of job logs and of notices: their columns, and how each cell looks."""

from collections.abc import Iterable
from datetime import datetime

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django_tables2 import Column, Table

from joblogs.badges import delivery_badge, job_badge, level_badge
from joblogs.models import JobLog, Notice

LONGEST = 100  # characters of an outcome


def outcome(log: JobLog) -> str:
    """In a line: its counters, or what it broke off with."""
    words = log.error.partition("\n")[0] or log.result_in_words
    return Truncator(words).chars(LONGEST)


def moment(value: datetime) -> SafeString:
    words = date_format(timezone.localtime(value), "DATETIME_FORMAT")
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), words)


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
        return moment(value)

    def render_counters(self, record: JobLog) -> str:
        return outcome(record) or "—"


class NoticeTable(Table):
    """What the template adds behind it: who has acknowledged it, or the button for that."""

    time = Column(accessor="created_at")
    level = Column()
    notice = Column(accessor="title", attrs={"td": {"class": "tl-outcome"}})
    delivery = Column(verbose_name="Sent on", attrs={"td": {"class": "tl-outcome"}})

    def __init__(self, notices: Iterable[Notice]) -> None:
        super().__init__(notices, orderable=False)

    def render_time(self, value: datetime) -> SafeString:
        return moment(value)

    def render_level(self, record: Notice) -> SafeString:
        return level_badge(record)

    def render_notice(self, record: Notice) -> SafeString:
        return render_to_string("joblogs/notices_words.html", {"notice": record})

    def render_delivery(self, record: Notice) -> SafeString:
        return format_html("{} {}", delivery_badge(record), record.error)
