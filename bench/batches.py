"""Measures batches, and the pages of them: bin/bench batches --help.

Exits 1 if a page takes longer than it may. Writes docs/performance.md.
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from bench import report
from bench.__main__ import line_count
from bench.databases import Vendor, postgresql, sqlite
from bench.instructions import write_file
from bench.measuring import Measured, StepFailed, migrated, take

POSTGRES = os.environ.get("TRADELOG_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
DATABASE = "tradelog_bench_batches"
EXECUTORS = ("journal", "paper")
BEGIN, END = "<!-- bin/bench batches writes from here -->", "<!-- to here, of batches -->"


@dataclass(frozen=True)
class BatchMeasured:
    """One batch on one database: how it was staged, and how it was executed."""

    vendor: Vendor
    executor: str
    staged: Measured
    executed: Measured


def main() -> int:
    options = read_options()
    vendors = [vendor_named(name) for name in options.databases]
    try:
        found = [
            tell(measure(vendor, executor, trades))
            for vendor in vendors
            for executor in EXECUTORS
            for trades in options.trades
        ]
        looks = {v.title: look(v, options.batches, max(options.trades)) for v in vendors}
    except (psycopg.Error, StepFailed) as problem:
        print(problem, file=sys.stderr)
        return 1
    tables = [table_of(found), table_of_looks(looks)]
    report.put_between(BEGIN, END, tables)
    print("\n\n".join(["", *tables]))
    return 0 if all(one["ms"] <= one["most"] for pages in looks.values() for one in pages) else 1


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench batches", description=__doc__)
    parser.add_argument("--trades", nargs="+", type=line_count, default=[10_000, 100_000])
    parser.add_argument("--batches", type=int, default=10_000, help="those that the pages show")
    parser.add_argument(
        "--databases",
        nargs="+",
        choices=("sqlite", "postgresql"),
        default=["sqlite", "postgresql"],
        help=f"PostgreSQL at TRADELOG_TEST_POSTGRES; makes and drops {DATABASE} there",
    )
    return parser.parse_args()


def vendor_named(name: str) -> Vendor:
    return sqlite() if name == "sqlite" else postgresql(POSTGRES, DATABASE)


# --- Staging and executing


def measure(vendor: Vendor, executor: str, trades: int) -> BatchMeasured:
    """Raises StepFailed if a step breaks off, or leaves other rows than it must."""
    with TemporaryDirectory(prefix="tradelog-bench-") as name:
        folder = Path(name)
        write_file(folder, trades)
        (folder / "executor.json").write_text(json.dumps(executor))
        with migrated(vendor, folder) as url:
            take("batching.make_accounts", url, folder)
            staged = measured("stage", url, folder, total=trades, bad=0, pending=trades)
            executed = measured(
                "execute", url, folder, executed=trades, trades=trades, ledger=trades
            )
    return BatchMeasured(vendor, executor, staged, executed)


def measured(step: str, url: str, folder: Path, **right: int) -> Measured:
    found = take(f"batching.{step}", url, folder)
    if found["counts"] != right:
        raise StepFailed(f"{step} left {found['counts']}; expected {right}")
    return Measured(max(right.values()), found["seconds"], found["peak_kb"], found["counts"])


def tell(one: BatchMeasured) -> BatchMeasured:
    staged, executed = report.told(one.staged), report.told(one.executed)
    print(
        f"{one.vendor.title}, {one.staged.lines:,} trades by {one.executor}: staged {staged}, "
        f"executed {executed}.",
        flush=True,
    )
    return one


def table_of(found: list[BatchMeasured]) -> str:
    headings = ["database", "executor", "trades", "staged from CSV", "executed"]
    rows = [
        [
            one.vendor.title,
            one.executor,
            f"{one.staged.lines:,}",
            report.told(one.staged),
            report.told(one.executed),
        ]
        for one in found
    ]
    return report.as_table(headings, rows)


# --- The pages


def look(vendor: Vendor, batches: int, trades: int) -> list[dict]:
    """What each page took, with so many batches, one of which has so many trades."""
    with TemporaryDirectory(prefix="tradelog-bench-") as name:
        folder = Path(name)
        sizes = {"batches": batches, "trades": trades}
        (folder / "sizes.json").write_text(json.dumps(sizes))
        with migrated(vendor, folder) as url:
            take("batchviews.fill", url, folder)
            return take("batchviews.look", url, folder)["pages"]


def table_of_looks(looks: dict[str, list[dict]]) -> str:
    headings = ["page", *(f"ms on {title}" for title in looks), "may take", "queries"]
    rows = [
        [ones[0]["name"], *(str(one["ms"]) for one in ones), str(ones[0]["most"])]
        + [str(max(one["queries"] for one in ones))]
        for ones in zip(*looks.values(), strict=True)
    ]
    return report.as_table(headings, rows)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
