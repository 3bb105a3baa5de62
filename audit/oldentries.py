"""Old entries of the audit are deleted, if the settings say so; that stands in the audit, too."""

from collections.abc import Iterator

from django.db import transaction
from django.db.models import QuerySet

from audit.models import AuditEntry, Deed
from audit.writing import write_down
from web.ages import days_ago
from web.manyids import change

LOT = 5_000  # entries that are deleted in one transaction


def old_entries(days: int | None) -> QuerySet[AuditEntry]:
    """Those written so many days ago; none for 0."""
    if not days:
        return AuditEntry.objects.none()
    return AuditEntry.objects.filter(at__lt=days_ago(days)).order_by("at", "pk")


def forget_entries(days: int | None) -> Iterator[int]:
    """Delete them, lot by lot, each with an entry that says how many; gives the number of each."""
    while keys := list(old_entries(days).values_list("pk", flat=True)[:LOT]):
        with transaction.atomic():
            count = change("DELETE FROM audit_entries WHERE id", keys)
            if count:  # none: somebody else has just deleted them
                words = f"older than {days} days"
                write_down(Deed.CLEAR, "audit entries", count=count, words=words)
        yield count
