"""What a run has done, in words."""

from collections import Counter
from typing import TYPE_CHECKING

from django.db.models import F

from bench.soak.programs import Service
from imports.models import ImportExecutionLog
from joblogs.models import JobLog

if TYPE_CHECKING:
    from bench.soak.run import Run

WARM, LONG = 15, 45  # samples, of two seconds each, until a process is warm, and has lived long


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def told(run: "Run", seconds: float) -> str:
    lines = [f"Done in {clock(seconds)}: {counted(run.model.done)}."]
    lines.append(f"Mishaps: {counted(run.trouble.done) or 'none'}.")
    rows = sum(ImportExecutionLog.objects.values_list("total_rows", flat=True))
    ended = ImportExecutionLog.objects.exclude(completed_at=None).count()
    minutes = run.plan.seconds / 60
    lines.append(f"{ended / minutes:.0f} imports and {rows / minutes:,.0f} lines in a minute.")
    lines.append(f"Imports waited for a worker {waited()}.")
    lines += [memory(service) for service in run.services]
    return "\n".join(filter(None, lines))


def counted(things: Counter[str]) -> str:
    return ", ".join(f"{number:,} {what}" for what, number in sorted(things.items()))


def waited() -> str:
    """Between the bell and the beginning: of jobs whose bell was answered at once, and of all."""
    started = JobLog.objects.filter(job="import").exclude(started_at=None)
    waits = started.annotate(wait=F("started_at") - F("created_at"))
    seconds = sorted(one.total_seconds() for one in waits.values_list("wait", flat=True))
    if not seconds:
        return "never"
    middle, most = seconds[len(seconds) // 2], seconds[len(seconds) * 95 // 100]
    return f"{middle:.2f} s (median; 95 % at most {most:.1f} s)"


def memory(service: Service) -> str:
    """The most that a process of it had, and what grew the most in a minute or more."""
    if not service.memory:
        return ""
    most = max(map(max, service.memory.values()))
    lives = [life[WARM:] for life in service.memory.values() if len(life) > LONG]
    said = f"{service.name}: started {service.starts} times, at most {most:.0f} MB in one process"
    if lives:
        life = max(lives, key=lambda one: one[-1] - one[0])
        said += f"; grew from {life[0]:.0f} to {life[-1]:.0f} MB in {clock(2 * len(life))}"
    return f"{said}."
