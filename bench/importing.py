"""The steps that use tradelog as its users do: import a file, roll it back."""

from pathlib import Path

from bench.generate import ZONE
from bench.step import Clock, calm_down
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.rollback import roll_back
from imports.running import run_import
from imports.storing import Wishes, receive
from trades.models import Trade


def take_in_earlier(folder: Path) -> dict[str, object]:
    """What makes some lines of the file known. Not measured."""
    run(folder / "earlier.csv")
    return {}


def take_in(folder: Path) -> dict[str, object]:
    calm_down()
    clock = Clock()
    with clock.running():
        log = run(folder / "fills.csv")
    counts = {
        "taken": log.success_rows,
        "known": log.skipped_rows,
        "bad": log.failed_rows,
        "row_logs": ImportRowLog.objects.filter(import_log=log).count(),
        "ledger": ImportedExecution.objects.filter(import_log=log).count(),
        "trades": Trade.objects.count(),
    }
    return {"seconds": clock.seconds, "counts": counts}


def run(path: Path) -> ImportExecutionLog:
    with path.open("rb") as source:
        log = receive(source, path.name, Wishes(timezone=ZONE))
    return run_import(log.pk, with_positions=False)


def undo(folder: Path) -> dict[str, object]:
    log = ImportExecutionLog.objects.get(file_name="fills.csv")
    calm_down()
    clock = Clock()
    with clock.running():
        deleted = roll_back(log, with_positions=False)
    counts = {
        "deleted": deleted,
        "ledger": ImportedExecution.objects.count(),
        "trades": Trade.objects.count(),
    }
    return {"seconds": clock.seconds, "counts": counts}
