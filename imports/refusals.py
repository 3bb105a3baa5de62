"""Lines of a retry that are not taken in: what they bring was taken in before, by another one."""

from imports.lines import Refusal
from imports.mendedlines import MendedLine
from imports.models import ImportExecutionLog, ImportRowLog
from trades.models import Trade

SLICE = 500  # lines


def refusals_of(log: ImportExecutionLog) -> dict[int, Refusal]:
    """By line number of its file, why such a line is not taken in."""
    refused = log.mended_lines.exclude(refusal="").order_by("row_number")
    found: dict[int, Refusal] = {}
    last = 0
    while some := list(refused.filter(row_number__gt=last)[:SLICE]):
        found |= read(some)
        last = some[-1].row_number
    return found


def read(some: list[MendedLine]) -> dict[int, Refusal]:
    known = [one.known_row for one in some]
    trades = dict(
        ImportRowLog.objects.filter(pk__in=known, duplicate_of__isnull=False)
        .order_by()
        .values_list("pk", "duplicate_of")
    )
    made = Trade.objects.filter(import_row_log__in=known).order_by()
    trades |= dict(made.values_list("import_row_log", "pk"))
    return {
        one.row_number: Refusal(
            f"{one.refusal}; skipped" if one.known_row else one.refusal,
            one.known_row is not None,
            trades.get(one.known_row),
        )
        for one in some
    }
