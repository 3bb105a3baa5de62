"""The jobs of this room, as the queue knows them."""

from imports.background import (
    IMPORT,
    ROLLBACK,
    import_slice,
    rollback_slice,
    waiting_imports,
    waiting_rollbacks,
)
from imports.clearing import CLEAR, clear_slice
from imports.daily import EVERY, IMPORT_YESTERDAY, import_yesterday, is_due
from imports.inbox import scan
from imports.inboxfolders import has_work
from imports.newest import newest_imports
from imports.recomputing import RECOMPUTE, recompute_positions, waiting_accounts
from joblogs.registry import Job, register
from joblogs.sections import Section, add_section
from joblogs.states import Trigger

PAGE = "import-detail"


def scan_inbox(_: int | None) -> dict[str, object]:
    return scan(Trigger.SCHEDULE).as_json()


def found_nothing(result: dict[str, object]) -> bool:
    return not any(number for what, number in result.items() if what != "waiting")


register(
    Job(IMPORT, import_slice, waiting=waiting_imports, page=PAGE),
    Job(ROLLBACK, rollback_slice, waiting=waiting_rollbacks, page=PAGE),
    Job(CLEAR, clear_slice),
    Job(RECOMPUTE, recompute_positions, waiting=waiting_accounts),
    Job(IMPORT_YESTERDAY, import_yesterday, every=EVERY, is_needed=is_due),
    Job("scan_inbox", scan_inbox, every=1, is_needed=has_work, was_idle=found_nothing),
)
add_section("imports", Section("imports.view_importexecutionlog", newest_imports))
