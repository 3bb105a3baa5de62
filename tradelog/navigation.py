"""The sidebar of every page; the settings take it over."""

import re

from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.module_loading import import_string


def page_item(title: str, icon: str, view: str, permission: str) -> dict[str, object]:
    """An entry for those who have the permission."""

    def may_see(request: HttpRequest) -> bool:
        return request.user.has_perm(permission)

    return {"title": title, "icon": icon, "link": reverse_lazy(view), "permission": may_see}


def sidebar_item(title: str, icon: str, view: str) -> dict[str, object]:
    """An entry of the admin, for the staff; `view` is admin:ROOM_MODEL_changelist."""
    room, model, _ = view.removeprefix("admin:").rsplit("_", 2)
    item = page_item(title, icon, view, f"{room}.view_{model}")
    return item | {
        "permission": lambda request: request.user.is_staff and item["permission"](request)
    }


NAVIGATION = [
    {
        "title": "Trade log",
        "items": [
            page_item(
                "Import logs",
                "upload_file",
                "import-logs",
                "imports.view_importexecutionlog",
            ),
            page_item("Batches", "stacks", "batches", "batches.view_batch"),
            page_item("Open orders", "description", "open-orders", "orders.view_openorder"),
            page_item("Trades", "receipt_long", "trades", "trades.view_trade"),
            page_item("Positions", "trending_up", "positions", "trades.view_position"),
            page_item("Issues", "rule", "issues", "trades.view_integrityissue"),
            sidebar_item("Trades in bulk", "checklist", "admin:trades_trade_changelist"),
            sidebar_item("Positions in bulk", "checklist", "admin:trades_position_changelist"),
            sidebar_item("Accounts", "account_balance_wallet", "admin:trades_account_changelist"),
            sidebar_item("Instruments", "candlestick_chart", "admin:trades_instrument_changelist"),
        ],
    },
    {
        "title": "Proof",
        "items": [
            sidebar_item(
                "Imports in bulk",
                "checklist",
                "admin:imports_importexecutionlog_changelist",
            ),
            sidebar_item("Batches in bulk", "checklist", "admin:batches_batch_changelist"),
            sidebar_item("Row logs", "list_alt", "admin:imports_importrowlog_changelist"),
            sidebar_item("Ledger", "verified", "admin:imports_importedexecution_changelist"),
            sidebar_item("Issues in bulk", "checklist", "admin:trades_integrityissue_changelist"),
        ],
    },
    {
        "title": "Background",
        "items": [
            # The start page: all other addresses begin with it.
            page_item("Job logs", "assignment", "job-logs", "joblogs.view_joblog")
            | {"active": lambda request: bool(re.match("/(job-logs/.*)?$", request.path))},
            page_item("Notices", "notifications", "notices", "joblogs.view_notice"),
            page_item("Scheduler", "schedule", "scheduler", "joblogs.view_joblog"),
            sidebar_item("Syncs", "sync", "admin:orders_openordersnapshot_changelist"),
            sidebar_item("Queue", "pending_actions", "admin:django_q_schedule_changelist"),
        ],
    },
    {
        "title": "People",
        "items": [
            {"title": "API", "icon": "api", "link": reverse_lazy("api-docs")},
            sidebar_item("Tokens", "key", "admin:knox_authtoken_changelist"),
            sidebar_item("Users", "person", "admin:auth_user_changelist"),
            sidebar_item("Groups", "group", "admin:auth_group_changelist"),
        ],
    },
]


# Entries with a number: the right to see it, and who counts, found by its name, for the settings
# are read before any model is there.
COUNTED = {
    "Notices": ("joblogs.view_notice", "joblogs.notices.count_in_words"),
    "Issues": ("trades.view_integrityissue", "trades.badges.count_in_words"),
}


def navigation(request: HttpRequest) -> list[dict[str, object]]:
    """The same, with the numbers of notices that nobody has acknowledged and of standing errors.

    A page may ask for it more than once; it is counted once.
    """
    if not hasattr(request, "numbers"):
        request.numbers = {
            title: import_string(counter)()
            for title, (permission, counter) in COUNTED.items()
            if request.user.has_perm(permission)
        }
    numbers = request.numbers
    return [
        group | {"items": [counted(item, numbers.get(item["title"])) for item in group["items"]]}
        for group in NAVIGATION
    ]


def counted(item: dict[str, object], number: str | None) -> dict[str, object]:
    return item | {"badge": number} if number else item
