"""What has changed between two snapshots, asked of the database: no order comes into memory."""

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, QuerySet

from orders.models import OpenOrder, OpenOrderSnapshot


@dataclass(frozen=True)
class Changes:
    """Orders that the one before has not, has otherwise, and that are not there any more.

    repeated: rows with an order that an earlier row has too.
    """

    new: int
    changed: int
    gone: int
    repeated: int


def compare(snapshot: OpenOrderSnapshot, before: OpenOrderSnapshot | None) -> Changes:
    """All orders are new if there is none before."""
    ours = OpenOrder.objects.filter(snapshot=snapshot)
    theirs = OpenOrder.objects.filter(snapshot=before)
    counts = ours.aggregate(rows=Count("pk"), orders=Count("key", distinct=True))
    return Changes(
        new=without(ours, theirs, "key"),
        # What is there in both, but not with this content.
        changed=without(ours, theirs, "key", "content") - without(ours, theirs, "key"),
        gone=without(theirs, ours, "key"),
        repeated=counts["rows"] - counts["orders"],
    )


def without(these: QuerySet[OpenOrder], others: QuerySet[OpenOrder], *fields: str) -> int:
    """How many of these have no counterpart among the others."""
    same = others.filter(**{name: OuterRef(name) for name in fields})
    return these.filter(~Exists(same)).count()
