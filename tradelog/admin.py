"""Users, groups, tokens, second factors, failed logins and the queue in the admin's shell."""

from datetime import datetime, timedelta

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ChoiceField, ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_q.models import Failure, OrmQ, Schedule, Success
from knox.admin import AuthTokenCreateForm
from knox.models import AuthToken
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget

from audit.admin import AuditedAdmin
from audit.models import Deed
from audit.writing import write_down
from tradelog import secondfactor
from tradelog.freshadmin import FreshAdmin
from tradelog.models import TokenScope
from tradelog.tokenpages import answered
from tradelog.tries import locked_until
from web.readonly import ReadOnlyAdmin
from web.scopes import Scope, scope_of

# Of the queue, nothing may be changed by hand: what stands there is run as code. With the queue in
# Redis, django-q2 does not register all of these. django-otp's own pages would show secrets.
theirs = [User, Group, AuthToken, Failure, OrmQ, Schedule, Success, TOTPDevice, StaticDevice]
admin.site.unregister(filter(admin.site.is_registered, theirs))


@admin.register(User)
class ShellUserAdmin(FreshAdmin, UserAdmin, AuditedAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class ShellGroupAdmin(FreshAdmin, GroupAdmin, AuditedAdmin):
    pass


class TokenForm(AuthTokenCreateForm):
    """In which every token must have an end."""

    scope = ChoiceField(choices=Scope, label="It may", widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if "expiry" in self.fields:
            self.fields["expiry"].required = True


@admin.register(AuthToken)
class TokenAdmin(FreshAdmin, AuditedAdmin):
    """Tokens of all users, by how they begin. A new one is shown once, when it is saved."""

    form = TokenForm
    list_display = ["token_key", "user", "scope", "created", "expiry"]
    list_select_related = ["user", "limit"]
    search_fields = ["user__username", "token_key"]
    search_help_text = "User, or how the token begins"
    fields = ["user", "expiry", "scope"]

    @admin.display(description="It may")
    def scope(self, token: AuthToken) -> str:
        return Scope(scope_of(token)).label

    def has_change_permission(self, request: HttpRequest, obj: AuthToken | None = None) -> bool:
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, object]:
        days = timedelta(days=settings.TRADELOG_TOKEN_DAYS)
        return {"user": request.user.pk, "expiry": timezone.now() + days}

    def save_model(
        self, request: HttpRequest, obj: AuthToken, form: ModelForm, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        TokenScope.objects.create(token=obj, scope=form.cleaned_data["scope"])
        obj.secret = form.token

    def response_add(
        self, request: HttpRequest, obj: AuthToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The answer alone has the new token, as on the page of one's own."""
        return answered(request, None, token=obj, secret=obj.secret)


@admin.register(TOTPDevice)
class SecondFactorAdmin(FreshAdmin, AuditedAdmin):
    """Who has one. To delete it helps who has lost the phone; the recovery codes go with it."""

    list_display = ["user", "created_at", "last_used_at"]
    list_select_related = ["user"]
    search_fields = ["user__username"]
    search_help_text = "User"
    fields = ["user", "created_at", "last_used_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(confirmed=True)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: TOTPDevice | None = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: TOTPDevice) -> None:
        secondfactor.forget([obj.user_id])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        secondfactor.forget([*queryset.values_list("user", flat=True)])


@admin.register(AccessAttempt)
class AttemptAdmin(ReadOnlyAdmin):
    """By user and address; the row without a name counts for the address, whoever it tried."""

    actions = ["unlock_selected"]
    list_display = ["name", "ip_address", "failures_since_start", "attempt_time", "until"]
    search_fields = ["username", "ip_address"]
    search_help_text = "User or address"
    fields = ["name", "ip_address", "failures_since_start", "attempt_time", "until"]
    readonly_fields = ["name", "until"]

    @admin.display(description="User", ordering="username")
    def name(self, attempt: AccessAttempt) -> str:
        return attempt.username or "all users together"

    @admin.display(description="Locked until", empty_value="not locked")
    def until(self, attempt: AccessAttempt) -> datetime | None:
        return locked_until(attempt)

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("axes.delete_accessattempt")

    @admin.action(description="Unlock", permissions=["unlock"])
    def unlock_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        chosen = list(queryset)
        with transaction.atomic():
            for attempt in chosen:
                write_down(Deed.UNLOCK, attempt.username, words=f"from {attempt.ip_address}")
                attempt.delete()
        messages.success(request, f"{len(chosen):,} unlocked.")


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    list_display = ["name", "func", "minutes", "next_run"]
    fields = ["name", "func", "args", "schedule_type", "minutes", "repeats", "next_run", "task"]
    ordering = ["name"]


@admin.register(OrmQ)
class WaitingAdmin(ReadOnlyAdmin):
    """Tasks that wait or are being worked on; empty where the queue is in Redis."""

    list_display = ["name", "func", "lock"]
    fields = ["name", "func", "lock"]
    readonly_fields = ["name", "func"]


class TaskAdmin(ReadOnlyAdmin):
    """Tasks that have ended. The job logs tell more."""

    list_display = ["name", "func", "started", "stopped"]
    search_fields = ["name"]
    search_help_text = "Name"
    fields = ["name", "func", "args", "started", "stopped", "attempt_count"]


@admin.register(Success)
class SuccessAdmin(TaskAdmin):
    pass


@admin.register(Failure)
class FailureAdmin(TaskAdmin):
    pass
