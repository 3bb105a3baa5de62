"""The states of imports and of their lines, and the legal moves between them, as data."""

from django.db import models


class Status(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    SUCCESS = "success", "Success"
    PARTIAL = "partial", "Partial"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"
    ROLLING_BACK = "rolling_back", "Rolling back"
    ROLLED_BACK = "rolled_back", "Rolled back"


class RowStatus(models.TextChoices):
    SUCCESS = "success", "Taken in"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Known"


class Category(models.TextChoices):
    """Why a line was not taken in."""

    VALIDATION = "validation_error", "Validation error"
    PARSING = "parsing_error", "Parsing error"
    DUPLICATE = "duplicate_error", "Duplicate"
    DATABASE = "database_error", "Database error"
    BUSINESS_LOGIC = "business_logic_error", "Conflict"


ACTIVE = frozenset({Status.QUEUED, Status.RUNNING, Status.ROLLING_BACK})
RETRYABLE = frozenset({Status.FAILED, Status.PARTIAL, Status.CANCELLED})
CANCELLABLE = frozenset({Status.QUEUED, Status.RUNNING})
# A failed import counts too: one that was interrupted has taken in what came before.
REVERSIBLE = frozenset({Status.SUCCESS, Status.PARTIAL, Status.FAILED, Status.CANCELLED})

MOVES: dict[tuple[Status, Status], str] = {
    (Status.QUEUED, Status.RUNNING): "A process has claimed it and reads the file.",
    (Status.QUEUED, Status.CANCELLED): "A user stopped it before it began.",
    (Status.QUEUED, Status.FAILED): "The file could not be stored or read at all.",
    (Status.RUNNING, Status.RUNNING): "Its owner died; another process goes on at the cursor.",
    (Status.RUNNING, Status.SUCCESS): "Every line is accounted for and none failed.",
    (Status.RUNNING, Status.PARTIAL): "Every line is accounted for and some failed.",
    (Status.RUNNING, Status.FAILED): "No line of it is in the log, or the run broke off.",
    (Status.RUNNING, Status.CANCELLED): "A user stopped it.",
    (Status.SUCCESS, Status.ROLLING_BACK): "A user undoes it.",
    (Status.PARTIAL, Status.ROLLING_BACK): "A user undoes it.",
    (Status.FAILED, Status.ROLLING_BACK): "A user undoes what a broken run had taken in.",
    (Status.CANCELLED, Status.ROLLING_BACK): "A user undoes what a stopped run had taken in.",
    (Status.ROLLING_BACK, Status.ROLLING_BACK): "Its owner died; another process goes on.",
    (Status.ROLLING_BACK, Status.ROLLED_BACK): "Its trades and ledger rows are gone.",
}


class StateConflict(Exception):
    """The import is not in a state that allows what was asked; the sentence says which."""
