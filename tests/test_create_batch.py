"""manage.py create_batch: a batch from the command line."""

import io
import json
import os
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_q.models import Task

from batches import console
from batches.models import Batch, BatchTemplate, BatchTrade
from joblogs.schedules import ATTEND
from tests.batching import work_off
from tests.conftest import EXAMPLES
from tests.processes import end, start
from trades.models import Account, Trade

EXAMPLE = str(EXAMPLES / "batch.csv")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def accounts(db: None) -> None:
    Account.objects.create(name="Sim101")
    Account.objects.create(name="LIVE-7001")


def run(*arguments: object) -> str:
    out = io.StringIO()
    call_command("create_batch", *map(str, arguments), stdout=out)
    return out.getvalue()


def file_with(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def test_the_example() -> None:
    told = run(EXAMPLE)
    batch = Batch.objects.get()
    assert told.splitlines() == [
        f"batch: staged as batch {batch.pk}, 10 trades, 2 of them failed.",
        "  1 × Qty: 'abc' is not a number (trade 9)",
        "  1 × Account: 'NOBODY-1' is no account here; expected one that exists (trade 10)",
    ]
    assert batch.queued_at is None


def test_all_that_can_be_wished() -> None:
    BatchTemplate.objects.create(name="Morning", parallel=4)
    run(
        EXAMPLE,
        *("--name", "Monday", "--executor", "paper", "--set", "seed=7", "--set", "slippage=1"),
        *("--priority", "2", "--template", "Morning", "--column", "trade_name=Note"),
        *("--column", "notes=", "--default", "order_id=A=1", "--timezone", "America/Chicago"),
    )
    batch = Batch.objects.get()
    assert (batch.name, batch.executor, batch.priority, batch.parallel) == ("Monday", "paper", 2, 4)
    assert batch.executor_settings == {"seed": 7, "slippage": 1}
    first = BatchTrade.objects.get(sequence=1)
    assert (first.trade_name, first.notes, first.order_id) == ("opening drive", "", "A=1")
    assert first.executed_at.hour == 20


def test_a_dry_run_writes_nothing() -> None:
    told = run(EXAMPLE, "--dry-run")
    assert "10 trades, 2 of them would fail." in told
    assert "quantity from Qty" in told
    assert "line 10: Qty: 'abc' is not a number" in told
    assert not Batch.objects.exists()


def test_a_dry_run_names_what_is_bad_far_below(tmp_path: Path) -> None:
    good = {"account": "Sim101", "instrument": "AAPL", "side": "buy", "quantity": 1, "price": 9}
    items = [good] * console.PROBLEMS_SHOWN * 20 + [7]
    told = run(file_with(tmp_path / "long.json", json.dumps(items)), "--dry-run")
    assert "101 trades, 1 of them would fail." in told
    assert "trade 101: is no object" in told


def test_a_list_of_objects(tmp_path: Path) -> None:
    items = [{"account": "Sim101", "instrument": "AAPL", "side": "buy", "quantity": 1, "price": 9}]
    told = run(file_with(tmp_path / "monday.json", json.dumps(items)))
    assert told.startswith("monday: staged")


def test_a_dry_run_of_objects(tmp_path: Path) -> None:
    items = [{"account": "Sim101", "instrument": "AAPL", "side": "buy", "quantity": "x"}, 7]
    told = run(file_with(tmp_path / "monday.JSON", json.dumps(items)), "--dry-run")
    assert "2 trades, 2 of them would fail." in told
    assert "Read as JSON: account from account, instrument from instrument" in told
    assert "trade 1: quantity: 'x' is not a number" in told
    assert "trade 2: is no object" in told
    assert not Batch.objects.exists()


@pytest.mark.parametrize("content", ["", "{", "{}", "[" * 100_000])
def test_json_that_is_no_list(tmp_path: Path, content: str) -> None:
    with pytest.raises(CommandError, match=r"no JSON|holds no list"):
        run(file_with(tmp_path / "monday.json", content))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["/no/such/file.csv"], "No such file"),
        (["."], "Is a directory"),
        ([EXAMPLE, "--executor", "magic"], "no executor 'magic'"),
        ([EXAMPLE, "--set", "seed"], "--set seed: expected a name"),
        ([EXAMPLE, "--set", "magic=1"], "no setting 'magic'"),
        ([EXAMPLE, "--column", "price=Kurs"], "no column 'Kurs'"),
        ([EXAMPLE, "--default", "magic=1"], "no field 'magic'"),
        ([EXAMPLE, "--priority", "0"], "priority: 0 is not from 1 to 10"),
        ([EXAMPLE, "--template", "Evening"], "no template 'Evening'; there are: none"),
        ([EXAMPLE, "--timezone", "Mars"], "'Mars' is no time zone"),
        ([EXAMPLE, "--wait"], "give --start, too"),
    ],
)
def test_what_cannot_be_done(arguments: list[str], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        run(*arguments)
    assert not Batch.objects.exists()


def test_a_batch_of_bad_lines_only_is_a_failure(tmp_path: Path) -> None:
    path = file_with(tmp_path / "bad.csv", "Account,Symbol,Side,Qty,Price\nSim101,AAPL,buy,x,1\n")
    with pytest.raises(CommandError, match="None of its lines"):
        run(path, "--start")
    assert Batch.objects.get().queued_at is None


def test_started_for_a_worker() -> None:
    assert "a worker will take it" in run(EXAMPLE, "--start")
    assert Batch.objects.get().waits_for_worker


def test_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(console.time, "sleep", lambda seconds: work_off())
    good = (EXAMPLES / "batch.csv").read_text().splitlines()[:9]
    told = run(file_with(tmp_path / "good.csv", "\n".join(good)), "--start", "--wait")
    assert "good: success, 8 executed" in told
    assert "No worker is at work; this waits for one" in told
    assert Trade.objects.count() == 8


def test_a_worker_that_was_seen_is_waited_for_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.time, "sleep", lambda seconds: work_off())
    seen = timezone.now()
    Task.objects.create(id="1", name="attend", func=ATTEND, started=seen, stopped=seen)
    out = io.StringIO()
    with pytest.raises(CommandError, match="did not succeed with all"):
        call_command("create_batch", EXAMPLE, "--start", "--wait", stdout=out)
    assert "No worker" not in out.getvalue()


