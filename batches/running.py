"""The way of a batch through its executor. Read this first.

A batch that was started waits in the database. Whoever answers a bell claims the most urgent one
and works on it for a slice of time: it claims a lot of its trades, hands them to a thread that
calls the executor (calling.py), and books the answers (booking.py). Claim and booking are one
transaction each, so after a crash a trade is either pending, or booked, or `executing`: then
somebody was handed it and nobody heard the answer. What becomes of those, the next owner decides
(lots.py). At the end the batch gets its final state and a notice tells of it (ending.py).
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.utils import timezone

from batches.answers import verdict_on
from batches.booking import book
from batches.calling import Calls, Outcome
from batches.claims import (
    AWAY,
    HEARTBEAT,
    LeaseLost,
    claim,
    patiently,
    release,
    release_when_possible,
    renew,
)
from batches.ending import end, give_up
from batches.executors import Executor, lot_of, make
from batches.lots import fail_interrupted, left_behind, settle, take
from batches.models import Batch, BatchTrade
from batches.states import TradeStatus

logger = logging.getLogger(__name__)

# In a row and without a trade between them: an instruction that ends every process that executes
# it must not do so for ever.
MOST_ATTEMPTS = 3

IsOver = Callable[[Batch], bool]


def run_batch(is_over: IsOver = lambda batch: False) -> Batch | None:
    """Work on the most urgent batch that is due, until it ends or `is_over` says so.

    None if there is none, or if a user has deleted it as soon as it had ended. One that is not at
    its end is nobody's then, and still `running`. Whatever breaks off is raised, and leaves the
    batch to the next who answers.
    """
    batch = claim()
    if batch is None:
        return None
    try:
        with leaving_if_lost(batch):
            work_on(batch, is_over)
    except AWAY:  # no fault of its trades
        release_when_possible(batch, attempt=0)
        raise
    except BaseException:
        release_when_possible(batch)
        raise
    return Batch.objects.filter(pk=batch.pk).first()


@contextmanager
def leaving_if_lost(batch: Batch) -> Iterator[None]:
    """Who has lost the batch writes nothing more."""
    try:
        yield
    except LeaseLost:
        logger.info("%s is in other hands now.", batch.name)


def work_on(batch: Batch, is_over: IsOver) -> None:
    try:
        executor = make(batch.executor, batch.executor_settings)
    except ValueError as problem:
        give_up(batch, str(problem))
        return
    if batch.attempt > MOST_ATTEMPTS and not stop_what_kills(batch, executor):
        return
    alone_until = clear_up(batch, executor)
    if execute(batch, executor, alone_until, is_over):
        patiently(lambda: end(batch))
    else:
        release(batch, attempt=0)


def stop_what_kills(batch: Batch, executor: Executor) -> bool:
    """Fail what has ended its process too often; whether the batch can go on.

    By then it was alone in the hands of the last two, so the others that are left are innocent.
    """
    guilty = left_behind(batch)
    if guilty and executor.is_idempotent:
        fail_interrupted(batch, guilty, f"Interrupted {MOST_ATTEMPTS} times: it ends its worker.")
    elif not guilty:
        give_up(batch, f"Interrupted {MOST_ATTEMPTS} times before a trade was executed.")
    return bool(guilty)


def clear_up(batch: Batch, executor: Executor) -> int:
    """Settle what a dead owner left behind; the sequence up to which trades are executed alone.

    One of them may have been the end of it. The others must not be taken for that one.
    """
    rows = left_behind(batch)
    if rows:
        logger.warning("%s: %s trades were left behind by their worker.", batch.name, len(rows))
        settle(batch, executor, rows)
        return rows[-1].sequence
    if batch.attempt == 1:
        return 0
    waiting = BatchTrade.objects.filter(batch=batch, status=TradeStatus.PENDING)
    first = waiting.order_by("sequence").values_list("sequence", flat=True).first()
    return first or 0


def execute(batch: Batch, executor: Executor, alone_until: int, is_over: IsOver) -> bool:
    """Hand over and book until nothing is left to hand over, or it is over; which of the two."""
    with Calls(executor, batch.parallel, lambda: timezone.now() < batch.lease_until) as calls:
        while True:
            over = is_over(batch)
            if calls.free and not over:
                hand_over(batch, calls, alone_until)
            if not calls.in_hand:
                return not over
            if outcomes := calls.collect(HEARTBEAT):
                write_down(batch, outcomes)
            else:
                patiently(lambda: renew(batch))


def hand_over(batch: Batch, calls: Calls, alone_until: int) -> None:
    """Give each thread that has nothing to do a lot, as far as there is any."""
    size = lot_of(calls.executor)
    tasks = take(batch, size * calls.free, calls.ids, alone_until)
    for start in range(0, len(tasks), size):
        calls.hand_over(tasks[start : start + size])


def write_down(batch: Batch, outcomes: list[Outcome]) -> None:
    verdicts = [
        verdict_on(one.task.batch_trade_id, one.task.instruction.quantity, one.answer)
        for one in outcomes
    ]
    book(batch, verdicts)
