"""What a browser is told: what it may load, which cookies it keeps, and for how long."""

import re
from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.apis import PASSWORD, refused
from tests.conftest import TakeIn, file_of, fill
from tradelog.tries import FRESH, LOGGED_IN_AT

SHELL = ["/", "/import-logs/", "/batches/", "/batches/new/", "/trades/", "/positions/", "/issues/"]
SHELL += ["/open-orders/", "/notices/", "/scheduler/", "/import-logs/backup/"]
SHELL += ["/account/tokens/", "/account/second-factor/"]
ADMIN = ["/admin/", "/admin/trades/account/", "/admin/password_change/"]
PLAIN = ["/nothing-here"]
NOTHING = ["/api/import-logs/list", "/api/nothing", "/import-backup", "/trades/export/"]


@pytest.fixture
def as_adam(client: Client, adam: User) -> Client:
    client.force_login(adam)
    return client


def policy(client: Client, address: str) -> dict[str, list[str]]:
    """What each directive allows."""
    answer = client.get(address)
    list(answer)
    parts = answer.headers["Content-Security-Policy"].split(";")
    return {name: allowed for name, *allowed in (part.split() for part in parts)}


@pytest.mark.parametrize("address", [*SHELL, *ADMIN, *PLAIN, *NOTHING, "/api/docs", "/login/"])
def test_every_answer_begins_with_nothing(as_adam: Client, address: str) -> None:
    told = policy(as_adam, address)
    assert told["default-src"] == told["frame-ancestors"] == ["'none'"]
    assert "'unsafe-inline'" not in told.get("script-src", [])
    assert not [one for allowed in told.values() for one in allowed if one.startswith("http")]


@pytest.mark.parametrize("address", SHELL)
def test_our_pages_have_no_style_of_their_own_but_the_colours(
    as_adam: Client, address: str
) -> None:
    (ours, digest) = policy(as_adam, address)["style-src"]
    assert ours == "'self'"
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", digest)
    text = as_adam.get(address).content.decode()
    assert text.count("<style") == 1
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text)
    assert not re.search(r"<[^>]+\son[a-z]+=", text)


def test_the_admin_may_have_styles_in_its_pages(as_adam: Client) -> None:
    assert policy(as_adam, "/admin/")["style-src"] == ["'self'", "'unsafe-inline'"]


def test_pages_without_the_shell_run_nothing(as_adam: Client) -> None:
    assert "script-src" not in policy(as_adam, "/nothing-here")


@pytest.mark.parametrize("address", NOTHING)
def test_what_is_no_page_loads_nothing(as_adam: Client, address: str) -> None:
    assert policy(as_adam, address).keys() == {"default-src", "frame-ancestors"}


def test_only_the_shell_compiles_anything(as_adam: Client) -> None:
    assert policy(as_adam, "/api/docs")["script-src"] == ["'self'"]


@pytest.mark.parametrize("address", ["/", "/admin/", "/api/import-logs/list", "/nothing-here"])
def test_the_other_headers(as_adam: Client, address: str) -> None:
    headers = as_adam.get(address).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert "camera=()" in headers["Permissions-Policy"]


# --- Cookies and sessions


def logged_in(user: str = "vera") -> Client:
    client = Client()
    client.post("/login/", {"username": user, "password": PASSWORD})
    return client


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def test_the_cookie_of_a_session(vera: User) -> None:
    cookie = logged_in().cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 24 * 3600


def test_a_login_begins_a_new_session(vera: User) -> None:
    client = logged_in()
    before = client.cookies["sessionid"].value
    client.post("/login/", {"username": "vera", "password": PASSWORD})
    assert client.cookies["sessionid"].value != before
    stolen = Client()
    stolen.cookies["sessionid"] = before
    assert not is_in(stolen)


def test_a_session_ends_however_busy(vera: User) -> None:
    client = logged_in()
    assert is_in(client)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not is_in(client)
    assert configured.SESSION_SAVE_EVERY_REQUEST is False


