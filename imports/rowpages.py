"""A page of an import's row logs, found by key: as quick at the millionth line as at the first."""

from dataclasses import dataclass

from imports.models import ImportExecutionLog, ImportRowLog
from imports.states import Category, RowStatus
from web.numbers import whole_number

PAGE = 50


@dataclass(frozen=True)
class RowPage:
    """Rows in the order of the file. `previous` and `next` are the line numbers to go on from."""

    rows: list[ImportRowLog]
    status: str
    category: str
    previous: int | None
    next: int | None


def row_page(
    log: ImportExecutionLog, status: str = "", first: str = "", *, category: str = ""
) -> RowPage:
    """Up to 50 rows from the line `first` on, of one status or category, or of all.

    What is no status, category or number counts as not given.
    """
    category = category if category in Category.values else ""
    if category:  # which has one status, by which its index is found
        status = RowStatus.SKIPPED if category == Category.DUPLICATE else RowStatus.FAILED
    status = status if status in RowStatus.values else ""
    start = whole_number(first) or 0
    only = {"status": status, "error_category": category}
    only = {name: value for name, value in only.items() if value}
    rows = ImportRowLog.objects.filter(import_log=log, **only)
    here = rows.filter(row_number__gte=start).order_by("row_number")
    found = list(here.select_related("duplicate_of").prefetch_related("trades")[: PAGE + 1])
    for row in found:
        row.named_cells = named_cells(log.header, row.raw_row_data)
        row.words = " · ".join(cell for cell in row.raw_row_data if cell.strip())
    before = rows.filter(row_number__lt=start).order_by("-row_number")
    numbers_before = list(before.values_list("row_number", flat=True)[:PAGE]) if start else []
    return RowPage(
        rows=found[:PAGE],
        status=status,
        category=category,
        previous=numbers_before[-1] if numbers_before else None,
        next=found[PAGE].row_number if len(found) > PAGE else None,
    )


def named_cells(header: list[str], cells: list[str]) -> list[tuple[str, str]]:
    """The cells beside their headings; surplus cells have none, the empty last one is left out."""
    names = header + [""] * (len(cells) - len(header))
    return [(name, cell) for name, cell in zip(names, cells, strict=False) if name or cell]
