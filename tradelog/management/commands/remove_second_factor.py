"""manage.py remove_second_factor: for who has lost both the phone and the recovery codes."""

import argparse
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from tradelog.secondfactor import turn_off


class Command(BaseCommand):
    help = "Remove the second factor of a user, whom the password alone logs in from then on."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="of the user")

    def handle(self, **options: Any) -> None:
        name = options["name"]
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"There is no user {name}.")
        if not turn_off(user):
            raise CommandError(f"{name} has no second factor.")
        self.stdout.write(f"{name}: the second factor and its recovery codes are removed.")
