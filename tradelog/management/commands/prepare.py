"""manage.py prepare: everything between a fresh database and the first login."""

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand

from imports.models import ImportExecutionLog
from imports.running import run_import
from imports.sample import receive_sample
from imports.summary import outcome
from joblogs.tasks import attend

FIRST_ADMIN = "admin"


class Command(BaseCommand):
    help = (
        "Migrate, make the first admin, import the sample, place the recurring jobs. "
        "Run again, it changes nothing."
    )

    def handle(self, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        self.make_first_admin()
        self.import_sample()
        attend()

    def make_first_admin(self) -> None:
        """Only while there is no user at all; the password is shown this once."""
        users = get_user_model().objects
        if users.exists():
            return
        password = settings.TRADELOG_ADMIN_PASSWORD or secrets.token_urlsafe(12)
        users.create_superuser(FIRST_ADMIN, password=password)
        shown = "as set by you" if settings.TRADELOG_ADMIN_PASSWORD else password
        self.stdout.write(f"Log in as {FIRST_ADMIN} with the password {shown}")
        if not settings.TRADELOG_ADMIN_PASSWORD:
            self.stdout.write("(shown only this once; manage.py changepassword sets another)")

    def import_sample(self) -> None:
        """Only into a log without imports, so that a rolled back sample stays away."""
        if ImportExecutionLog.objects.exists():
            return
        log = receive_sample()
        log = run_import(log.pk) or log
        self.stdout.write(f"Sample data to look at (roll it back when done): {outcome(log)}")
