"""The sidebar of every page; the settings name it."""

import re

from django.contrib.auth.models import AbstractBaseUser, User
from django.db.models import IntegerField, Subquery
from django.http import HttpRequest
from django.urls import reverse, reverse_lazy

from joblogs.models import Notice
from trades.issues import IntegrityIssue


def page_item(title: str, icon: str, view: str, permission: str) -> dict[str, object]:
    """An entry for those who have the permission."""

    def may_see(request: HttpRequest) -> bool:
        return request.user.has_perm(permission)

    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(view),
        "permission": may_see,
        # Not wherever the address stands in another: /trades/ does in /admin/trades/account/.
        "active": lambda request: request.path.startswith(reverse(view)),
    }


def sidebar_item(title: str, icon: str, view: str) -> dict[str, object]:
    """An entry of the admin, for the staff; `view` is admin:ROOM_MODEL_changelist."""
    room, model, _ = view.removeprefix("admin:").rsplit("_", 2)
    item = page_item(title, icon, view, f"{room}.view_{model}")
    return item | {
        "permission": lambda request: request.user.is_staff and item["permission"](request)
    }


DASHBOARD = {
    "title": "Dashboard",
    "icon": "monitoring",
    "link": reverse_lazy("admin:index"),
    "permission": lambda request: request.user.is_staff,
    # All other addresses of the admin begin with it.
    "active": lambda request: request.path == reverse("admin:index"),
}
NAVIGATION = [
    {
        "title": "Trade log",
        "items": [
            DASHBOARD,
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
            sidebar_item("Audit", "policy", "admin:audit_auditentry_changelist"),
            sidebar_item(
                "Second factors", "phonelink_lock", "admin:otp_totp_totpdevice_changelist"
            ),
            sidebar_item("Failed logins", "lock", "admin:axes_accessattempt_changelist"),
            sidebar_item("Users", "person", "admin:auth_user_changelist"),
            sidebar_item("Groups", "group", "admin:auth_group_changelist"),
        ],
    },
]


def account_menu(request: HttpRequest) -> list[dict[str, object]]:
    """Of one's own account, above "Log out"."""
    if not request.user.is_authenticated:
        return []
    password = {"title": "Change password", "link": reverse("admin:password_change")}
    return [
        *([password] if request.user.has_usable_password() else []),
        {"title": "Second factor", "link": reverse("second-factor")},
        {"title": "API tokens", "link": reverse("tokens")},
    ]


# Entries with a number: the right to see it, and what is counted.
COUNTED = {
    "Notices": ("joblogs.view_notice", Notice.objects.open),
    "Issues": ("trades.view_integrityissue", lambda: IntegrityIssue.objects.standing().errors()),
}
MOST_COUNTED = 100


class Number(Subquery):
    """How many rows a queryset finds."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def navigation(request: HttpRequest) -> list[dict[str, object]]:
    """The same, with the numbers of notices that nobody has acknowledged and of standing errors."""
    if not hasattr(request, "numbers"):  # a page may ask for it more than once
        request.numbers = numbers_for(request.user)
    return [
        group
        | {"items": [counted(item, request.numbers.get(item["title"])) for item in group["items"]]}
        for group in NAVIGATION
    ]


def numbers_for(user: AbstractBaseUser) -> dict[str, str]:
    """What this user may see of them, by the title of the entry; every page asks for it, once."""
    asked = {
        title: Number(found().order_by().values("pk")[:MOST_COUNTED])
        for title, (permission, found) in COUNTED.items()
        if user.has_perm(permission)
    }
    numbers = User.objects.filter(pk=user.pk).values(**asked).get() if asked else {}
    return {title: in_words(number) for title, number in numbers.items()}


def in_words(number: int) -> str:
    """Counted to 99; '' if there are none."""
    return f"{MOST_COUNTED - 1}+" if number == MOST_COUNTED else str(number or "")


def counted(item: dict[str, object], number: str | None) -> dict[str, object]:
    return item | {"badge": number} if number else item
