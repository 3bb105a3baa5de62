"""What users have said of positions: the last lines of a backup.

They are brought back once the trades are there and their positions computed. A position is known by
its first fill; where that is in the middle of another here, that one gets them. What was said here
is never changed. Each line is accounted for like that of a trade.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice, takewhile

from django.db import transaction

from imports.backupfile import BackupFile
from imports.backuplines import HEADINGS, OF_POSITIONS, require_text
from imports.claims import renew
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.problems import Problem, shown
from imports.states import Category, RowStatus
from trades.bulk import batched
from trades.forms import LONGEST_TAG
from trades.models import Position, PositionTrade
from trades.positions import recompute_touched

SLICE = 500
SIDE = HEADINGS.index("side")  # every trade has one
NOTES = HEADINGS.index("notes")
Line = tuple[int, object]  # its number, and what it says
Fill = tuple[str, str]  # account and execution id


def restore_remarks(
    log: ImportExecutionLog, file: BackupFile, on_progress: Callable[[ImportExecutionLog], None]
) -> None:
    """Take in these lines from the cursor on, each some hundred in one transaction."""
    left = islice(file.positions(), max(0, log.cursor - file.trades), None)
    for number, some in enumerate(batched(left, SLICE)):
        if not number:
            recompute_touched(on_progress=lambda fills: renew(log))
        with transaction.atomic():
            take_in(log, some)
        on_progress(log)


def take_in(log: ImportExecutionLog, some: list[Line]) -> None:
    """Account for these lines, and move the cursor behind them."""
    good = [said for _, said in some if problem_of(said) is None]
    trades, positions = places_of((said["account"], said["execution_id"]) for said in good)
    rows = [row_of(number, said, trades, positions) for number, said in some]
    for row in rows:
        row.import_log = log
    ImportRowLog.objects.bulk_create(rows)
    statuses = [row.status for row in rows]
    renew(
        log,
        total_rows=log.total_rows + len(rows),
        success_rows=log.success_rows + statuses.count(RowStatus.SUCCESS),
        skipped_rows=log.skipped_rows + statuses.count(RowStatus.SKIPPED),
        failed_rows=log.failed_rows + statuses.count(RowStatus.FAILED),
        cursor=log.cursor + len(rows),
        attempt=1,
    )


def problem_of(said: object) -> Problem | None:
    """What is wrong with a line, if it says nothing of a position."""
    try:
        if not isinstance(said, dict) or set(said) != set(OF_POSITIONS):
            raise ValueError(f"expected {', '.join(OF_POSITIONS)}")
        *words, tags = (said[name] for name in OF_POSITIONS)
        if not all(isinstance(word, str) for word in words):
            raise ValueError("expected words")
        if not isinstance(tags, list) or not all(map(is_tag, tags)):
            raise ValueError(f"expected a list of tags of at most {LONGEST_TAG} characters")
        require_text("".join([*words, *tags]))
    except ValueError as problem:
        return Problem("", "invalid_position", f"this is no position: {problem}")
    return None


def is_tag(word: object) -> bool:
    return isinstance(word, str) and 0 < len(word) <= LONGEST_TAG


def places_of(fills: Iterable[Fill]) -> tuple[dict[Fill, int], dict[int, Position]]:
    """The trades that these fills are, and by trade the position: the last that it has a part in.

    One that reverses has begun the second of its two.
    """
    wanted = set(fills)
    ledger = ImportedExecution.objects.filter(
        account__name__in={name for name, _ in wanted},
        execution_id__in={execution_id for _, execution_id in wanted},
    )
    rows = ledger.values_list("account__name", "execution_id", "trade_id")
    trades = {(name, execution_id): trade for name, execution_id, trade in rows if trade}
    parts = PositionTrade.objects.filter(trade__in=trades.values()).select_related(
        "position__instrument"
    )
    found = {}
    for part in parts.order_by("position__opened_at", "position_id"):
        if getattr(found.get(part.trade_id), "first_trade_id", None) != part.trade_id:
            found[part.trade_id] = part.position
    return trades, found


def row_of(
    number: int, said: object, trades: dict[Fill, int], positions: dict[int, Position]
) -> ImportRowLog:
    """What becomes of a line; the position has the remarks then, if it had none."""
    row = ImportRowLog(row_number=number, raw_row_data=cells_of(said))
    if problem := problem_of(said):
        return failed(row, problem)
    trade = trades.get((said["account"], said["execution_id"]))
    position = positions.get(trade)
    if position is None or position.instrument.symbol != said["instrument"]:
        words = f"{shown(said['execution_id'])} of {shown(said['account'])}"
        sentence = f"no position here has the fill {words}"
        return failed(row, Problem("", "unknown_position", sentence, Category.BUSINESS_LOGIC))
    if give(position, said):
        row.status = RowStatus.SUCCESS
        return row
    row.status, row.error_category = RowStatus.SKIPPED, Category.DUPLICATE
    row.duplicate_of_id = trade
    row.error_message = "The position has notes or tags here, which stay."
    return row


def failed(row: ImportRowLog, problem: Problem) -> ImportRowLog:
    row.status, row.error_category = RowStatus.FAILED, problem.category
    row.error_message = problem.at(row.row_number)
    row.validation_errors = [problem.as_json()]
    return row


def give(position: Position, said: dict) -> bool:
    """Whether nobody has said anything of it here, so that it takes these."""
    silent = Position.objects.filter(pk=position.pk, notes="", tags=[])
    return bool(silent.update(notes=said["notes"], tags=said["tags"]))


def cells_of(said: object) -> list[str]:
    """Below the headings of trades, so that the line is told like the others; tags behind them."""
    if problem_of(said):
        return [str(said)]
    cells = [""] * len(HEADINGS)
    cells[:3] = [said[name] for name in HEADINGS[:3]]
    cells[NOTES] = said["notes"]
    return [*cells, *said["tags"]]


# --- A rollback


def take_remarks_back(log: ImportExecutionLog) -> None:
    """Positions that have what this import has told, and no more, have nothing then."""
    for some in batched(told_by(log), SLICE):
        fills = [(cells[0], cells[2]) for cells in some]
        with transaction.atomic():
            trades, positions = places_of(fills)
            for fill, cells in zip(fills, some, strict=True):
                if position := positions.get(trades.get(fill)):
                    same = {"notes": cells[NOTES], "tags": cells[len(HEADINGS) :]}
                    told = Position.objects.filter(pk=position.pk, **same)
                    told.update(notes="", tags=[])
            renew(log)


def told_by(log: ImportExecutionLog) -> Iterator[list[str]]:
    """The cells of the lines that gave a position something; they stand behind all trades.

    Those of imports name no account.
    """
    if log.import_type != ImportExecutionLog.Type.BACKUP:
        return
    rows = log.row_logs.order_by("-row_number").values_list("status", "raw_row_data")
    behind = takewhile(lambda row: not is_of_trade(row[1]), rows.iterator(SLICE))
    yield from (cells for status, cells in behind if status == RowStatus.SUCCESS and cells[0])


def is_of_trade(cells: list[str]) -> bool:
    return len(cells) > SIDE and cells[SIDE] != ""
