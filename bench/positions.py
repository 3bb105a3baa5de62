"""Measures how fast positions are computed: bin/bench positions --help.

All of them anew, and for one more fill, in logs of different sizes: that must not grow with them.
"""

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from bench.databases import Vendor, postgresql, sqlite
from bench.measuring import StepFailed, migrated, take
from bench.pages import POSTGRES

DATABASE = "tradelog_bench_positions"


def main() -> int:
    options = read_options()
    print(row("database", "trades", "all positions", "CPU", "memory", "one more fill", "queries"))
    print(row(*["---"] * 7))
    try:
        for name in options.databases:
            for trades in options.trades:
                print(measure(vendor_named(name), trades), flush=True)
    except (psycopg.Error, StepFailed) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench positions", description=__doc__)
    parser.add_argument("--trades", nargs="+", type=int, default=[100_000, 1_000_000])
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


def measure(vendor: Vendor, trades: int) -> str:
    """A line of the table."""
    with TemporaryDirectory(prefix="tradelog-bench-") as name:
        folder = Path(name)
        (folder / "sizes.json").write_text(json.dumps({"trades": trades}))
        with migrated(vendor, folder) as url:
            take("positionsteps.fill", url, folder)
            built = take("positionsteps.build", url, folder)
            more = take("positionsteps.one_more", url, folder)
    memory = "" if built["peak_kb"] is None else f"{built['peak_kb'] / 1024:,.0f} MB"
    return row(
        vendor.title,
        f"{trades:,}",
        f"{built['positions']:,} in {built['seconds']:.1f} s",
        f"{built['cpu']:.1f} s",
        memory,
        f"{more['ms']:.0f} ms",
        more["queries"],
    )


def row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
