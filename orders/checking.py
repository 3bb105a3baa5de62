"""The snapshot of the open orders that readers see, beside its orders."""

from joblogs.findings import Check, Finding, Step
from joblogs.states import Trigger
from orders.models import OpenOrderSnapshot
from orders.tasks import SYNC, ask_for_sync


def look(behind: None, mend: bool) -> Step:
    current = OpenOrderSnapshot.objects.current()
    if current is None or (number := current.orders.count()) == current.total_orders:
        return Step()
    if OpenOrderSnapshot.objects.current() != current:  # replaced, and cleared, meanwhile
        return Step()
    told = f"count {current.total_orders:,}, but are {number:,}"
    words = f"the open orders (snapshot {current.pk}) {told}"
    if not mend:
        return Step([Finding(words, f"--fix has them mirrored anew ({SYNC})")])
    ask_for_sync(Trigger.COMMAND)
    return Step([Finding(words, "a worker mirrors them anew", is_mended=True)])


CHECK = Check("open orders", look)
