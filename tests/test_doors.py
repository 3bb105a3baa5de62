"""Every door but those of the API (tests/test_api_rights.py): who may pass, and nobody else does.

The addresses, the models of the admin and its actions are walked; what is new has to be added here.
"""

from collections.abc import Callable

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import URLPattern, get_resolver, reverse
from rest_framework.views import APIView

from batches.models import Batch, BatchTemplate
from imports.models import ImportExecutionLog
from joblogs.models import JobLog, Notice
from tests.conftest import TakeIn
from tests.world import everything
from trades.models import Instrument, Position, Trade

# Each may what those before may. `staff` has no rights, but may enter the admin.
PEOPLE = ["stranger", "nobody", "staff", "viewer", "operator", "admin", "superuser"]

# By the name of its address: who is the first that may. Those without a name stand by the address.
PAGES = {
    "login": "stranger",
    "login-code": None,  # but for whom the session waits
    "second-factor": "nobody",
    "admin/login/": "stranger",
    "admin/logout/": "stranger",
    "admin/password_change/": "nobody",
    "admin/password_change/done/": "nobody",
    **dict.fromkeys(["tokens", "token-revoke"], "nobody"),
    "dashboard-sample": "operator",
    "dashboard-part": "staff",
    "health": "stranger",
    "health-web": "stranger",
    "metrics": "viewer",
    "job-logs/": "stranger",
    **dict.fromkeys(["job-logs", "job-log", "job-log-lines", "notices", "scheduler"], "viewer"),
    **dict.fromkeys(["schedule-run", "notices-acknowledge", "notice-acknowledge"], "operator"),
    **dict.fromkeys(["schedule-pause", "schedule-resume"], "admin"),
    **dict.fromkeys(["open-orders", "open-order", "open-orders-export"], "viewer"),
    "open-orders-sync": "operator",
    **dict.fromkeys(["import-logs", "import-detail", "import-rows", "import-errors"], "viewer"),
    **dict.fromkeys(["import-performance", "import-counts"], "viewer"),
    **dict.fromkeys(["import-download", "import-file"], "viewer"),
    **dict.fromkeys(["import-upload", "import-date-range", "import-backup"], "operator"),
    **dict.fromkeys(["import-retry", "import-cancel", "import-correct"], "operator"),
    "import-backup-download": "operator",
    "import-rollback": "admin",
    **dict.fromkeys(["batches", "batch-history", "batch-progress", "batch"], "viewer"),
    **dict.fromkeys(["batch-results", "batch-templates"], "viewer"),
    **dict.fromkeys(["batch-new", "batch-preview", "batch-copy"], "operator"),
    **dict.fromkeys(["batch-start", "batch-cancel", "batch-retry", "batch-priority"], "operator"),
    **dict.fromkeys(["batch-template-new", "batch-template"], "operator"),
    **dict.fromkeys(["batch-template-delete", "batch-delete", "batch-undo"], "admin"),
    **dict.fromkeys(["batch-archive", "batch-unarchive"], "admin"),
    **dict.fromkeys(["trades", "trade", "trades-export"], "viewer"),
    **dict.fromkeys(["positions", "position", "positions-export", "positions-totals"], "viewer"),
    "point-value": "admin",
    "issues": "viewer",
    **dict.fromkeys(["issues-dismiss", "issues-restore"], "operator"),
}

# Where it is another for one of the methods: what is only shown by GET, or refused to everybody.
OTHERWISE = {
    ("get", "dashboard-sample"): "staff",
    ("post", "metrics"): "stranger",
    ("post", "position"): "operator",
    ("post", "trade"): "admin",
}

# By model: who is the first that sees, adds, changes and deletes in the admin; None: nobody.
# Imports and batches lead to their own pages, a job log shows its own: nothing to change there.
OF_SUPERUSERS = ("superuser", None, None, None)
SHOWN = ("viewer", None, None, None)
ADMIN = {
    **dict.fromkeys(["AccessAttempt", "Schedule", "OrmQ", "Success", "Failure"], OF_SUPERUSERS),
    **dict.fromkeys(["User", "Group"], ("superuser",) * 4),
    "AuthToken": ("superuser", "superuser", None, "superuser"),
    "TOTPDevice": ("superuser", None, None, "superuser"),
    "AuditEntry": ("admin", None, None, None),
    **dict.fromkeys(["Notice", "IntegrityIssue", "OpenOrderSnapshot", "OpenOrder"], SHOWN),
    **dict.fromkeys(["ImportRowLog", "ImportedExecution", "BatchTrade"], SHOWN),
    "JobLog": ("viewer", None, "viewer", None),
    "ImportExecutionLog": ("viewer", "operator", "staff", None),
    "Batch": ("viewer", None, "staff", None),
    **dict.fromkeys(["Account", "Instrument"], ("viewer", "admin", "admin", "admin")),
    "Position": ("viewer", None, "operator", None),
    "Trade": ("viewer", None, "admin", "admin"),
}
ACTIONS = {
    **dict.fromkeys([f"{name}.delete_selected" for name in ("User", "Group")], "superuser"),
    **dict.fromkeys(["AuthToken.delete_selected", "TOTPDevice.delete_selected"], "superuser"),
    "AccessAttempt.unlock_selected": "superuser",
    "Notice.acknowledge_selected": "operator",
    "IntegrityIssue.dismiss_selected": "operator",
    "IntegrityIssue.restore_selected": "operator",
    **dict.fromkeys([f"{name}.delete_selected" for name in ("Account", "Instrument")], "admin"),
    "ImportExecutionLog.retry_selected": "operator",
    "ImportExecutionLog.cancel_selected": "operator",
    "ImportExecutionLog.roll_back_selected": "admin",
    "Batch.retry_selected": "operator",
    "Batch.cancel_selected": "operator",
    "Batch.archive_selected": "admin",
    "Trade.make_batch": "operator",
    "Trade.delete_selected": "admin",
}


