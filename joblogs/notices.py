"""Notices: what somebody should know of what happened in the background. Each is told once.

They are kept here until somebody acknowledges them, and sent on (sending.py) where the settings
name receivers. Any room may tell; nobody is told twice, whatever is killed or called again.
"""

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from audit.models import Deed
from audit.writing import write_down
from joblogs.models import Notice, NoticeQuerySet
from joblogs.queueing import ring
from joblogs.states import Delivery, Level, Trigger
from joblogs.wording import cut, worded

SEND = "send_notice"
LONGEST_TITLE = 200
MOST_NAMED = 5
RANK = {Level.INFO: 0, Level.WARNING: 1, Level.ERROR: 2}


def tell(
    key: str,
    title: str,
    text: str = "",
    level: Level = Level.INFO,
    url: str = "",
    *,
    trouble: str = "",
) -> Notice | None:
    """Keep a notice, once for its key, and have it sent; None if it was told before.

    Inside a transaction it is told if that is committed, and only then. `url` is the path of the
    page to look at. Of a `trouble` nothing more is told until it `is_over`, or is acknowledged.
    """
    notice = Notice.objects.keep_once(
        key,
        title=cut(worded(title).replace("\n", " "), LONGEST_TITLE),
        text=worded(text),
        level=level,
        url=url,
        trouble=trouble,
        delivery=Delivery.WAITING if is_to_be_sent(level) else Delivery.KEPT,
        send_at=timezone.now(),
    )
    if notice and notice.delivery == Delivery.WAITING:
        ring(SEND, notice.pk, trigger=Trigger.SCHEDULE)
    return notice


def is_to_be_sent(level: str) -> bool:
    """Whether the settings name receivers, and for what is as grave as this."""
    least = RANK.get(settings.TRADELOG_NOTIFY_LEVEL, 0)  # a system check says that it is none
    return bool(settings.TRADELOG_NOTIFY_URLS) and RANK[Level(level)] >= least


def is_over(trouble: str) -> bool:
    """What went wrong goes well again; whether there was an open notice of it."""
    now = timezone.now()
    return Notice.objects.filter(trouble=trouble, over_at=None).update(over_at=now) > 0


def acknowledge(notice: Notice, user: AbstractBaseUser) -> bool:
    """Whether this user was the one who did it; the first counts."""
    return acknowledge_these(Notice.objects.filter(pk=notice.pk), user) == 1


def acknowledge_until(newest: int, user: AbstractBaseUser) -> int:
    """Acknowledge all up to the newest that the user has seen, by its number; how many."""
    return acknowledge_these(Notice.objects.filter(pk__lte=newest), user)


def acknowledge_these(notices: NoticeQuerySet, user: AbstractBaseUser) -> int:
    moment = timezone.now()
    with transaction.atomic():
        titles = [*notices.open().order_by("pk").values_list("title", flat=True)[:MOST_NAMED]]
        count = notices.open().update(acknowledged_at=moment, acknowledged_by=user)
        if count:
            words = f"acknowledged: {'; '.join(titles)}"
            write_down(Deed.CHANGE, "notices", user=user, count=count, words=words)
    return count
