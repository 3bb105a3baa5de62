"""Hand a queued import over to the queue."""

from imports.models import ImportExecutionLog
from imports.running import run_import


def start_import(log: ImportExecutionLog, trigger: str) -> None:
    """`trigger` is what asked for it: schedule, command…"""
    run_import(log.pk)
