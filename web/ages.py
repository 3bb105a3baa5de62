"""Ages in days, as settings and commands give them; 0 is never."""

import argparse
from datetime import datetime, timedelta

from django.utils import timezone

from web.numbers import whole_number

MOST_DAYS = 36_500


def days(text: str) -> int:
    """What a command is given. Raises ArgumentTypeError."""
    number = whole_number(text)
    if number is None or number > MOST_DAYS:
        raise argparse.ArgumentTypeError(f"a whole number from 0 to {MOST_DAYS}")
    return number


def days_ago(number: int) -> datetime:
    return timezone.now() - timedelta(days=min(number, MOST_DAYS))
