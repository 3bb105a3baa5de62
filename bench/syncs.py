"""Measures syncs of open orders, their speed and their memory: bin/bench syncs --help.

Exits 1 if the memory grows with the number of orders.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from bench.databases import Vendor, postgresql, sqlite
from bench.measuring import StepFailed, migrated, take

POSTGRES = os.environ.get("TRADELOG_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
DATABASE = "tradelog_bench_syncs"
CHANGED = 10  # of so many orders one changes, in bench/syncing.py
MOST_GROWTH = 64  # MB from the fewest orders to the most


def main() -> int:
    options = read_options()
    print("| database | orders | the first sync | the next, with a tenth changed |")
    print("|---|---|---|---|")
    try:
        grown = [measure(vendor_named(name), options.orders) for name in options.databases]
    except (psycopg.Error, StepFailed) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0 if max(grown) <= MOST_GROWTH else 1


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench syncs", description=__doc__)
    parser.add_argument("--orders", nargs="+", type=int, default=[10_000, 100_000])
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


def measure(vendor: Vendor, sizes: list[int]) -> float:
    """Print how each number of orders went; by how many MB the memory grew between them."""
    peaks = []
    for number in sizes:
        seconds, memory = zip(*two_syncs(vendor, number), strict=True)
        told = [
            f"{number / took:,.0f}/s, {peak:,.0f} MB"
            for took, peak in zip(seconds, memory, strict=True)
        ]
        print(f"| {vendor.title} | {number:,} | {' | '.join(told)} |", flush=True)
        peaks += memory
    return max(peaks) - min(peaks)


def two_syncs(vendor: Vendor, number: int) -> list[tuple[float, float]]:
    """Seconds and the peak memory in MB (0 where the system does not tell) of each.

    Raises StepFailed if not exactly these orders are there at its end.
    """
    with TemporaryDirectory(prefix="tradelog-bench-") as name, migrated(vendor, Path(name)) as url:
        (Path(name) / "sizes.json").write_text(json.dumps({"orders": number}))
        found = [take(f"syncing.{step}", url, Path(name)) for step in ("first", "again")]
    for one, expected in zip(found, right_counts(number), strict=True):
        if one["counts"] != expected:
            raise StepFailed(f"A sync left {one['counts']}; expected {expected}")
    return [(one["seconds"], (one["peak_kb"] or 0) / 1024) for one in found]


def right_counts(number: int) -> list[dict[str, int]]:
    """What the first sync of so many orders must leave, and what the next."""
    changed = -(-number // CHANGED)
    return [
        {"kept": number, "new": number, "changed": 0},
        {"kept": number, "new": 0, "changed": changed},
    ]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
