"""Old notices that somebody has acknowledged are deleted; what nobody has, stays.

So does the notice of a trouble that is not over: without it, the trouble would be told again.
"""

import logging

from django.conf import settings
from django.db.models import Q

from joblogs.models import Notice, NoticeQuerySet
from joblogs.states import Delivery
from web.ages import days_ago

logger = logging.getLogger(__name__)

CLEAN = "clean_notices"
DAILY = 24 * 60  # minutes
LOT = 500  # notices that are deleted in one transaction


def old_notices(days: int | None) -> NoticeQuerySet:
    """Those that were acknowledged so many days ago; none for 0."""
    if not days:
        return Notice.objects.none()
    known = Notice.objects.filter(acknowledged_at__lt=days_ago(days))
    done = known.exclude(delivery__in=[Delivery.WAITING, Delivery.SENDING])
    return done.filter(Q(trouble="") | Q(over_at__isnull=False))


def forget(days: int | None) -> int:
    """Delete them; how many there were."""
    count = 0
    while keys := list(old_notices(days).order_by("pk").values_list("pk", flat=True)[:LOT]):
        count += old_notices(days).filter(pk__in=keys).delete()[0]
    return count


def in_words(count: int, verb: str = "") -> str:
    return f"{count:,} notice{'' if count == 1 else 's'} {verb}deleted."


# --- As a job


def is_needed() -> bool:
    return old_notices(settings.TRADELOG_DELETE_NOTICES_DAYS).exists()


def clean_notices(_: int | None) -> dict[str, object]:
    deleted = forget(settings.TRADELOG_DELETE_NOTICES_DAYS)
    logger.info("%s", in_words(deleted))
    return {"deleted": deleted}
