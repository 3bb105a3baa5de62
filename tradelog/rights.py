"""Who may do what: three groups, put in place after every migrate and always the same.

What a site wants otherwise goes into groups of its own; these three are set back.
"""

from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db.models import Q
from django.db.models.signals import post_migrate

OF_OPERATORS = [
    "add_importexecutionlog",
    "retry_import",
    "cancel_import",
    "run_job",
    "acknowledge_notice",
    "sync_open_orders",
    "add_batch",
    "start_batch",
    "cancel_batch",
    "retry_batch",
    "add_batchtemplate",
    "change_batchtemplate",
    "change_position",
    "dismiss_issue",
]

# Of the permissions of our rooms. Users and groups are the superuser's.
SEES = Q(codename__startswith="view_") & ~Q(codename="view_auditentry")
GROUPS = {
    "viewer": SEES,
    "operator": SEES | Q(codename__in=OF_OPERATORS),
    "admin": Q(),
}


def watch_over_groups() -> None:
    """Have the groups put in place when the last of our rooms is migrated."""
    post_migrate.connect(place_groups, sender=apps.get_app_config(settings.ROOMS[-1]))


def place_groups(sender: AppConfig, using: str, **options: Any) -> None:
    for room in settings.ROOMS:
        # Django makes them too, but perhaps only after this.
        create_permissions(apps.get_app_config(room), verbosity=0, using=using)
    groups = apps.get_model("auth.Group").objects.using(using)
    permissions = apps.get_model("auth.Permission").objects.using(using)
    ours = permissions.filter(content_type__app_label__in=settings.ROOMS)
    for name, which in GROUPS.items():
        group, _ = groups.get_or_create(name=name)
        group.permissions.set(ours.filter(which))
