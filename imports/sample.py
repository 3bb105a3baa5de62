"""The bundled file to look at."""

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser

from imports.models import ImportExecutionLog
from imports.storing import Wishes, receive

SAMPLE = settings.BASE_DIR / "examples" / "ninjatrader-us.csv"
SAMPLE_ZONE = "America/Los_Angeles"


def receive_sample(user: AbstractBaseUser | None = None) -> ImportExecutionLog:
    """A queued import of the sample; where it is in already, all its lines will be known."""
    kind = ImportExecutionLog.Type.SAMPLE_DATA
    wishes = Wishes(timezone=SAMPLE_ZONE, import_type=kind, user=user)
    with SAMPLE.open("rb") as source:
        return receive(source, SAMPLE.name, wishes)
