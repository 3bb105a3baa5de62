"""Why the trades of a batch failed: the same sentence once, with how many and which."""

from django.db.models import Count, F, Min, QuerySet, Window
from django.db.models.functions import RowNumber

from batches.models import Batch, BatchTrade
from batches.states import TradeStatus

MOST_GROUPS = 100
SHOWN = 20  # sequences of each


def failed_of(batch: Batch) -> QuerySet[BatchTrade]:
    return BatchTrade.objects.filter(batch=batch, status=TradeStatus.FAILED).order_by()


def grouped_errors(batch: Batch) -> list[dict[str, object]]:
    """The most frequent sentences first: {"message", "count", "sequences"}.

    At most MOST_GROUPS, each with the first SHOWN of the sequences.
    """
    counted = (
        failed_of(batch).values("error_message").annotate(count=Count("pk"), first=Min("sequence"))
    )
    groups = {
        one["error_message"]: {
            "message": one["error_message"],
            "count": one["count"],
            "sequences": [],
        }
        for one in counted.order_by("-count", "first")[:MOST_GROUPS]
    }
    place = Window(RowNumber(), partition_by="error_message", order_by="sequence")
    first = failed_of(batch).filter(error_message__in=groups).annotate(place=place)
    for message, sequence in (
        first.filter(place__lte=SHOWN).order_by("sequence").values_list("error_message", "sequence")
    ):
        groups[message]["sequences"].append(sequence)
    return list(groups.values())


def count_messages(batch: Batch) -> int:
    """How many different sentences there are."""
    return failed_of(batch).values(message=F("error_message")).distinct().count()
