"""The audit in the admin, to be looked at; and the admin's own deeds in the audit."""

import json
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.paginator import InfinitePaginator

from audit.models import AuditEntry, Deed
from audit.writing import write_down
from web.dayrange import DayRangeFilter
from web.readonly import ReadOnlyAdmin


class AuditedAdmin(ModelAdmin):
    """What is added, changed or deleted here stands in the audit, and nowhere else."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:
        write_down(Deed.ADD, obj, words=in_words(message))

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:
        write_down(Deed.CHANGE, obj, words=in_words(message))

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> None:
        for obj in queryset:
            write_down(Deed.DELETE, obj, count=1)

    def response_action(self, *args: Any, **kwargs: Any) -> HttpResponse | None:
        """What was chosen is changed and audited, or neither."""
        with transaction.atomic():
            return super().response_action(*args, **kwargs)


def in_words(message: Any) -> str:
    """What Django says of a change, as a sentence."""
    kept = message if isinstance(message, str) else json.dumps(message)
    return LogEntry(change_message=kept).get_change_message()


@admin.register(AuditEntry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ["at", "username", "deed", "what", "count", "words", "way", "address"]
    list_display_links = ["at"]
    list_filter = [
        ("deed", ChoicesDropdownFilter),
        ("way", ChoicesDropdownFilter),
        ("user", AutocompleteSelectFilter),
        ("at", DayRangeFilter),
    ]
    list_filter_submit = True
    list_per_page = 50
    search_fields = ["username", "subject", "token", "address"]
    search_help_text = "Who, what, address, or how the token begins"
    paginator = InfinitePaginator
    show_full_result_count = False

    @admin.display(description="what")
    def what(self, entry: AuditEntry) -> str | None:
        return f"{entry.kind} {entry.subject}".strip() or None
