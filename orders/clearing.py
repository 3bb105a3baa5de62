"""Old snapshots go, in deletes that are short enough for everybody else.

The orders of a replaced snapshot stay for a while: somebody may be reading them. The snapshots
themselves, which tell how each sync went, stay for a month.
"""

from collections.abc import Callable
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from orders.models import OpenOrder, OpenOrderSnapshot
from orders.states import Status

LOT = 1_000  # orders in one delete
STILL_READ = timedelta(minutes=4)
HISTORY = timedelta(days=30)


def mark_replaced(current: OpenOrderSnapshot) -> None:
    """Note when the complete snapshots before this one were replaced."""
    older = OpenOrderSnapshot.objects.filter(status=Status.COMPLETE, pk__lt=current.pk)
    older.filter(replaced_at=None).update(replaced_at=timezone.now())


def clear_old(goes_on: Callable[[], None]) -> int:
    """Delete what nobody will read any more; how many orders. Calls `goes_on` between deletes."""
    current = OpenOrderSnapshot.objects.current()
    if current is not None:
        mark_replaced(current)
    cleared = 0
    for snapshot in with_orders_to_clear(current):
        while deleted := clear_lot(snapshot):
            cleared += deleted
            goes_on()
    forget_old(current)
    return cleared


def with_orders_to_clear(current: OpenOrderSnapshot | None) -> list[OpenOrderSnapshot]:
    broken = Q(status__in=[Status.FAILED, Status.EMPTY])
    replaced = Q(status=Status.COMPLETE, replaced_at__lt=timezone.now() - STILL_READ)
    old = OpenOrderSnapshot.objects.filter(broken | replaced).filter(has_orders())
    return list(old.exclude(pk=current.pk if current else None))


def clear_lot(snapshot: OpenOrderSnapshot) -> int:
    orders = OpenOrder.objects.filter(snapshot=snapshot)
    numbers = list(orders.order_by("number").values_list("number", flat=True)[:LOT])
    return orders.filter(number__lte=numbers[-1]).delete()[0] if numbers else 0


def forget_old(current: OpenOrderSnapshot | None) -> None:
    old = OpenOrderSnapshot.objects.filter(finished_at__lt=timezone.now() - HISTORY)
    old = old.exclude(has_orders()).exclude(pk=current.pk if current else None)
    OpenOrderSnapshot.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:LOT])).delete()


def has_orders() -> Exists:
    return Exists(OpenOrder.objects.filter(snapshot=OuterRef("pk")))
