"""The steps that use batches as users do: stage a file, execute what was staged."""

import json
from pathlib import Path

from batches.control import start
from batches.models import Batch, BatchTrade
from batches.running import run_batch
from batches.staging import stage_csv
from batches.states import TradeStatus
from bench.generate import ACCOUNTS
from bench.step import Clock, calm_down
from imports.models import ImportedExecution
from trades.models import Account, Trade


def make_accounts(folder: Path) -> dict[str, object]:
    Account.objects.bulk_create(Account(name=name) for name in ACCOUNTS)
    return {}


def stage(folder: Path) -> dict[str, object]:
    executor = json.loads((folder / "executor.json").read_text())
    calm_down()
    clock = Clock()
    with clock.running():
        batch = stage_csv(folder / "batch.csv", executor=executor)
    counts = {
        "total": batch.total_trades,
        "bad": batch.failed_trades,
        "pending": BatchTrade.objects.filter(status=TradeStatus.PENDING).count(),
    }
    return {"seconds": clock.seconds, "counts": counts}


def execute(folder: Path) -> dict[str, object]:
    """From the claim of a worker to the end, in one slice."""
    batch = start(Batch.objects.get())
    calm_down()
    clock = Clock()
    with clock.running():
        batch = run_batch()
    counts = {
        "executed": batch.executed_trades,
        "trades": Trade.objects.filter(batch=batch).count(),
        "ledger": ImportedExecution.objects.count(),
    }
    return {"seconds": clock.seconds, "counts": counts}
