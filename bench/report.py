"""The measurements as a table, between two marks of docs/performance.md."""

import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

from bench.databases import Vendor
from bench.measuring import Comparison, Measured

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BEGIN = "<!-- bin/bench writes from here -->"
END = "<!-- to here -->"

HEADINGS = (
    "database",
    "lines",
    "tradelog (a)",
    "floor (b)",
    "a/b",
    "django-import-export in bulk (c)",
    "a/c",
    "the same, tuned (c2)",
    "a/c2",
    "rollback (d)",
)


def row(one: Comparison) -> list[str]:
    return [
        one.vendor.title,
        f"{one.lines:,}",
        told(one.imported),
        told(one.floor),
        f"{one.imported.rate / one.floor.rate:.2f}",
        told(one.rival, one.lines),
        f"{one.imported.rate / one.rival.rate:.1f}",
        told(one.tuned_rival, one.lines),
        f"{one.imported.rate / one.tuned_rival.rate:.1f}",
        told(one.undone),
    ]


def told(measured: Measured, lines: int | None = None) -> str:
    """Rows per second and peak memory; how many lines there were, if not as many as `lines`."""
    peak = "" if measured.peak_kb is None else f", {measured.peak_kb / 1024:,.0f} MB"
    other = lines not in (None, measured.lines)
    return f"{measured.rate:,.0f}/s{peak}" + (f" (on {measured.lines:,} lines)" if other else "")


def table(comparisons: Iterable[Comparison]) -> str:
    return as_table(HEADINGS, map(row, comparisons))


def as_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def machine(vendors: Iterable[Vendor]) -> str:
    databases = ", ".join(f"{vendor.title} {vendor.version}" for vendor in vendors)
    return (
        f"Measured on {platform.system()}, {platform.machine()}, {os.cpu_count()} cores, "
        f"which the database shares; Python {platform.python_version()}, "
        f"Django {version('django')}, {databases}, "
        f"django-import-export {version('django-import-export')}."
    )


def write(comparisons: list[Comparison], document: Path = DOCUMENT) -> None:
    """Put the table and the machine into the document."""
    vendors = dict.fromkeys(one.vendor for one in comparisons)
    put_between(BEGIN, END, [machine(vendors), table(comparisons)], document)


def put_between(begin: str, end: str, parts: list[str], document: Path = DOCUMENT) -> None:
    """Put parts between two marks; what stands around them stays. Raises ValueError without."""
    before, found, rest = document.read_text(encoding="utf-8").partition(begin)
    _, closing, after = rest.partition(end)
    if not (found and closing):
        raise ValueError(f"{document.name} lacks the marks {begin} and {end}")
    text = "\n\n".join([before + begin, *parts, end + after])
    document.write_text(text, encoding="utf-8")
