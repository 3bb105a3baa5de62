"""The states of batches and of their trades, and the legal moves between them, as data."""

from django.db import models


class Status(models.TextChoices):
    PENDING = "pending", "Pending"
    RUNNING = "running", "Running"
    SUCCESS = "success", "Success"
    PARTIAL_SUCCESS = "partial_success", "Partial success"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class TradeStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    EXECUTING = "executing", "Executing"
    EXECUTED = "executed", "Executed"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


FINAL = frozenset({Status.SUCCESS, Status.PARTIAL_SUCCESS, Status.FAILED, Status.CANCELLED})
RETRYABLE = FINAL - {Status.SUCCESS}
# What a batch counts: its other trades are pending, or being executed.
PROCESSED = frozenset({TradeStatus.EXECUTED, TradeStatus.FAILED, TradeStatus.CANCELLED})

MOVES: dict[tuple[Status, Status], str] = {
    (Status.PENDING, Status.RUNNING): "It was started, and a worker has claimed it.",
    (Status.PENDING, Status.CANCELLED): "A user stopped it before a worker had claimed it.",
    (Status.RUNNING, Status.RUNNING): "Its owner died or has paused; another one goes on.",
    (Status.RUNNING, Status.SUCCESS): "All of its trades are executed.",
    (Status.RUNNING, Status.PARTIAL_SUCCESS): "Some of its trades are executed, the rest failed.",
    (Status.RUNNING, Status.FAILED): "None of its trades is executed.",
    (Status.RUNNING, Status.CANCELLED): "A user stopped it; what ran by then was finished.",
    (Status.PARTIAL_SUCCESS, Status.PENDING): "A user has what failed tried again.",
    (Status.FAILED, Status.PENDING): "A user has what failed tried again.",
    (Status.CANCELLED, Status.PENDING): "A user has what failed or was cancelled tried again.",
}

TRADE_MOVES: dict[tuple[TradeStatus, TradeStatus], str] = {
    (TradeStatus.PENDING, TradeStatus.EXECUTING): "The owner of its batch has claimed it.",
    (TradeStatus.PENDING, TradeStatus.FAILED): "It is no instruction that could be executed.",
    (TradeStatus.PENDING, TradeStatus.CANCELLED): "Its batch was cancelled before its turn came.",
    (TradeStatus.EXECUTING, TradeStatus.EXECUTED): "The executor did it, and the trade is booked.",
    (TradeStatus.EXECUTING, TradeStatus.FAILED): "The executor refused it, or nobody can tell.",
    (TradeStatus.EXECUTING, TradeStatus.PENDING): "Its worker died and asking again is harmless.",
    (TradeStatus.FAILED, TradeStatus.PENDING): "A user has it tried again.",
    (TradeStatus.CANCELLED, TradeStatus.PENDING): "A user has it tried again.",
}


class StateConflict(Exception):
    """The batch is not in a state that allows what was asked; the sentence says which."""
