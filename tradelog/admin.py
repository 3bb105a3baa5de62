"""Users, groups and the queue in the admin's shell."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from web.readonly import ReadOnlyAdmin

# Of the queue, nothing may be changed by hand: what stands there is run as code. With the queue in
# Redis, django-q2 does not register all of these.
theirs = [User, Group, Failure, OrmQ, Schedule, Success]
admin.site.unregister(filter(admin.site.is_registered, theirs))


@admin.register(User)
class ShellUserAdmin(UserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class ShellGroupAdmin(GroupAdmin, ModelAdmin):
    pass


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
