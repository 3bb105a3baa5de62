"""The name under which a process works on something, and whether that process still lives.

A lease, or a heartbeat, says when others may take over; on the machine of the owner one need not
wait for that: a process that is gone will not come back. Who is taken for dead by mistake loses its
work and writes nothing more, so a mistake costs time only.
"""

import os
import socket
import uuid
from datetime import datetime, timedelta
from pathlib import Path

from django.db.models import Q
from django.utils import timezone

FARTHEST = timedelta(minutes=15)  # no lease is as long
HOST = socket.gethostname().replace(":", "-")[:20]


def run_out() -> Q:
    """Leases that are over; also one that ends later than any can: the clock was set back since."""
    now = timezone.now()
    return Q(lease_until__lt=now) | Q(lease_until__gt=now + FARTHEST)


def is_over(lease_until: datetime) -> bool:
    now = timezone.now()
    return not now <= lease_until <= now + FARTHEST


def new_owner() -> str:
    """A name that no other claim has: host, process, when that began, and chance."""
    pid = os.getpid()
    return f"{HOST}:{pid}:{begun(pid) or 0}:{uuid.uuid4().hex[:12]}"


def is_dead(owner: str) -> bool:
    """Whether the owner was a process of this machine that is gone. False where nobody can tell."""
    host, _, rest = owner.partition(":")
    pid, _, rest = rest.partition(":")
    then = rest.partition(":")[0]
    if (
        host != HOST
        or not pid.isdecimal()
        or not then.isdecimal()
        or not Path("/proc/self").exists()
    ):
        return False
    return begun(int(pid)) != int(then)


def begun(pid: int) -> int | None:
    """When a process began, in ticks since the machine did; None for one that is gone (Linux)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # Behind the name of the program, which may hold anything: state, then 18 numbers, then this.
    state, *numbers = stat.rpartition(")")[2].split()
    return None if state in "ZX" else int(numbers[18])
