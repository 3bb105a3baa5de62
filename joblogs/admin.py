"""Job logs in the admin: what ran, when, and how it ended; and notices."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from joblogs.badges import delivery_badge, job_badge, level_badge
from joblogs.models import JobLog, Notice
from joblogs.notices import acknowledge_these
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


class OpenFilter(admin.SimpleListFilter):
    title = "acknowledged"
    parameter_name = "acknowledged"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return [("no", "Not yet"), ("yes", "Acknowledged")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in ("no", "yes"):
            return queryset
        return queryset.filter(acknowledged_at__isnull=self.value() == "no")


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    actions = ["acknowledge_selected"]
    list_display = ["created_at", "grade", "title", "way", "acknowledged_at", "acknowledged_by"]
    list_display_links = ["title"]
    list_filter = [
        OpenFilter,
        ("level", ChoicesDropdownFilter),
        ("delivery", ChoicesDropdownFilter),
        ("created_at", DayRangeFilter),
    ]
    list_filter_submit = True
    list_per_page = 25
    list_select_related = ["acknowledged_by"]
    search_fields = ["title"]
    search_help_text = "Title"
    exclude = ["owner", "claimed_at", "reached"]

    @admin.display(description="Level", ordering="level")
    def grade(self, notice: Notice) -> SafeString:
        return level_badge(notice)

    @admin.display(description="Sent on", ordering="delivery")
    def way(self, notice: Notice) -> SafeString:
        return delivery_badge(notice)

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("joblogs.acknowledge_notice")

    @admin.action(description="Acknowledge", permissions=["acknowledge"])
    def acknowledge_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        # By their numbers: a list that was sorted or searched cannot be updated as it is.
        chosen = Notice.objects.filter(pk__in=list(queryset.values_list("pk", flat=True)))
        number = acknowledge_these(chosen, request.user)
        messages.success(request, f"{number:,} acknowledged.")
