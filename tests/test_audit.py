"""Who did what, when, to how many and from where: written with the deed, and never changed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from knox.models import AuthToken

from audit.admin import AuditedAdmin
from audit.models import AuditEntry, Deed
from batches.control import undo
from batches.models import Batch, BatchTemplate
from imports.inbox import scan
from imports.inboxfolders import Folders
from imports.models import ImportExecutionLog
from imports.retry import retry
from imports.states import Status
from joblogs.models import JobLog
from joblogs.notices import tell
from joblogs.running import run_job, start
from joblogs.states import Trigger
from tests.apis import PASSWORD, UPLOAD, asking, basic
from tests.batching import stage
from tests.conftest import TakeIn, file_of, fill
from trades.models import Account, Instrument, IntegrityIssue, Trade
from web.readonly import ReadOnlyAdmin

PARTIAL = file_of(fill(), fill(ID="exec-2", Quantity="abc"), fill(ID="exec-3"))
HERE = "192.0.2.1"
JSON = "application/json"


@pytest.fixture
def log(take_in: TakeIn) -> ImportExecutionLog:
    log = take_in(PARTIAL)
    AuditEntry.objects.all().delete()
    return log


@pytest.fixture
def as_adam(adam: User) -> Client:
    client = Client(REMOTE_ADDR=HERE)
    client.force_login(adam)
    AuditEntry.objects.all().delete()
    return client


def entries() -> list[tuple[str, str, str, int | None]]:
    """What stands there, from the first on."""
    found = AuditEntry.objects.order_by("pk")
    return [*found.values_list("username", "deed", "subject", "count")]


def the_entry() -> tuple[str, str, str, int | None]:
    (entry,) = entries()
    return entry


# --- Deeds


def test_a_retry(as_adam: Client, log: ImportExecutionLog) -> None:
    as_adam.post(f"/api/import-logs/retry/{log.pk}")
    assert the_entry() == ("adam", "retry", "fills.csv", 1)
    entry = AuditEntry.objects.get()
    assert (entry.way, entry.address, entry.token) == ("api", HERE, "")
    assert (entry.kind, entry.subject_id) == ("import", str(log.pk))
    assert entry.words == f"failed lines, by import {log.pk + 1}"


def test_a_rollback_by_token(adam: User, log: ImportExecutionLog) -> None:
    token, secret = AuthToken.objects.create(adam)
    client = Client(REMOTE_ADDR=HERE, headers={"Authorization": f"Token {secret}"})
    client.post(f"/api/import-logs/rollback/{log.pk}", {"confirm": True}, JSON)
    assert the_entry() == ("adam", "rollback", "fills.csv", 2)
    assert AuditEntry.objects.get().token == token.token_key


def test_a_rollback_by_a_command(log: ImportExecutionLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    call_command("rollback_import", str(log.pk), "--yes")
    assert the_entry() == ("root", "rollback", "fills.csv", 2)
    entry = AuditEntry.objects.get()
    assert (entry.user, entry.way, entry.address) == (None, "command", None)


def test_a_rollback_that_goes_on_is_none_anew(log: ImportExecutionLog, adam: User) -> None:
    ImportExecutionLog.objects.update(status=Status.ROLLING_BACK)
    call_command("rollback_import", str(log.pk), "--yes")
    assert entries() == []


def test_a_system_user_without_a_name(
    log: ImportExecutionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise KeyError("uid not found: 1000")

    monkeypatch.setattr("getpass.getuser", nobody)
    retry(log)
    assert the_entry()[0] == "a command"


def test_a_clearing(as_adam: Client, log: ImportExecutionLog) -> None:
    as_adam.delete("/import-logs")
    assert the_entry() == ("adam", "clear", "import logs", 1)


def test_batches(as_adam: Client) -> None:
    batch = stage(2)
    for deed in ("start", "cancel", "retry", "cancel", "archive"):
        as_adam.put(f"/api/batches/{batch.pk}/{deed}")
    as_adam.delete(f"/api/batches/{batch.pk}")
    done = [entry[1:] for entry in entries()]
    assert done == [
        ("start", batch.name, 2),
        ("cancel", batch.name, None),
        ("retry", batch.name, 2),
        ("cancel", batch.name, None),
        ("change", batch.name, None),
        ("delete", batch.name, 2),
    ]


def test_a_batch_rolled_back(adam: User) -> None:
    batch = stage(1)
    Batch.objects.update(status="success", executed_trades=1)
    undo(batch, adam)
    assert the_entry() == ("adam", "rollback", batch.name, 1)


@pytest.mark.parametrize("way", ["page", "api"])
def test_a_template_deleted(as_adam: Client, way: str) -> None:
    pk = BatchTemplate.objects.create(name="Mornings").pk
    if way == "api":
        as_adam.delete(f"/api/batch-templates/{pk}")
    else:
        as_adam.post(reverse("batch-template-delete", args=[pk]), {"sure": "on"})
    assert (the_entry()[1:3], AuditEntry.objects.get().way) == (("delete", "Mornings"), way)


def test_trades_deleted_in_the_admin(as_adam: Client, log: ImportExecutionLog) -> None:
    chosen = [*Trade.objects.values_list("pk", flat=True)]
    data = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    as_adam.post(reverse("admin:trades_trade_changelist"), data)
    assert [entry[:2] for entry in entries()] == [("adam", "delete")] * 2
    assert {*AuditEntry.objects.values_list("way", "kind")} == {("admin", "trade")}


def test_an_account_changed_in_the_admin(as_adam: Client, log: ImportExecutionLog) -> None:
    account = Account.objects.get()
    address = reverse("admin:trades_account_change", args=[account.pk])
    as_adam.post(address, {"broker": "Rithmic", "is_active": "on"})
    assert the_entry()[1:3] == ("change", "Sim101")
    assert "Broker" in AuditEntry.objects.get().words


def test_what_a_point_is_worth(as_adam: Client, log: ImportExecutionLog) -> None:
    one = Instrument.objects.get()
    as_adam.post(reverse("point-value", args=[one.pk]), {"point_value": "5", "currency": "USD"})
    assert the_entry()[1:3] == ("change", str(one))


def test_users_made_and_put_into_groups(as_adam: Client) -> None:
    passwords = {"password1": PASSWORD, "password2": PASSWORD}
    as_adam.post(
        reverse("admin:auth_user_add"),
        {"username": "nina", "usable_password": "true"} | passwords,
    )
    assert the_entry() == ("adam", "add", "nina", None)


def test_tokens_made_and_revoked(adam: User) -> None:
    made = asking(adam).post("/api/tokens", {"days": 7}, JSON).json()
    asking(adam).delete(f"/api/tokens/{made['id']}")
    assert [entry[:2] for entry in entries()] == [("adam", "add"), ("adam", "delete")]
    assert made["token"] not in repr([*AuditEntry.objects.values()])


def test_ones_own_password_changed(as_adam: Client) -> None:
    new = {"new_password1": "another, and long", "new_password2": "another, and long"}
    as_adam.post("/admin/password_change/", {"old_password": "wrong"} | new)
    assert entries() == []
    as_adam.post("/admin/password_change/", {"old_password": PASSWORD} | new)
    assert the_entry() == ("adam", "change", "adam", None)
    assert AuditEntry.objects.get().words == "own password"
    assert "another" not in repr([*AuditEntry.objects.values()])


def test_recurring_jobs(as_adam: Client) -> None:
    for deed in ("run", "pause", "resume"):
        as_adam.post(f"/api/schedules/sync_open_orders/{deed}")
    assert [entry[1] for entry in entries()] == ["start", "pause", "resume"]


@pytest.mark.parametrize("address", ["/open-orders/sync/", "/api/open-orders/sync"])
def test_a_sync_that_is_asked_for(as_adam: Client, address: str) -> None:
    as_adam.post(address)
    as_adam.post(address)  # one waits already
    assert (the_entry()[1], AuditEntry.objects.get().words) == ("start", "sync_open_orders")


def test_notices_acknowledged(as_adam: Client) -> None:
    newest = [tell(f"key {number}", f"Notice {number}") for number in range(3)][-1]
    as_adam.put(f"/api/notices/{newest.pk}/acknowledge")
    as_adam.post(reverse("notices-acknowledge"), {"newest": newest.pk})
    as_adam.post(reverse("notices-acknowledge"), {"newest": newest.pk})
    assert entries() == [("adam", "change", "notices", 1), ("adam", "change", "notices", 2)]
    assert AuditEntry.objects.latest("pk").words == "acknowledged: Notice 0; Notice 1"


# --- What comes into the house


@pytest.mark.parametrize("key", ["", "mine"])
def test_an_upload_by_api(as_adam: Client, key: str) -> None:
    for _ in range(2 if key else 1):
        file = SimpleUploadedFile("fills.csv", PARTIAL.encode())
        as_adam.post(UPLOAD, {"file": file}, headers={"Idempotency-Key": key})
    assert the_entry() == ("adam", "add", "fills.csv", None)
    entry = AuditEntry.objects.get()
    assert (entry.kind, entry.words) == ("import", f"CSV file, {len(PARTIAL)} bytes")


def test_an_upload_by_the_page(as_adam: Client) -> None:
    files = [SimpleUploadedFile(name, PARTIAL.encode()) for name in ("a.csv", "b.csv")]
    as_adam.post(reverse("import-upload"), {"files": files})
    assert [entry[:3] for entry in entries()] == [
        ("adam", "add", "a.csv"),
        ("adam", "add", "b.csv"),
    ]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/import-sample-data", "Sample data, "),
        ("/api/import-logs/date-range", "Date range"),
        ("/import-backup", "Backup, "),
    ],
)
def test_other_imports(as_adam: Client, address: str, words: str) -> None:
    data = {"_metadata": {"filename": "mine.json"}, "trades": []}
    as_adam.post(address, data if "backup" in address else {}, JSON)
    assert the_entry()[:2] == ("adam", "add")
    assert AuditEntry.objects.get().words.startswith(words)


def test_an_import_by_a_command(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    (tmp_path / "fills.csv").write_text(file_of(fill()))
    call_command("import_csv", str(tmp_path), "--timezone", "UTC", "--dry-run")
    assert entries() == []
    call_command("import_csv", str(tmp_path), "--timezone", "UTC")
    assert the_entry() == ("root", "add", "fills.csv", None)


@pytest.mark.django_db(transaction=True)
def test_an_import_from_the_inbox_is_whose_scan_it_is(
    adam: User, tmp_path: Path, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRADELOG_INBOX_DIR = tmp_path
    monkeypatch.setattr("imports.inbox.LOOKS_APART", 0)
    for who in (adam, None):
        Folders().inbox.joinpath(f"{who}.csv").write_text(file_of(fill(ID=str(who))))
        job = start("scan_inbox", trigger=Trigger.MANUAL, asked_by=who)
        run_job(JobLog.objects.get(pk=job.pk), lambda: scan(Trigger.MANUAL).as_json())
    assert [*AuditEntry.objects.order_by("pk").values_list("username", "way", "subject")] == [
        ("adam", "worker", "adam.csv"),
        ("", "worker", "None.csv"),
    ]


def test_a_batch_made(as_adam: Client) -> None:
    lines = [{"account": "Sim101", "instrument": "AAPL", "side": "buy"}] * 2
    as_adam.post("/api/batches", {"name": "Morning", "trades": lines}, JSON)
    assert the_entry() == ("adam", "add", "Morning", 2)


def test_a_template_made_and_changed(as_adam: Client) -> None:
    wanted = {"name": "Mornings", "executor": "journal"}
    made = as_adam.post("/api/batch-templates", wanted, JSON).json()["template"]
    as_adam.put(f"/api/batch-templates/{made['id']}", wanted, JSON)
    assert [entry[1:3] for entry in entries()] == [("add", "Mornings"), ("change", "Mornings")]


# --- What users say


@pytest.fixture
def issues(log: ImportExecutionLog) -> list[IntegrityIssue]:
    trade = Trade.objects.earliest("pk")
    found = IntegrityIssue.objects.bulk_create(
        IntegrityIssue(
            kind="gap",
            account=trade.account,
            instrument=trade.instrument,
            trade=trade,
            key=str(number),
            occurred_at=trade.executed_at,
            shows_from=trade.executed_at,
        )
        for number in range(2)
    )
    return sorted(found, key=lambda one: one.pk)


def test_issues_dismissed_and_restored(as_adam: Client, issues: list[IntegrityIssue]) -> None:
    first, second = (one.pk for one in issues)
    as_adam.post(reverse("issues-dismiss"), {"issue": [first, second], "reason": "moved in"})
    as_adam.put(f"/api/issues/{second}/restore")
    as_adam.put(f"/api/issues/{second}/restore")
    assert entries() == [
        ("adam", "change", f"integrity issues {first}, {second}", 2),
        ("adam", "change", f"integrity issues {second}", 1),
    ]
    words = [*AuditEntry.objects.order_by("pk").values_list("words", flat=True)]
    assert words == ["dismissed: moved in", "dismissal taken back"]


def test_remarks(as_adam: Client, log: ImportExecutionLog) -> None:
    address = reverse("trade", args=[Trade.objects.earliest("pk").pk])
    as_adam.post(address, {"notes": "too early", "reviewed": "on"})
    as_adam.post(address, {"notes": "too early", "reviewed": "on"})
    assert the_entry()[1] == "change"
    entry = AuditEntry.objects.get()
    assert (entry.kind, entry.words) == ("trade", "notes, reviewed")


# --- What a worker does


@pytest.mark.django_db(transaction=True)
def test_what_a_worker_does_is_whose_job_it_is(adam: User, log: ImportExecutionLog) -> None:
    AuditEntry.objects.all().delete()
    job = start("x", trigger=Trigger.MANUAL, asked_by=adam)
    run_job(JobLog.objects.get(pk=job.pk), lambda: retry(log) and None)
    entry = AuditEntry.objects.get()
    assert (entry.username, entry.way, entry.deed) == ("adam", "worker", "retry")


# --- What leaves the house

EXPORTS = [
    "/api/import-logs/download/{}?format=json",
    "/api/import-logs/download/{}?format=csv",
    "/import-logs/{}/file/",
    "/import-backup",
    "/trades/export/?account=Sim101",
    "/positions/export/",
    "/open-orders/export/",
]


@pytest.mark.parametrize("address", EXPORTS)
def test_what_is_taken_out(as_adam: Client, log: ImportExecutionLog, address: str) -> None:
    address = address.format(log.pk)
    answer = as_adam.get(address, headers={"Accept": "application/json"})
    assert answer.headers["Content-Disposition"].startswith("attachment"), answer
    name = answer.headers["Content-Disposition"].partition('"')[2].rstrip('"')
    list(answer)  # closed behind its end
    assert the_entry()[:3] == ("adam", "export", name)
    entry = AuditEntry.objects.get()
    assert entry.words.endswith(address)
    assert entry.address == HERE


def test_a_batch_is_taken_out(as_adam: Client) -> None:
    list(as_adam.get(f"/api/batches/{stage(1).pk}/export?format=csv"))
    assert the_entry()[1] == "export"


def test_a_backup_by_a_command(log: ImportExecutionLog, tmp_path: object) -> None:
    call_command("backup", f"{tmp_path}/all.jsonl.gz")
    assert the_entry()[1:] == ("export", f"{tmp_path}/all.jsonl.gz", 2)


def test_what_is_refused_has_not_left(client: Client, log: ImportExecutionLog) -> None:
    client.get("/import-backup")
    client.get(f"/api/import-logs/download/{log.pk}?format=json")
    assert entries() == []


def test_nothing_leaves_without_an_entry(
    as_adam: Client, log: ImportExecutionLog, unwritable: None
) -> None:
    as_adam.raise_request_exception = False
    assert as_adam.get("/import-backup").status_code == 500


# --- Logins


def test_logins(vera: User) -> None:
    client = Client(REMOTE_ADDR=HERE)
    client.post("/login/", {"username": "vera", "password": "wrong"})
    client.post("/login/", {"username": "vera", "password": PASSWORD})
    client.post("/admin/logout/")
    assert entries() == [
        ("", "login_failed", "vera", None),
        ("vera", "login", "", None),
        ("vera", "logout", "", None),
    ]
    assert {*AuditEntry.objects.values_list("address", flat=True)} == {HERE}


def test_a_lock_is_told_once(vera: User) -> None:
    client = Client(REMOTE_ADDR=HERE)
    for number in range(9):
        client.post("/login/", {"username": "vera", "password": f"guess {number}"})
    assert [entry[1] for entry in entries()] == ["login_failed"] * 5 + ["locked"]


def test_a_failed_login_of_a_program(vera: User) -> None:
    Client().get("/api/tokens", headers={"Authorization": basic("vera", "wrong")})
    assert the_entry()[1:3] == ("login_failed", "vera")
    assert AuditEntry.objects.get().way == "api"


def test_a_password_typed_for_a_name_is_not_kept(vera: User) -> None:
    Client().post("/login/", {"username": "my secret password", "password": ""})
    Client().post("/login/", {"username": "my secret password", "password": "x"})
    assert "secret" not in repr([*AuditEntry.objects.values()])
    assert the_entry()[2] == "an unknown name"


def test_an_unlocking(as_adam: Client, vera: User) -> None:
    Client().post("/login/", {"username": "vera", "password": "wrong"})
    address = reverse("admin:axes_accessattempt_changelist")
    rows = as_adam.get(address).context["cl"].queryset.filter(username="vera")
    data = {"action": "unlock_selected", "_selected_action": [rows.get().pk]}
    as_adam.post(address, data)
    assert entries()[-1] == ("adam", "unlock", "vera", None)


# --- Both or neither


@pytest.fixture
def unwritable(as_adam: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def fail(**_: object) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(AuditEntry.objects, "create", fail)
    as_adam.raise_request_exception = False


DEEDS: list[tuple[str, Callable[[ImportExecutionLog], str]]] = [
    ("post", lambda log: f"/api/import-logs/retry/{log.pk}"),
    ("post", lambda log: f"/api/import-logs/rollback/{log.pk}"),
    ("delete", lambda log: "/import-logs"),
    ("put", lambda log: f"/api/batches/{Batch.objects.get().pk}/start"),
    ("delete", lambda log: f"/api/batches/{Batch.objects.get().pk}"),
    ("post", lambda log: "/api/schedules/sync_open_orders/pause"),
    ("post", lambda log: "/api/tokens"),
    ("post", lambda log: "/import-sample-data"),
    ("post", lambda log: "/api/batches"),
]


DATA = {"confirm": True, "name": "Morning", "trades": [{}]}


@pytest.mark.parametrize(("method", "address"), DEEDS)
def test_no_deed_without_its_entry(
    as_adam: Client,
    log: ImportExecutionLog,
    unwritable: None,
    method: str,
    address: Callable[[ImportExecutionLog], str],
) -> None:
    stage(1)
    before = state()
    answer = getattr(as_adam, method)(address(log), DATA, content_type=JSON)
    assert answer.status_code == 500
    assert state() == before


def state() -> list[object]:
    return [
        [*ImportExecutionLog.objects.values_list("pk", "status").order_by("pk")],
        [*Batch.objects.values_list("pk", "queued_at", "status")],
        AuthToken.objects.count(),
        Trade.objects.count(),
    ]


# --- Never changed


def test_nobody_changes_or_deletes_an_entry(as_adam: Client) -> None:
    as_adam.post("/admin/logout/")
    as_adam.force_login(User.objects.get())
    pk = AuditEntry.objects.first().pk
    before = [*AuditEntry.objects.values()]
    pages = [reverse(f"admin:audit_auditentry_{deed}", args=[pk]) for deed in ("change", "delete")]
    pages.append(reverse("admin:audit_auditentry_add"))
    data = {"words": "nothing happened", "post": "yes"}
    assert [as_adam.post(page, data).status_code for page in pages] == [403, 403, 403]
    chosen = {"action": "delete_selected", "_selected_action": [pk], "post": "yes"}
    as_adam.post(reverse("admin:audit_auditentry_changelist"), chosen)
    assert [*AuditEntry.objects.values()] == before


def test_entries_outlive_their_user(as_adam: Client, vera: User) -> None:
    Client().post("/login/", {"username": "vera", "password": PASSWORD})
    vera.delete()
    assert [*AuditEntry.objects.values_list("user", "username", "deed")] == [
        (None, "vera", "login")
    ]


@pytest.mark.parametrize(("group", "status"), [("viewer", 403), ("operator", 403), ("admin", 200)])
def test_who_sees_them(client: Client, db: None, group: str, status: int) -> None:
    nora = User.objects.create_user("nora", is_staff=True)
    nora.groups.add(Group.objects.get(name=group))
    client.force_login(nora)
    assert client.get(reverse("admin:audit_auditentry_changelist")).status_code == status


@pytest.mark.parametrize("query", ["deed__exact=login", "way__exact=page", "q=adam", "q=zoe"])
def test_they_are_found(as_adam: Client, adam: User, query: str) -> None:
    Client().post("/login/", {"username": "adam", "password": PASSWORD})
    found = as_adam.get(reverse("admin:audit_auditentry_changelist") + f"?{query}")
    assert len(found.context["cl"].result_list) == (query != "q=zoe")


def test_every_admin_that_changes_anything_is_audited() -> None:
    ours = admin.site._registry.values()
    assert [one for one in ours if not isinstance(one, ReadOnlyAdmin | AuditedAdmin)] == []


def test_every_deed_is_done_somewhere() -> None:
    assert len(Deed) == 18
