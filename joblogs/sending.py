"""Sending a notice on to mail, chat or another program. Nobody gets one twice unnoticed.

Who wants to send it claims it first, and what became of it is written down after every receiver.
Between the two a process may die: then nobody can tell whether the message went out, and it is
not sent again; the page says so. Only what was surely refused is tried again, three times in all.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from joblogs.models import Notice
from joblogs.owners import is_dead, new_owner
from joblogs.receivers import Answer, Receiver, receivers
from joblogs.states import Delivery

logger = logging.getLogger(__name__)

WAITS = [timedelta(minutes=1), timedelta(minutes=5)]  # behind the first attempt, the second
MOST_ATTEMPTS = 1 + len(WAITS)
LOST_AFTER = timedelta(minutes=10)  # longer than the queue lets any task run
MOST_AT_ONCE = 50
NOBODY_KNOWS = (
    "It broke off while it was sent; nobody can tell whether it arrived, so it is not sent again."
)


def send_notice(notice_id: int | None) -> dict[str, object]:
    """Send a notice that is due, unless another process does."""
    found = receivers()
    if not found:
        Notice.objects.filter(pk=notice_id).move(Delivery.WAITING, Delivery.KEPT)
        logger.info("The settings name no receiver; nothing was sent.")
        return {"left": True}
    notice = claim(notice_id)
    if notice is None:
        logger.info("The notice is not to be sent now; nothing was done.")
        return {"left": True}
    asked = [(one, reach(notice, one)) for one in found if one.mark not in notice.reached]
    refused = [(one, answer) for one, answer in asked if not answer.is_taken]
    finish(notice, refused)
    return {"notice": notice.pk, "reached": len(asked) - len(refused), "refused": len(refused)}


def claim(notice_id: int | None) -> Notice | None:
    """Become the one who sends a notice; None if it is not due, or somebody else was first."""
    owner = new_owner()
    won = (
        Notice.objects.due()
        .filter(pk=notice_id)
        .move(
            Delivery.WAITING,
            Delivery.SENDING,
            owner=owner,
            claimed_at=timezone.now(),
            attempts=F("attempts") + 1,
        )
    )
    return Notice.objects.get(pk=notice_id, owner=owner) if won else None


def reach(notice: Notice, receiver: Receiver) -> Answer:
    """Send it to one receiver, and remember it if that has taken it."""
    answer = receiver.send(notice.title, in_full(notice), notice.level)
    if answer.is_taken:
        notice.reached.append(receiver.mark)
        ours = Notice.objects.filter(pk=notice.pk, owner=notice.owner)
        ours.update(reached=notice.reached)
        logger.info("Sent to %s.", receiver.title)
    else:
        logger.warning("Not sent to %s: %s.", receiver.title, answer.reason)
    return answer


def in_full(notice: Notice) -> str:
    """The text, and the address of the page if the settings say where this server is reached."""
    base = settings.TRADELOG_PUBLIC_URL.rstrip("/")
    page = f"{base}{notice.url}" if base and notice.url else ""
    return "\n\n".join(filter(None, [notice.text, page]))


def finish(notice: Notice, refused: list[tuple[Receiver, Answer]]) -> None:
    """Write down how it went, if it is still ours."""
    now = timezone.now()
    state, values = how_it_went(notice, [answer for _, answer in refused], now)
    words = "; ".join(f"{receiver.title}: {answer.reason}" for receiver, answer in refused)
    ours = Notice.objects.filter(pk=notice.pk, owner=notice.owner)
    if not ours.move(Delivery.SENDING, state, error=words, **values):
        logger.warning("It took so long that it was given up meanwhile.")


def how_it_went(
    notice: Notice, refusals: list[Answer], now: datetime
) -> tuple[Delivery, dict[str, object]]:
    """Its next state, and what else changes with it."""
    if not refusals:
        return Delivery.SENT, {"sent_at": now}
    if not all(answer.is_certain for answer in refusals):
        return Delivery.UNKNOWN, {}
    if notice.attempts < MOST_ATTEMPTS:
        return Delivery.WAITING, {"send_at": now + WAITS[notice.attempts - 1], "owner": ""}
    return Delivery.FAILED, {}


def waiting_notices() -> Iterable[int]:
    """Notices that are due, and for which the bell may have been lost."""
    give_up_the_lost()
    return list(Notice.objects.due().order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])


def give_up_the_lost() -> int:
    """Those whose sender died, or has said nothing for too long; how many there were."""
    too_long_ago = timezone.now() - LOST_AFTER
    sending = Notice.objects.filter(delivery=Delivery.SENDING)
    lost = [one for one in sending if is_dead(one.owner) or one.claimed_at < too_long_ago]
    return sum(
        Notice.objects.filter(pk=one.pk, owner=one.owner).move(
            Delivery.SENDING, Delivery.UNKNOWN, error=NOBODY_KNOWS
        )
        for one in lost
    )
