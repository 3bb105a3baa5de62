"""Who may do what by the API: every address, for strangers, and for each kind of user."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import get_resolver, reverse
from drf_spectacular.views import SpectacularSwaggerSplitView
from knox.models import AuthToken
from rest_framework.views import APIView

from imports.models import ImportExecutionLog
from tests.apis import PASSWORD, asking, basic, refused
from tests.conftest import TakeIn, file_of, fill
from tradelog.tokens import Token, Tokens
from web.api import ApiView, NothingHere

EVERYBODY = {"stranger", "nobody", "viewer", "operator", "admin"}
USERS = EVERYBODY - {"stranger"}
READERS = {"viewer", "operator", "admin"}
OPERATORS = {"operator", "admin"}

# Who may call what. {} is the number of an import, or of nothing.
DOORS: dict[tuple[str, str], set[str]] = {
    ("get", "/import-logs"): READERS,
    ("delete", "/import-logs"): {"admin"},
    ("post", "/import-sample-data"): OPERATORS,
    ("get", "/import-backup"): OPERATORS,
    ("post", "/import-backup"): OPERATORS,
    ("get", "/api/import-logs/list"): READERS,
    ("get", "/api/import-logs/detail/{}"): READERS,
    ("get", "/api/import-logs/failed-rows/{}"): READERS,
    ("post", "/api/import-logs/upload"): OPERATORS,
    ("post", "/api/import-logs/date-range"): OPERATORS,
    ("post", "/api/import-logs/retry/{}"): OPERATORS,
    ("get", "/api/import-logs/rollback-preview/{}"): READERS,
    ("post", "/api/import-logs/rollback/{}"): {"admin"},
    ("get", "/api/import-logs/download/{}"): READERS,
    ("get", "/api/import-logs/affected-trades/{}"): READERS,
    ("get", "/api/import-logs/stats"): READERS,
    ("get", "/api/batches"): READERS,
    ("post", "/api/batches"): OPERATORS,
    ("get", "/api/batches/active"): READERS,
    ("get", "/api/batches/recent"): READERS,
    ("get", "/api/batches/{}"): READERS,
    ("delete", "/api/batches/{}"): {"admin"},
    ("get", "/api/batches/{}/trades"): READERS,
    ("get", "/api/batches/{}/progress"): READERS,
    ("get", "/api/batches/{}/results"): READERS,
    ("get", "/api/batches/{}/errors"): READERS,
    ("get", "/api/batches/{}/export"): READERS,
    ("put", "/api/batches/{}/start"): OPERATORS,
    ("put", "/api/batches/{}/cancel"): OPERATORS,
    ("put", "/api/batches/{}/retry"): OPERATORS,
    ("put", "/api/batches/{}/undo"): {"admin"},
    ("put", "/api/batches/{}/archive"): {"admin"},
    ("put", "/api/batches/{}/unarchive"): {"admin"},
    ("put", "/api/batches/{}/priority"): OPERATORS,
    ("get", "/api/batch-templates"): READERS,
    ("post", "/api/batch-templates"): OPERATORS,
    ("get", "/api/batch-templates/{}"): READERS,
    ("put", "/api/batch-templates/{}"): OPERATORS,
    ("delete", "/api/batch-templates/{}"): {"admin"},
    ("get", "/api/open-orders"): READERS,
    ("get", "/api/open-orders/{}"): READERS,
    ("post", "/api/open-orders/sync"): OPERATORS,
    ("get", "/api/trades"): READERS,
    ("get", "/api/trades/{}"): READERS,
    ("get", "/api/positions"): READERS,
    ("get", "/api/positions/{}"): READERS,
    ("get", "/api/issues"): READERS,
    ("put", "/api/issues/{}/dismiss"): OPERATORS,
    ("put", "/api/issues/{}/restore"): OPERATORS,
    ("get", "/api/job-logs"): READERS,
    ("get", "/api/job-logs/{}"): READERS,
    ("get", "/api/job-logs/{}/lines"): READERS,
    ("get", "/api/notices"): READERS,
    ("put", "/api/notices/{}/acknowledge"): OPERATORS,
    ("get", "/api/schedules"): READERS,
    ("post", "/api/schedules/{}/run"): OPERATORS,
    ("post", "/api/schedules/{}/pause"): {"admin"},
    ("post", "/api/schedules/{}/resume"): {"admin"},
    ("get", "/api/tokens"): USERS,
    ("post", "/api/tokens"): USERS,
    ("delete", "/api/tokens/x"): USERS,
    ("get", "/api/schema"): USERS,
}


@pytest.fixture
def log(take_in: TakeIn) -> ImportExecutionLog:
    return take_in(file_of(fill(), fill(ID="exec-2", Quantity="abc")))


def client_of(who: str) -> Client:
    if who == "stranger":
        return asking()
    user = User.objects.create_user(who, password=PASSWORD)
    if who != "nobody":
        user.groups.add(Group.objects.get(name=who))
    return asking(user)


@pytest.mark.parametrize("who", sorted(EVERYBODY))
@pytest.mark.parametrize(("method", "address"), DOORS, ids=str)
def test_a_door_opens_for_those_who_may(
    log: ImportExecutionLog, method: str, address: str, who: str
) -> None:
    response = getattr(client_of(who), method)(address.format(log.pk))
    if who == "stranger":
        refused(response, 401, "NOT_AUTHENTICATED")
        assert response.headers["WWW-Authenticate"] == "Token"
    elif who not in DOORS[method, address]:
        refused(response, 403, "PERMISSION_DENIED")
    else:
        assert response.status_code not in (401, 403), response
        list(response)  # a download is closed behind its end


def test_nothing_happens_to_those_who_may_not(log: ImportExecutionLog) -> None:
    operator = client_of("operator")
    operator.post(f"/api/import-logs/rollback/{log.pk}", {"confirm": True}, "application/json")
    operator.delete("/import-logs")
    client_of("viewer").post(f"/api/import-logs/retry/{log.pk}")
    assert [*ImportExecutionLog.objects.values_list("status", flat=True)] == ["partial"]


def views_of_the_api() -> dict[str, type[APIView]]:
    """Every view of the API by its address."""
    found = {}
    patterns = [("", pattern) for pattern in get_resolver().url_patterns]
    while patterns:
        prefix, pattern = patterns.pop()
        address = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            patterns += [(address, inner) for inner in pattern.url_patterns]
        elif issubclass(getattr(pattern.callback, "cls", object), APIView):
            found[re.sub(r"<str:\w+>", "{}", address)] = pattern.callback.cls
    return found


def test_every_door_is_tried() -> None:
    views = {f"/{address}": view for address, view in views_of_the_api().items()}
    others = (NothingHere, SpectacularSwaggerSplitView)
    views = {address: view for address, view in views.items() if view not in others}
    tried = {(method, address.replace("tokens/x", "tokens/{}")) for method, address in DOORS}
    there = {
        (method, address)
        for address, view in views.items()
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(view, method)
    }
    assert there == tried


def test_every_method_asks_for_a_right() -> None:
    views = [view for view in views_of_the_api().values() if issubclass(view, ApiView)]
    for view in {*views} - {Token, Tokens}:
        methods = {name.upper() for name in view.http_method_names if hasattr(view, name)}
        asked = {method for method, rights in view.rights.items() if rights}
        assert asked >= methods - {"HEAD"}, view
    assert len(views) == 53


def test_the_page_to_browse_the_api(client: Client, vera: User) -> None:
    assert client.get("/api/docs").url == "/login/?next=/api/docs"
    client.force_login(vera)
    page, script = client.get("/api/docs"), client.get("/api/docs?script=")
    assert [page.status_code, script.status_code] == [200, 200]
    assert b"https://" not in page.content + script.content


# --- How one logs in


def test_a_session_is_a_login(client: Client, vera: User) -> None:
    client.force_login(vera)
    assert client.get("/api/import-logs/list").status_code == 200


def test_a_session_changes_nothing_without_a_csrf_token(adam: User) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Accept": "application/json"})
    client.force_login(adam)
    refused(client.delete("/import-logs"), 403, "PERMISSION_DENIED")
    refused(client.post("/import-sample-data"), 403, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    "site", ["https://evil.example", "http://testserver.evil", "null", "http://["]
)
def test_a_form_of_another_site_has_no_use_of_a_kept_password(adam: User, site: str) -> None:
    """A browser that knows a password for HTTP Basic sends it along, whoever's page asks."""
    answer = asking(adam).post("/import-sample-data", headers={"Origin": site})
    refused(answer, 403, "PERMISSION_DENIED")
    assert not ImportExecutionLog.objects.exists()


