"""Measures imports on fresh databases and writes docs/performance.md.

bin/bench batches, pages, positions and syncs measure those.
"""

import argparse
import os
import sys

import psycopg

from bench import report
from bench.databases import Vendor, postgresql, sqlite
from bench.measuring import Comparison, StepFailed, compare

POSTGRES = os.environ.get("TRADELOG_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
DATABASE = "tradelog_bench"


def main() -> int:
    options = read_options()
    try:
        comparisons = measure_all([vendor_named(name) for name in options.databases], options.lines)
    except (psycopg.Error, StepFailed) as problem:
        print(problem, file=sys.stderr)
        return 1
    report.write(comparisons)
    print(f"\n{report.table(comparisons)}\n\nWritten to {report.DOCUMENT.name}.")
    return 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("--lines", nargs="+", type=line_count, default=[100_000, 1_000_000])
    parser.add_argument(
        "--databases",
        nargs="+",
        choices=("sqlite", "postgresql"),
        default=["sqlite", "postgresql"],
        help=f"PostgreSQL at TRADELOG_TEST_POSTGRES; makes and drops {DATABASE} there",
    )
    return parser.parse_args()


def line_count(text: str) -> int:
    if not (text.isdecimal() and int(text) >= 100):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number of lines, 100 or more")
    return int(text)


def vendor_named(name: str) -> Vendor:
    return sqlite() if name == "sqlite" else postgresql(POSTGRES, DATABASE)


def measure_all(vendors: list[Vendor], sizes: list[int]) -> list[Comparison]:
    comparisons = []
    for vendor in vendors:
        for lines in sizes:
            comparisons.append(compare(vendor, lines))
            print(sentence(comparisons[-1]), flush=True)
    return comparisons


def sentence(one: Comparison) -> str:
    return (
        f"{one.vendor.title}, {one.lines:,} lines: import {report.told(one.imported)}; "
        f"floor {report.told(one.floor)}; "
        f"django-import-export {report.told(one.rival, one.lines)}, "
        f"tuned {report.told(one.tuned_rival, one.lines)}; "
        f"rollback {report.told(one.undone)}."
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
