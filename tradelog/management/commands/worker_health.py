"""manage.py worker_health: whether a worker works, for systemd and containers."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tradelog.health import look


class Command(BaseCommand):
    help = (
        "Say whether the database answers, when a worker was last seen, and what waits for one. "
        "Exit status 1 if no worker has been seen for 3 minutes, or work waits for 15."
    )

    def handle(self, **options: Any) -> None:
        found = look()
        if not found.is_good:
            words = f"database {found.database}, worker {found.worker}, queue {found.queue}"
            raise CommandError(f"{words}. {found.in_words()}")
        self.stdout.write(found.in_words())