def test_a_page_of_ours_may_use_it(adam: User) -> None:
    ours = {"Origin": "http://testserver"}
    assert asking(adam).post("/import-sample-data", headers=ours).json()["success"]


def test_a_wrong_password(vera: User) -> None:
    vera.set_password("another")
    vera.save()
    refused(asking(vera).get("/api/import-logs/list"), 401, "AUTHENTICATION_FAILED")


def token_of(user: User, **body: object) -> dict[str, str]:
    response = asking(user).post("/api/tokens", body, content_type="application/json")
    assert response.status_code == 201, response.content
    return response.json()


def by_token(secret: str) -> Client:
    return Client(headers={"Accept": "application/json", "Authorization": f"Token {secret}"})


def test_a_token_is_a_login(vera: User) -> None:
    made = token_of(vera)
    assert by_token(made["token"]).get("/api/import-logs/list").status_code == 200
    assert made["token"].startswith("tl_")


def test_a_token_is_kept_as_a_hash(vera: User) -> None:
    secret = token_of(vera)["token"]
    stored = AuthToken.objects.get()
    assert secret not in (stored.digest, stored.token_key)
    assert secret not in asking(vera).get("/api/tokens").content.decode()


def test_a_token_ends(vera: User) -> None:
    made = token_of(vera, days=1)
    AuthToken.objects.update(expiry=AuthToken.objects.get().created)
    refused(by_token(made["token"]).get("/api/tokens"), 401, "AUTHENTICATION_FAILED")


