"""What an answer of an executor makes of a batch trade: its state, its message, its trade."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from batches.executors import Fill, Rejection
from batches.states import TradeStatus
from trades.models import plain

MOST_DIGITS, MOST_DECIMALS, MOST_WHOLE = 15, 10, 15  # what every database keeps exactly
LONGEST_ORDER_ID = 200
# Every message of a trade that may have been executed although it failed says the one or the other.
VERIFY = "verify at the broker"
NOT_BOOKED = "It was executed, but"
INTERRUPTED = f"Interrupted: {VERIFY} whether it was executed."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a batch trade becomes. With a fill it is executed, and there will be a trade."""

    batch_trade_id: int
    status: TradeStatus
    message: str = ""
    fill: Fill | None = None


def verdict_on(batch_trade_id: int, quantity: Decimal, answer: Fill | Rejection | None) -> Verdict:
    """`quantity` is what was asked for; no answer means that nobody has begun."""
    if answer is None:
        return Verdict(batch_trade_id, TradeStatus.PENDING)
    if isinstance(answer, Rejection):
        reason = answer.reason.strip() or "The executor refused it without a reason."
        return Verdict(batch_trade_id, TradeStatus.FAILED, reason)
    if problem := problem_of(answer):
        message = f"{NOT_BOOKED} cannot be booked: {problem}. Verify it at the broker."
        return Verdict(batch_trade_id, TradeStatus.FAILED, message)
    message = " ".join(filter(None, [partly(answer.quantity, quantity), answer.message.strip()]))
    return Verdict(batch_trade_id, TradeStatus.EXECUTED, message, answer)


def unbookable(verdict: Verdict, refusal: Exception) -> Verdict:
    """The same when the database refuses the trade."""
    words = str(refusal).strip().partition("\n")[0]
    message = f"{NOT_BOOKED} the database refused to book it: {words}"
    return Verdict(verdict.batch_trade_id, TradeStatus.FAILED, message)


def partly(filled: Decimal, quantity: Decimal) -> str:
    return "" if filled == quantity else f"Filled {plain(filled)} of {plain(quantity)}."


def problem_of(fill: Fill) -> str:
    """Why this is no fill that could be booked; '' if it is one."""
    for name in ("quantity", "price", "commission"):
        if problem := problem_of_number(getattr(fill, name)):
            return f"its {name} {problem}"
    if fill.quantity <= 0:
        return f"its quantity is {plain(fill.quantity)}"
    if not isinstance(fill.executed_at, datetime) or timezone.is_naive(fill.executed_at):
        return "its time has no zone"
    if len(fill.order_id) > LONGEST_ORDER_ID:
        return f"its order id has more than {LONGEST_ORDER_ID} characters"
    return ""


def problem_of_number(number: object) -> str:
    if not isinstance(number, Decimal) or not number.is_finite():
        return f"is {number!r}, no decimal number"
    _, digits, exponent = number.normalize().as_tuple()
    if max(len(digits), len(digits) + exponent) > MOST_DIGITS or -exponent > MOST_DECIMALS:
        return f"has more digits than can be kept exactly: {number}"
    return ""


def counted(verdicts: Sequence[Verdict], status: TradeStatus) -> int:
    return sum(verdict.status == status for verdict in verdicts)
