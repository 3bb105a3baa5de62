"""The measurement of batches takes place; how long anything takes is no matter here."""

import json
from pathlib import Path

import pytest

from bench import batches, batching, report
from bench.databases import sqlite
from bench.instructions import write_file
from bench.measuring import Measured


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("executor", batches.EXECUTORS)
def test_every_trade_is_staged_and_executed(tmp_path: Path, executor: str) -> None:
    write_file(tmp_path, 120)
    (tmp_path / "executor.json").write_text(json.dumps(executor))
    batching.make_accounts(tmp_path)
    staged, executed = batching.stage(tmp_path), batching.execute(tmp_path)
    assert staged["counts"] == {"total": 120, "bad": 0, "pending": 120}
    assert executed["counts"] == {"executed": 120, "trades": 120, "ledger": 120}
    assert min(staged["seconds"], executed["seconds"]) > 0


def test_what_was_measured_is_told() -> None:
    staged = Measured(10_000, 2.0, 102_400, {})
    one = batches.BatchMeasured(sqlite(), "paper", staged, Measured(10_000, 4.0, None, {}))
    last = batches.table_of([one]).splitlines()[-1]
    assert last == "| SQLite | paper | 10,000 | 5,000/s, 100 MB | 2,500/s |"


def test_the_pages_stand_side_by_side() -> None:
    looks = {
        "SQLite": [{"name": "dashboard", "ms": 12.5, "most": 500, "queries": 7}],
        "PostgreSQL": [{"name": "dashboard", "ms": 14.0, "most": 500, "queries": 9}],
    }
    last = batches.table_of_looks(looks).splitlines()[-1]
    assert last == "| dashboard | 12.5 | 14.0 | 500 | 9 |"


def test_the_document_has_a_place_for_the_tables(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text(report.DOCUMENT.read_text(encoding="utf-8"), encoding="utf-8")
    report.put_between(batches.BEGIN, batches.END, ["| a |"], document)
    text = document.read_text(encoding="utf-8")
    assert f"{batches.BEGIN}\n\n| a |\n\n{batches.END}" in text
    with pytest.raises(ValueError, match="lacks the marks"):
        report.put_between("<!-- elsewhere -->", batches.END, [], document)