@pytest.mark.parametrize("days", [0, -1, 4000, "x", None])
def test_a_token_needs_an_end(vera: User, days: object) -> None:
    response = asking(vera).post("/api/tokens", {"days": days}, content_type="application/json")
    refused(response, 400, "INVALID_PARAMETER")


def test_a_token_is_revoked(vera: User, adam: User) -> None:
    made = token_of(vera)
    refused(asking(adam).delete(f"/api/tokens/{made['id']}"), 404, "TOKEN_NOT_FOUND")
    assert asking(vera).delete(f"/api/tokens/{made['id']}").status_code == 200
    refused(by_token(made["token"]).get("/api/tokens"), 401, "AUTHENTICATION_FAILED")


def test_a_token_made_in_the_admin_is_shown_once(client: Client, adam: User) -> None:
    client.force_login(adam)
    address = reverse("admin:knox_authtoken_add")
    page = client.post(
        address, {"user": adam.pk, "expiry_0": "2099-01-01", "expiry_1": "0:00", "scope": "full"}
    )
    secret = re.search(r"tl_\w{40,}", page.content.decode())[0]
    assert by_token(secret).get("/api/tokens").status_code == 200
    assert "no-store" in page["Cache-Control"]
    assert not [*get_messages(page.wsgi_request)]  # which may lie in a cookie
    assert secret not in str(page.cookies)


def test_a_token_made_in_the_admin_needs_an_end(client: Client, adam: User) -> None:
    client.force_login(adam)
    client.post(reverse("admin:knox_authtoken_add"), {"user": adam.pk})
    assert not AuthToken.objects.exists()


def test_a_token_makes_no_tokens(vera: User) -> None:
    client = by_token(token_of(vera)["token"])
    refused(client.post("/api/tokens"), 403, "PASSWORD_REQUIRED")


def test_who_has_left_has_no_token(vera: User) -> None:
    made = token_of(vera)
    User.objects.update(is_active=False)
    refused(by_token(made["token"]).get("/api/tokens"), 401, "AUTHENTICATION_FAILED")


@pytest.mark.parametrize("header", ["Token", "Token a b", "Token ÿ", "Token x", "Basic ÿ", "Basic"])
def test_a_header_that_says_nothing(db: None, header: str) -> None:
    client = Client(headers={"Authorization": header}, raise_request_exception=False)
    refused(client.get("/api/tokens"), 401, "AUTHENTICATION_FAILED")


# --- How often


