"""The table of imports: its columns, and how each cell looks."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.humanize.templatetags.humanize import intcomma
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_tables2 import Column, Table

from imports.badges import import_badge
from imports.models import ImportExecutionLog
from imports.states import RETRYABLE, Status

ACCOUNTS_SHOWN = 3


class RowCount(Column):
    """So many rows."""

    def __init__(self, title: str) -> None:
        super().__init__(verbose_name=title, attrs={"td": {"class": "tl-number"}})

    def render(self, value: int) -> str:
        return intcomma(value)


class ImportTable(Table):
    """The columns that sort are named as the filters' `sort_by` names them."""

    import_time = Column(accessor="queued_at", verbose_name="Time")
    file_name = Column(verbose_name="File", attrs={"td": {"class": "tl-name"}})
    import_type = Column(verbose_name="Type")
    status = Column(verbose_name="Status")
    total_rows = RowCount("Total")
    success_rows = RowCount("Success")
    failed_rows = RowCount("Failed")
    skipped_rows = RowCount("Skipped")
    processing_time_ms = Column(
        accessor="duration_in_words", verbose_name="Took", attrs={"td": {"class": "tl-number"}}
    )
    accounts = Column(accessor="affected_accounts", orderable=False, empty_values=(None, []))
    actions = Column(
        accessor="pk", orderable=False, attrs={"td": {"class": "tl-actions"}}, empty_values=()
    )

    def __init__(
        self,
        imports: Iterable[ImportExecutionLog],
        user: AbstractBaseUser | AnonymousUser,
    ) -> None:
        super().__init__(imports, orderable=True)
        self.may = rights(user)

    def render_import_time(self, value: datetime, record: ImportExecutionLog) -> SafeString:
        return render_to_string("imports/list_time.html", {"time": value, "log": record})

    def render_file_name(self, value: str, record: ImportExecutionLog) -> SafeString:
        # Isolated: a name that is written from right to left leaves what follows alone.
        page = reverse("import-detail", args=[record.pk])
        return format_html('<a class="tl-link" href="{}"><bdi>{}</bdi></a>', page, value)

    def render_import_type(self, record: ImportExecutionLog) -> str:
        return record.get_import_type_display()

    def render_status(self, record: ImportExecutionLog) -> SafeString:
        context = {
            "log": record,
            "badge": import_badge(record),
            "is_running": record.status == Status.RUNNING,
            # The header is a line too.
            "lines": max((record.line_count or 1) - 1, record.cursor, 1),
        }
        return render_to_string("imports/list_status.html", context)

    def render_accounts(self, value: list[str]) -> str:
        more = len(value) - ACCOUNTS_SHOWN
        return ", ".join(value[:ACCOUNTS_SHOWN]) + (f" and {more} more" if more > 0 else "")

    def render_actions(self, record: ImportExecutionLog) -> SafeString:
        context = {
            "log": record,
            "may": self.may,
            # Whether a whole success misses trades by now, only its own page asks: that may mean
            # to look at every line of it.
            "can_retry": self.may["retry"] and (record.status in RETRYABLE or record.waits_long),
            "can_cancel": self.may["cancel"] and record.can_be_cancelled,
            "can_roll_back": self.may["roll_back"] and record.can_be_rolled_back,
        }
        return render_to_string("imports/list_actions.html", context)


def rights(user: AbstractBaseUser | AnonymousUser) -> dict[str, Any]:
    """What the user may do with imports."""
    return {
        "upload": user.has_perm("imports.add_importexecutionlog"),
        "retry": user.has_perm("imports.retry_import"),
        "cancel": user.has_perm("imports.cancel_import"),
        "roll_back": user.has_perm("imports.roll_back_import"),
        "see_trades": user.has_perm("trades.view_trade"),
    }
