"""Questions about batches that have a name."""

from django.db import models

from batches.states import MOVES, Status
from joblogs.owners import run_out


class BatchQuerySet(models.QuerySet):
    def due(self) -> "BatchQuerySet":
        """Started, not final, and nobody's, or of a process whose lease ran out."""
        return self.active().unowned()

    def being_undone(self) -> "BatchQuerySet":
        """Final, and a user has asked for its trades to be rolled back."""
        return self.filter(undo_requested=True, undone_at=None)

    def unowned(self) -> "BatchQuerySet":
        """Nobody's, or of a process whose lease ran out."""
        return self.filter(models.Q(owner="") | run_out())

    def active(self) -> "BatchQuerySet":
        """Started and not final: waiting for a worker, or running."""
        waits = models.Q(status=Status.PENDING, queued_at__isnull=False)
        return self.filter(waits | models.Q(status=Status.RUNNING))

    def most_urgent_first(self) -> "BatchQuerySet":
        """By priority, 1 before 10; then those that were started first.

        One that a user has cancelled comes before all: it only has to be ended.
        """
        return self.order_by("-cancel_requested", "priority", "queued_at", "id")

    def move(self, old: Status, new: Status, **values: object) -> bool:
        """Move from one state to another; whether this caller was the one who did it."""
        if (old, new) not in MOVES:
            raise ValueError(f"{old} → {new} is no legal move")
        return self.filter(status=old).update(status=new, **values) == 1