@pytest.fixture
def world(take_in: TakeIn) -> None:
    everything(take_in)
    BatchTemplate.objects.create(name="Mornings")


def user_of(who: str) -> User | None:
    """A member of the group; from `staff` on also of the staff."""
    if who == "stranger":
        return None
    staff = {"is_staff": who != "nobody", "is_superuser": who == "superuser"}
    user = User.objects.create_user(who, **staff)
    user.groups.set(Group.objects.filter(name=who))
    return user


def client_of(who: str) -> Client:
    client = Client(raise_request_exception=False)
    if user := user_of(who):
        client.force_login(user)
    return client


def first_that_may(may: Callable[[str], bool]) -> str | None:
    """Who comes behind may, too: test_rights.py says that they have all rights of those before."""
    return next((who for who in PEOPLE if may(who)), None)


# --- Pages


def pages() -> dict[str, URLPattern]:
    """Every address that is neither of the API nor of a model of the admin, by its name."""
    found = {}
    patterns = [("", one) for one in get_resolver().url_patterns]
    while patterns:
        prefix, one = patterns.pop()
        address = prefix + str(one.pattern)
        if hasattr(one, "url_patterns"):
            inner = [] if getattr(one, "namespace", "") == "admin" else one.url_patterns
            patterns += [(address, deeper) for deeper in inner]
        elif not issubclass(getattr(one.callback, "cls", object), APIView):
            found[one.name or address] = (one, address)
    return found


def address_of(name: str) -> str:
    """With the numbers and words that lead to something."""
    one, address = pages()[name]
    subjects = {"imports": ImportExecutionLog, "joblogs": JobLog, "batches": Batch}
    room = one.callback.__module__.partition(".")[0]
    model = subjects.get(room, Trade)
    others = {"position": Position, "point-value": Instrument, "notice-acknowledge": Notice}
    others |= dict.fromkeys(["batch-template", "batch-template-delete"], BatchTemplate)
    pk = others.get(name, model).objects.order_by("pk").first().pk
    words = {"name": "sync_open_orders", "form": "csv", "row": "3", "key": "x", "pk": str(pk)}
    if name == "dashboard-part":
        words["name"] = "attention"
    for word, value in words.items():
        for kind in ("int", "str", "slug"):
            address = address.replace(f"<{kind}:{word}>", value)
    return f"/{address}"


def is_let_in(client: Client, method: str, address: str) -> bool:
    answer = getattr(client, method)(address)
    list(answer)
    to_login = answer.status_code == 302 and "/login/" in answer.url
    return answer.status_code not in (401, 403) and not to_login


def test_every_page_is_here() -> None:
    assert pages().keys() == PAGES.keys()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_page_is_for_those_who_may(world: None, method: str) -> None:
    clients = {who: client_of(who) for who in PEOPLE}
    found = {}
    for name in PAGES.keys() - {"admin/logout/"}:
        address = address_of(name)
        found[name] = first_that_may(lambda who: is_let_in(clients[who], method, address))  # noqa: B023
    assert found == {name: OTHERWISE.get((method, name), PAGES[name]) for name in found}


# --- The admin


def test_a_model_is_for_those_who_may(world: None) -> None:
    clients = {who: client_of(who) for who in PEOPLE}
    found = {
        model.__name__: tuple(
            first_that_may(lambda who: opens(clients[who], model, page))  # noqa: B023
            for page in ("changelist", "add", "change", "delete")
        )
        for model in admin.site._registry
    }
    assert found == ADMIN


def opens(client: Client, model: type[Model], page: str) -> bool:
    """The page of one row opens for those who may not change it, too, but takes nothing."""
    one = model.objects.order_by("pk").first()
    arguments = [one.pk] if page in ("change", "delete") else []
    names = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
    address = reverse(names, args=arguments)
    return is_let_in(client, "post" if page == "change" else "get", address)


def test_an_action_is_for_those_who_may(db: None) -> None:
    users = {who: user_of(who) for who in PEOPLE[1:]}
    found = {}
    for model, one in admin.site._registry.items():
        offered = {who: actions_of(one, user) for who, user in users.items()}
        for name in offered["superuser"]:
            first = first_that_may(lambda who: name in offered.get(who, ()))  # noqa: B023
            found[f"{model.__name__}.{name}"] = first
    assert found == ACTIONS


def actions_of(one: admin.ModelAdmin, user: User) -> set[str]:
    request = RequestFactory().get("/")
    request.user = user
    return {*one.get_actions(request)}


# --- What is no page


def test_static_files_are_all_that_is_given_to_strangers(world: None) -> None:
    client = client_of("stranger")
    assert client.get("/static/error.css").status_code == 200
    stored = ImportExecutionLog.objects.get().stored_path
    for address in (f"/static/../files/{stored.name}", f"/files/{stored.name}", "/static/../.env"):
        assert client.get(address).status_code == 404
