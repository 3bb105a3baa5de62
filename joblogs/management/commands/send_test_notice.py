"""manage.py send_test_notice: try the receivers of notices."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from joblogs.receivers import receivers
from joblogs.states import Level

TITLE = "A test of tradelog"
TEXT = "This is what a notice of tradelog looks like. Somebody has asked for it."


class Command(BaseCommand):
    help = (
        "Send a test to every receiver that TRADELOG_NOTIFY_URLS names. Needs no worker, and is "
        "not kept. Exit status 1 if one does not take it."
    )

    def handle(self, **options: Any) -> None:
        found = receivers()
        if not found:
            raise CommandError("TRADELOG_NOTIFY_URLS names no receiver.")
        refused = 0
        for receiver in found:
            answer = receiver.send(TITLE, TEXT, Level.INFO)
            refused += not answer.is_taken
            self.stdout.write(f"{receiver.title}: {answer.reason or 'sent'}")
        if refused:
            raise CommandError(f"{refused} of {len(found)} did not take it.")