def test_so_many_requests_a_minute(vera: User, settings: object) -> None:
    settings.TRADELOG_API_PER_MINUTE = 2
    client = asking(vera)
    answers = [client.get("/api/tokens") for _ in range(3)]
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    refused(answers[2], 429, "TOO_MANY_REQUESTS")
    assert int(answers[2].headers["Retry-After"]) <= 60


def test_so_many_wrong_tokens_a_minute(vera: User, settings: object) -> None:
    settings.TRADELOG_WRONG_TOKENS_PER_MINUTE = 2
    _, right = AuthToken.objects.create(vera)
    for _ in range(2):
        refused(by_token("tl_x").get("/api/tokens"), 401, "AUTHENTICATION_FAILED")
    refused(by_token("tl_x").get("/api/tokens"), 429, "TOO_MANY_REQUESTS")
    refused(by_token(right).get("/api/tokens"), 429, "TOO_MANY_REQUESTS")
    assert asking(vera).get("/api/tokens").status_code == 200


def test_wrong_passwords_are_not_counted_twice(vera: User, settings: object) -> None:
    settings.TRADELOG_WRONG_TOKENS_PER_MINUTE = 1
    _, right = AuthToken.objects.create(vera)
    wrong = Client(headers={"Authorization": basic("vera", "wrong")})
    assert [wrong.get("/api/tokens").status_code for _ in range(3)] == [401] * 3
    assert by_token(right).get("/api/tokens").status_code == 200


def test_a_claimed_address_does_not_help(vera: User, settings: object) -> None:
    settings.TRADELOG_WRONG_TOKENS_PER_MINUTE = 1
    codes = [
        by_token("tl_x").get("/api/tokens", headers={"X-Forwarded-For": f"1.1.1.{n}"}).status_code
        for n in range(2)
    ]
    assert codes == [401, 429]


# --- What a token may do of what its user may

# The doors that open, besides those to which no right leads: the token's own list, the document.
WITHIN = {
    "read": {door for door, who in DOORS.items() if who == READERS},
    "upload": {
        (method, address)
        for (method, address), who in DOORS.items()
        if "/import" in address and "trades" not in address and who in (READERS, OPERATORS)
    }
    - {("get", "/import-backup"), ("post", "/api/import-logs/retry/{}")},
}
TO_ALL = {("get", "/api/tokens"), ("get", "/api/schema")}


@pytest.mark.parametrize("scope", ["read", "upload"])
@pytest.mark.parametrize("owner", ["admin", "superuser", "viewer"])
def test_a_limited_token_opens_what_is_within(
    log: ImportExecutionLog, scope: str, owner: str
) -> None:
    user = User.objects.create_user(owner, password=PASSWORD, is_superuser=owner == "superuser")
    user.groups.set(Group.objects.filter(name=owner))
    client = by_token(token_of(user, scope=scope)["token"])
    client.raise_request_exception = False
    opened = set()
    for method, address in DOORS:
        answer = getattr(client, method)(address.format(log.pk))
        list(answer)
        if answer.status_code != 403:
            opened.add((method, address))
    expected = (
        WITHIN[scope]
        if owner != "viewer"
        else {door for door in WITHIN[scope] if "viewer" in DOORS[door]}
    )
    assert opened == expected | TO_ALL
    user.refresh_from_db()
    assert user.is_superuser == (owner == "superuser")


@pytest.mark.parametrize("scope", ["", "write", None])
def test_a_scope_is_one_of_three(vera: User, scope: object) -> None:
    response = asking(vera).post("/api/tokens", {"scope": scope}, content_type="application/json")
    refused(response, 400, "INVALID_PARAMETER")


def test_the_list_of_tokens_tells_their_scope(vera: User) -> None:
    token_of(vera), token_of(vera, scope="read"), AuthToken.objects.create(vera)
    told = [one["scope"] for one in asking(vera).get("/api/tokens").json()["tokens"]]
    assert sorted(told) == ["full", "full", "read"]


def test_a_token_made_in_the_admin_has_a_scope(client: Client, adam: User) -> None:
    client.force_login(adam)
    address = reverse("admin:knox_authtoken_add")
    data = {"user": adam.pk, "expiry_0": "2099-01-01", "expiry_1": "0:00", "scope": "read"}
    client.post(address, data)
    assert AuthToken.objects.get().limit.scope == "read"
    page = client.get(reverse("admin:knox_authtoken_changelist")).content.decode()
    assert "Read" in page
