"""manage.py place_schedules: put the recurring jobs in place."""

from typing import Any

from django.core.management.base import BaseCommand

from joblogs.schedules import place_schedules


class Command(BaseCommand):
    help = (
        "Put the recurring jobs in place, as the code declares them. Run again, it changes nothing."
    )

    def handle(self, **options: Any) -> None:
        place_schedules()