def test_a_logout_ends_the_session_for_thieves_too(vera: User) -> None:
    client, stolen = logged_in(), Client()
    stolen.cookies["sessionid"] = client.cookies["sessionid"].value
    assert is_in(stolen)
    client.post("/admin/logout/")
    assert not is_in(stolen)


def test_a_new_password_ends_all_other_sessions(vera: User) -> None:
    client, stolen = logged_in(), logged_in()
    new = "another long password"
    data = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    client.post("/admin/password_change/", data)
    assert (is_in(client), is_in(stolen)) == (True, False)


def test_a_stolen_session_sets_no_password(vera: User) -> None:
    data = {
        "old_password": "?",
        "new_password1": "taken over now",
        "new_password2": "taken over now",
    }
    logged_in().post("/admin/password_change/", data)
    vera.refresh_from_db()
    assert vera.check_password(PASSWORD)


def old(client: Client) -> Client:
    session = client.session
    session[LOGGED_IN_AT] -= FRESH
    session.save()
    return client


def test_an_old_session_makes_no_token(vera: User) -> None:
    assert logged_in().post("/api/tokens", {}, "application/json").status_code == 201
    answer = old(logged_in()).post("/api/tokens", {}, "application/json")
    refused(answer, 403, "PASSWORD_REQUIRED")


def test_an_old_session_makes_no_token_in_the_admin(adam: User) -> None:
    address = "/admin/knox/authtoken/add/"
    assert logged_in("adam").get(address).status_code == 200
    assert old(logged_in("adam")).get(address).url == f"/login/?next={address}"


def lasting(user: User) -> list[tuple[str, dict[str, object]]]:
    """What a thief with the cookie of a superuser would do, to stay one."""
    device = TOTPDevice.objects.create(user=user, confirmed=True)
    word = {"password1": "taken over now", "password2": "taken over now"}
    chosen = {"action": "delete_selected", "_selected_action": [device.pk], "post": "yes"}
    group = Group.objects.get(name="viewer")
    return [
        (f"/admin/auth/user/{user.pk}/password/", word),
        ("/admin/auth/user/add/", word | {"username": "thief", "usable_password": "true"}),
        (f"/admin/auth/user/{user.pk}/change/", {"username": "thief", "is_active": "on"}),
        (f"/admin/auth/group/{group.pk}/change/", {"name": "thief"}),
        (f"/admin/otp_totp/totpdevice/{device.pk}/delete/", {"post": "yes"}),
        ("/admin/otp_totp/totpdevice/", chosen),
    ]


def test_an_old_session_takes_over_no_user_in_the_admin(adam: User) -> None:
    client = logged_in("adam")
    deeds = lasting(adam)
    old(client)
    for address, data in deeds:
        assert client.post(address, data).url == f"/login/?next={address}"
    adam.refresh_from_db()
    assert adam.check_password(PASSWORD)
    assert adam.username == "adam"
    assert TOTPDevice.objects.exists()
    assert not User.objects.filter(username="thief").exists()
    assert not Group.objects.filter(name="thief").exists()
    assert client.get("/admin/auth/user/").status_code == 200


def test_a_fresh_session_does_all_of_it(adam: User) -> None:
    client = logged_in("adam")
    for address, data in reversed(lasting(adam)):
        assert "/login/" not in client.post(address, data, follow=True).request["PATH_INFO"]
    adam.refresh_from_db()
    assert adam.check_password("taken over now")
    assert not TOTPDevice.objects.exists()


def test_an_old_session_asks_nothing_of_those_who_may_not(vera: User) -> None:
    client = logged_in()
    assert old(client).get("/admin/auth/user/add/").status_code == 403


def test_no_file_says_what_to_run(as_adam: Client, take_in: TakeIn) -> None:
    log = take_in(file_of(fill(Quantity="<script>alert(1)</script>")))
    told = policy(as_adam, f"/api/import-logs/download/{log.pk}?format=text")
    assert told["default-src"] == ["'none'"]
