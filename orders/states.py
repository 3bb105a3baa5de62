"""The states of a snapshot of the open orders, the moves between them, its steps; as data."""

from django.db import models


class Status(models.TextChoices):
    LOADING = "loading", "Loading"
    COMPLETE = "complete", "Complete"
    EMPTY = "empty", "Source empty"
    FAILED = "failed", "Failed"


class Step(models.TextChoices):
    """What a sync does one after the other."""

    TIDY = "tidy", "Clearing old snapshots"
    CONNECT = "connect", "Connecting to the source"
    FETCH = "fetch", "Fetching"
    WRITE = "write", "Importing"
    COMPARE = "compare", "Comparing with the snapshot before"


MOVES: dict[tuple[Status, Status], str] = {
    (Status.LOADING, Status.COMPLETE): "All its orders are in; it is what readers see from now on.",
    (Status.LOADING, Status.EMPTY): "The source gave nothing; the snapshot before stays.",
    (Status.LOADING, Status.FAILED): "It broke off, or its process died; the one before stays.",
}
