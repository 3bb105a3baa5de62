"""Which of its trades the owner of a batch hands over next, and what a dead owner left behind."""

import logging
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from batches.answers import INTERRUPTED, Verdict, verdict_on
from batches.booking import book, give_back, key_of
from batches.calling import Task
from batches.claims import patiently, renew
from batches.executors import NOT_DONE, Executor, Fill, Instruction, NotDone, Rejection
from batches.models import Batch, BatchTrade
from batches.states import TradeStatus

logger = logging.getLogger(__name__)

PLACES = ("account", "instrument")
FIELDS = (
    "batch_id",
    "sequence",
    "side",
    "quantity",
    "price",
    "commission",
    "executed_at",
    "order_id",
    "trade_name",
    "attempts",
    "account__name",
    "instrument__symbol",
    "instrument__tick_size",
)


def take(batch: Batch, count: int, in_hand: Sequence[int], alone_until: int) -> list[Task]:
    """The next trades of the batch, at most so many, claimed for us before anybody executes them.

    None once a user wants the batch cancelled. `in_hand` are those that we have claimed before.
    Those up to a sequence of `alone_until` come alone, with nothing else in hand. Raises LeaseLost.
    """
    return patiently(lambda: take_once(batch, count, in_hand, alone_until))


def take_once(batch: Batch, count: int, in_hand: Sequence[int], alone_until: int) -> list[Task]:
    with transaction.atomic():
        renew(batch)
        if Batch.objects.filter(pk=batch.pk, cancel_requested=True).exists():
            return []
        trades = BatchTrade.objects.filter(batch=batch)
        # Claimed by us, but the connection broke and we were never told: nobody has begun them.
        stray = trades.filter(status=TradeStatus.EXECUTING).exclude(pk__in=in_hand)
        give_back(list(stray.values_list("pk", flat=True)))
        waiting = trades.filter(status=TradeStatus.PENDING).order_by("sequence")
        rows = list(waiting.select_related(*PLACES).only(*FIELDS)[:count])
        if rows and rows[0].sequence <= alone_until:
            rows = [] if in_hand else rows[:1]
        BatchTrade.objects.filter(pk__in=[row.pk for row in rows]).update(
            status=TradeStatus.EXECUTING, attempts=F("attempts") + 1
        )
    return [Task(row.pk, instruction_of(batch, row, row.attempts + 1)) for row in rows]


def instruction_of(batch: Batch, row: BatchTrade, attempt: int) -> Instruction:
    """What the executor is told of a batch trade."""
    return Instruction(
        key=key_of(batch, row.sequence),
        sequence=row.sequence,
        account=row.account.name,
        instrument=row.instrument.symbol,
        side=row.side,
        quantity=row.quantity,
        price=row.price,
        executed_at=row.executed_at,
        commission=row.commission,
        order_id=row.order_id,
        name=row.trade_name,
        attempt=attempt,
        tick_size=row.instrument.tick_size,
    )


# --- What a dead owner left behind


def left_behind(batch: Batch) -> list[BatchTrade]:
    """Those that were handed over by a process that is gone; nobody heard the answer."""
    executing = BatchTrade.objects.filter(batch=batch, status=TradeStatus.EXECUTING)
    return list(executing.select_related(*PLACES).only(*FIELDS).order_by("sequence"))


def settle(batch: Batch, executor: Executor, rows: Sequence[BatchTrade]) -> None:
    """Find out about them, ask again where that is harmless, and else leave it to the user."""
    for row in rows:
        if executor.is_idempotent:
            continue
        known = look_up(executor, instruction_of(batch, row, row.attempts))
        if known is not NOT_DONE:
            answer = known or Rejection(INTERRUPTED)
            book(batch, [verdict_on(row.pk, row.quantity, answer)])
    patiently(lambda: ask_again(batch))


def look_up(executor: Executor, instruction: Instruction) -> Fill | Rejection | NotDone | None:
    try:
        return executor.look_up(instruction)
    except Exception as problem:
        logger.warning("%s cannot be looked up: %s", instruction.key, problem)
        return None


def ask_again(batch: Batch) -> None:
    """What is still `executing` waits again; that it was handed over before is remembered."""
    with transaction.atomic():
        renew(batch)
        executing = BatchTrade.objects.filter(batch=batch, status=TradeStatus.EXECUTING)
        executing.update(status=TradeStatus.PENDING)


def fail_interrupted(batch: Batch, rows: Sequence[BatchTrade], message: str) -> None:
    """End these, and nobody will execute them again unless a user says so."""
    book(batch, [Verdict(row.pk, TradeStatus.FAILED, message) for row in rows])
