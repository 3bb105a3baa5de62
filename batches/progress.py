"""How far batches are, as the API and the live pages tell it."""

from collections.abc import Collection

from batches.models import Batch

ASKED = (
    "batch_uid",
    "status",
    "total_trades",
    "executed_trades",
    "failed_trades",
    "cancelled_trades",
    "queued_at",
    "updated_at",
)


def progress_of(batch: Batch) -> dict[str, object]:
    """As it stands in `batch`; the database is not asked."""
    return {
        "batch_id": str(batch.batch_uid),
        "status": batch.status,
        "total_trades": batch.total_trades,
        "processed_trades": batch.processed_trades,
        "failed_trades": batch.failed_trades,
        "progress_percentage": batch.progress_percentage,
        "is_completed": batch.is_completed,
        "is_active": batch.is_active,
        "updated_at": batch.updated_at,
    }


def progress_of_all(ids: Collection[int]) -> list[dict[str, object]]:
    """Of those batches, by number and in that order, that exist; one question for all."""
    found = Batch.objects.only(*ASKED).in_bulk(ids)
    return [progress_of(found[pk]) for pk in ids if pk in found]