def test_waited_for_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.time, "sleep", lambda seconds: work_off())
    with pytest.raises(CommandError, match="did not succeed with all"):
        run(EXAMPLE, "--start", "--wait")


# What the process takes besides is measured before: only the lines count.
MEASURE = """
import resource, sys
import django
django.setup()
from pathlib import Path
from batches.staging import stage_csv
from trades.models import Account
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
stage_csv(Path(sys.argv[1]))
before = peak()
batch = stage_csv(Path(sys.argv[2]))
print(batch.total_trades, batch.failed_trades, peak() - before)
"""


@pytest.mark.django_db(transaction=True)
def test_memory_does_not_grow_with_the_lines(no_process_left: None, tmp_path: Path) -> None:
    heading = "Account,Symbol,Side,Qty,Price,Time,Note\n"

    def line(number: int) -> str:
        time = f"2026-01-05 {number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"
        return f"Sim101,MNQ 03-26,Buy,{number % 100},{21000 + number / 100},{time},note {number}\n"

    short, long = tmp_path / "short.csv", tmp_path / "long.csv"
    lines = int(os.environ.get("STAGED_LINES", 20_000))
    short.write_text(heading + "".join(map(line, range(2_000))))
    long.write_text(heading + "".join(map(line, range(lines))))
    ended = end(start("-c", MEASURE, str(short), str(long)))
    assert ended.status == 0, ended.err
    total, failed, megabytes = map(int, ended.out.split())
    assert (total, failed) == (lines, lines // 100)
    assert megabytes <= 12
    assert BatchTrade.objects.count() == lines + 2_000
