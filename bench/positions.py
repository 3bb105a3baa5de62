"""Measures how fast positions are computed, and the pages of them: bin/bench positions --help.

All of them anew, and for one more fill, in logs of different sizes: that must not grow with them.
Exits 1 if a page takes longer on PostgreSQL than it may. Writes docs/performance.md.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from bench import report
from bench.batches import table_of_looks
from bench.databases import Vendor, postgresql, sqlite
from bench.measuring import StepFailed, migrated, take
from bench.pages import POSTGRES

DATABASE = "tradelog_bench_positions"
JUDGED = "PostgreSQL"  # a laptop on SQLite has no million of trades in one import
BEGIN, END = "<!-- bin/bench positions writes from here -->", "<!-- to here, of positions -->"
HEADINGS = (
    "database",
    "trades",
    "all positions",
    "without the index of closings",
    "CPU",
    "memory",
    "one more fill",
    "queries",
)


def main() -> int:
    options = read_options()
    vendors = [vendor_named(name) for name in options.databases]
    try:
        rows = [tell(measure(vendor, trades)) for vendor in vendors for trades in options.trades]
        looks = {one.title: look(one, max(options.trades)) for one in vendors}
    except (psycopg.Error, StepFailed) as problem:
        print(problem, file=sys.stderr)
        return 1
    tables = [report.as_table(HEADINGS, rows), table_of_looks(looks)]
    report.put_between(BEGIN, END, tables)
    print("\n\n".join(["", *tables]))
    return 0 if all(one["ms"] <= one["most"] for one in looks.get(JUDGED, [])) else 1


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


def measure(vendor: Vendor, trades: int) -> list[str]:
    """A line of the table."""
    with filled("positionsteps.fill", vendor, trades) as (url, folder):
        built = take("positionsteps.build", url, folder)
        more = take("positionsteps.one_more", url, folder)
    with filled("positionsteps.fill", vendor, trades) as (url, folder):
        take("positionsteps.drop_index", url, folder)
        bare = take("positionsteps.build", url, folder)
    return [
        vendor.title,
        f"{trades:,}",
        f"{built['positions']:,} in {built['seconds']:.1f} s",
        f"{bare['seconds']:.1f} s",
        f"{built['cpu']:.1f} s",
        "" if built["peak_kb"] is None else f"{built['peak_kb'] / 1024:,.0f} MB",
        f"{more['ms']:.0f} ms",
        str(more["queries"]),
    ]


def look(vendor: Vendor, trades: int) -> list[dict]:
    """What each page took, of so many trades and as many positions."""
    with filled("positionviews.fill", vendor, trades) as (url, folder):
        return take("positionviews.look", url, folder)["pages"]


@contextmanager
def filled(step: str, vendor: Vendor, trades: int) -> Iterator[tuple[str, Path]]:
    with TemporaryDirectory(prefix="tradelog-bench-") as name:
        folder = Path(name)
        (folder / "sizes.json").write_text(json.dumps({"trades": trades}))
        with migrated(vendor, folder) as url:
            take(step, url, folder)
            yield url, folder


def tell(row: list[str]) -> list[str]:
    print(", ".join(row), flush=True)
    return row


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
