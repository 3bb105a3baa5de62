"""Job logs in the admin: what ran, when, and how it ended."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from joblogs.badges import job_badge
from joblogs.models import JobLog
from joblogs.tables import outcome
from joblogs.views import job_detail
from web.dayrange import DayRangeFilter
from web.readonly import ReadOnlyAdmin


class JobFilter(admin.SimpleListFilter):
    title = "job"
    parameter_name = "job"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return [(job, job) for job in JobLog.objects.each_job()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(job=self.value()) if self.value() else queryset


@admin.register(JobLog)
class JobLogAdmin(ReadOnlyAdmin):
    list_display = ["name", "job", "state", "trigger", "asked_by", "started_at", "took", "outcome"]
    list_display_links = ["name"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        JobFilter,
        ("trigger", ChoicesDropdownFilter),
        ("created_at", DayRangeFilter),
    ]
    list_filter_submit = True
    list_per_page = 25
    list_select_related = ["asked_by"]
    search_fields = ["name"]
    search_help_text = "Name"

    @admin.display(description="Status", ordering="status")
    def state(self, log: JobLog) -> SafeString:
        return job_badge(log)

    @admin.display(description="Duration")
    def took(self, log: JobLog) -> str | None:
        return log.duration_in_words

    @admin.display(description="Result")
    def outcome(self, log: JobLog) -> str | None:
        return outcome(log) or None

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict | None = None,
    ) -> HttpResponse:
        return job_detail(request, object_id, self)
