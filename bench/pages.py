"""Measures how quickly the pages of imports and job logs answer: bin/bench pages --help.

Exits 1 if one takes longer than it may.
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
DATABASE = "tradelog_bench_pages"


def main() -> int:
    options = read_options()
    sizes = {"imports": options.imports, "rows": options.rows, "job_logs": options.job_logs}
    try:
        found = [measure(vendor_named(name), sizes) for name in options.databases]
    except (psycopg.Error, StepFailed) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0 if all(found) else 1


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench pages", description=__doc__)
    parser.add_argument("--imports", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=1_000_000, help="lines of the largest import")
    parser.add_argument(
        "--job-logs", type=int, default=105_120, help="a year of one every 5 minutes, of 20 lines"
    )
    parser.add_argument(
        "--databases",
        nargs="+",
        choices=("sqlite", "postgresql"),
        default=["postgresql"],
        help=f"PostgreSQL at TRADELOG_TEST_POSTGRES; makes and drops {DATABASE} there",
    )
    return parser.parse_args()


def vendor_named(name: str) -> Vendor:
    return sqlite() if name == "sqlite" else postgresql(POSTGRES, DATABASE)


def measure(vendor: Vendor, sizes: dict[str, int]) -> bool:
    """Print what each page took; whether none took longer than it may."""
    with TemporaryDirectory(prefix="tradelog-bench-") as name:
        folder = Path(name)
        (folder / "sizes.json").write_text(json.dumps(sizes))
        with migrated(vendor, folder) as url:
            take("pageviews.fill", url, folder)
            pages = take("pageviews.look", url, folder)["pages"]
            take("joblogviews.fill", url, folder)
            pages += take("joblogviews.look", url, folder)["pages"]
    title = f"{vendor.title} {vendor.version}, {sizes['imports']:,} imports"
    print(f"{title}, one of {sizes['rows']:,} lines; {sizes['job_logs']:,} job logs:\n", flush=True)
    print("| page | ms at best | may take | queries |\n|---|---|---|---|")
    for page in pages:
        print(f"| {page['name']} | {page['ms']} | {page['most']} | {page['queries']} |", flush=True)
    return all(page["ms"] <= page["most"] for page in pages)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
