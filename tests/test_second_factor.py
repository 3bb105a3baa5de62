"""Logging in with a second factor: nobody is in by less than both, by whichever door."""

import threading
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit.models import AuditEntry, Deed
from tests.apis import PASSWORD, asking, basic, got, refused
from tests.codes import (
    PAGE,
    by_code,
    by_password,
    fail,
    is_in,
    shown,
    with_second_factor,
    wrong_for,
)
from tradelog import login
from tradelog.secondfactor import new_codes, problem_of, turn_off

LOGIN = "/login/?next=/"
JSON = "application/json"


@pytest.fixture
def device(vera: User) -> TOTPDevice:
    return with_second_factor(vera)


@pytest.fixture
def half_in(client: Client, device: TOTPDevice) -> Client:
    """The password was right."""
    by_password(client)
    return client


def deeds() -> list[str]:
    return [*AuditEntry.objects.order_by("pk").values_list("deed", flat=True)]


# --- Both steps


@pytest.mark.parametrize("door", ["/login/", "/admin/login/"])
def test_a_password_alone_logs_nobody_in(client: Client, device: TOTPDevice, door: str) -> None:
    answer = by_password(client, door=door)
    assert answer.url.startswith("/login/code/")
    assert not is_in(client)
    assert client.get("/admin/").status_code == 302
    assert client.get("/api/tokens").status_code == 401
    assert "_auth_user_id" not in client.session
    assert deeds() == []


def test_password_and_code_log_in(half_in: Client, device: TOTPDevice) -> None:
    assert by_code(half_in, shown(device)).url == "/"
    assert is_in(half_in)
    assert login.PENDING not in half_in.session
    assert deeds() == [Deed.LOGIN]


@pytest.mark.parametrize("apart", ["{} {}", " {}-{} ", "{}\u00a0{}"])
def test_a_code_may_be_written_in_parts(half_in: Client, device: TOTPDevice, apart: str) -> None:
    code = shown(device)
    by_code(half_in, apart.format(code[:3], code[3:]))
    assert is_in(half_in)


def test_without_a_second_factor_all_is_as_before(client: Client, vera: User) -> None:
    assert by_password(client).url == "/"
    assert is_in(client)


def test_what_is_not_confirmed_does_not_count(client: Client, device: TOTPDevice) -> None:
    TOTPDevice.objects.update(confirmed=False)
    by_password(client)
    assert is_in(client)


def test_each_step_begins_a_new_session(half_in: Client, device: TOTPDevice) -> None:
    before = half_in.session.session_key
    by_password(half_in)
    between = half_in.session.session_key
    by_code(half_in, shown(device))
    assert len({before, between, half_in.session.session_key}) == 3


def test_who_was_in_before_is_not_between_the_steps(
    client: Client, device: TOTPDevice, adam: User
) -> None:
    client.force_login(adam)
    by_password(client)
    assert not is_in(client)


def test_the_second_step_alone_is_none(client: Client, device: TOTPDevice) -> None:
    assert client.get("/login/code/").url == LOGIN
    assert by_code(client, shown(device)).url == LOGIN
    assert not is_in(client)


def test_the_staff_is_not_asked_twice_by_the_admin(
    client: Client, device: TOTPDevice, olga: User
) -> None:
    client.force_login(olga)
    assert client.get("/admin/login/").url == "/admin/"
    assert "/login/code/" in by_password(client, door="/admin/login/").url
    assert by_code(client, shown(device), "?next=/admin/").url == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_the_admin_is_for_the_staff(client: Client, vera: User, device: TOTPDevice) -> None:
    User.objects.update(is_staff=False)
    assert by_password(client, door="/admin/login/").status_code == 200
    assert login.PENDING not in client.session


# --- Where it leads


@pytest.mark.parametrize("where", ["/trades/?account=Sim101&page=2", "/admin/trades/account/"])
@pytest.mark.parametrize("door", ["/login/", "/admin/login/"])
def test_both_steps_lead_where_one_wanted_to_go(
    client: Client, device: TOTPDevice, door: str, where: str
) -> None:
    asks = by_password(client, f"?next={quote(where)}", door).url
    assert client.post(asks, {"code": shown(device)}).url == where


@pytest.mark.parametrize(
    "where",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "http:x"],
)
def test_neither_step_leads_away(client: Client, device: TOTPDevice, where: str) -> None:
    query = f"?next={quote(where)}"
    assert by_password(client, query).url == "/login/code/?next=/"
    assert by_code(client, shown(device), query).url == "/"
    assert client.get(f"/login/code/{query}").url == LOGIN


# --- Between the steps


def test_the_first_step_is_forgotten_in_time(half_in: Client, device: TOTPDevice) -> None:
    session = half_in.session
    user, password, until = session[login.PENDING]
    session[login.PENDING] = [user, password, until - login.PATIENCE]
    session.save()
    answer = half_in.post("/login/code/", {"code": shown(device)}, follow=True)
    assert "has ended before its code came" in answer.content.decode()
    assert not is_in(half_in)
    assert TOTPDevice.objects.get().last_t == -1  # it was not even looked at


CHANGES: dict[str, Callable[[], object]] = {
    "is not active": lambda: User.objects.update(is_active=False),
    "has another password": lambda: User.objects.update(password=make_password("and a long one")),
    "is gone": lambda: User.objects.all().delete(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_user_who_changes_between_the_steps(
    half_in: Client, device: TOTPDevice, change: str
) -> None:
    CHANGES[change]()
    assert by_code(half_in, shown(device)).url == LOGIN
    assert not is_in(half_in)


def test_a_second_factor_that_goes_between_the_steps(
    half_in: Client, vera: User, device: TOTPDevice
) -> None:
    turn_off(vera)
    assert by_code(half_in, shown(device)).url == LOGIN
    assert not is_in(half_in)
    by_password(half_in)
    assert is_in(half_in)


def test_who_logs_in_as_somebody_else_instead(half_in: Client, olga: User) -> None:
    half_in.post("/login/", {"username": "olga", "password": PASSWORD})
    assert half_in.session["_auth_user_id"] == str(olga.pk)
    assert login.PENDING not in half_in.session


# --- Codes


def test_a_code_is_taken_once(half_in: Client, device: TOTPDevice) -> None:
    code = shown(device)
    by_code(half_in, code)
    for again in (code, shown(device, -1)):
        other = Client()
        by_password(other)
        assert "wrong, or was used" in by_code(other, again).content.decode()
        assert not is_in(other)
        TOTPDevice.objects.update(throttling_failure_count=0)
    other = Client()
    by_password(other)
    by_code(other, shown(device, 1))
    assert is_in(other)


def test_a_wrong_code_is_told_and_written_down(half_in: Client, device: TOTPDevice) -> None:
    answer = by_code(half_in, wrong_for(device)).content.decode()
    assert "check the clock of your phone" in answer
    assert not is_in(half_in)
    entry = AuditEntry.objects.get()
    assert (entry.deed, entry.subject, entry.username) == ("wrong_code", "second factor (vera)", "")


@pytest.mark.parametrize(
    "code",
    ["", "12345", "1234567", "abc", "１２３４５６", "-12345", "1e5", "x" * 99, "0.1\x00", "'"],
)
def test_what_is_no_code_is_told_and_costs_nothing(
    half_in: Client, device: TOTPDevice, code: str
) -> None:
    assert by_code(half_in, code).status_code == 200
    assert not is_in(half_in)
    assert TOTPDevice.objects.get().throttling_failure_count == 0
    assert deeds() == []


def test_of_a_thousand_guesses_few_are_looked_at(half_in: Client, device: TOTPDevice) -> None:
    wrong = wrong_for(device)
    for _ in range(1000):
        assert problem_of(device.user, wrong)
    looked_at = TOTPDevice.objects.get().throttling_failure_count
    assert 0 < looked_at < 20
    assert deeds() == [Deed.WRONG_CODE] * looked_at


def test_after_wrong_codes_none_is_looked_at_for_a_while(
    half_in: Client, device: TOTPDevice
) -> None:
    fail(device)
    answer = by_code(half_in, shown(device)).content.decode()
    assert "none is looked at for a while: try again in" in answer
    assert not is_in(half_in)
    assert deeds() == []


def test_a_right_password_frees_no_codes(half_in: Client, device: TOTPDevice) -> None:
    fail(device)
    elsewhere = Client(REMOTE_ADDR="198.51.100.7")
    by_password(elsewhere)
    by_code(elsewhere, shown(device))
    assert not is_in(elsewhere)
    fail(device, ago=timedelta(minutes=9))
    by_code(elsewhere, shown(device))
    assert is_in(elsewhere)
    assert TOTPDevice.objects.get().throttling_failure_count == 0


def test_a_recovery_code_logs_in_once(half_in: Client, vera: User) -> None:
    first, *others = new_codes(vera)
    AuditEntry.objects.all().delete()
    by_code(half_in, f"{first[:4]} {first[4:]}".upper())
    assert is_in(half_in)
    assert deeds() == [Deed.RECOVERY, Deed.LOGIN]
    entry = AuditEntry.objects.get(deed=Deed.RECOVERY)
    assert (entry.username, entry.subject) == ("vera", "recovery codes (vera)")
    assert entry.words == f"{len(others)} left"
    other = Client()
    by_password(other)
    assert "This recovery code is wrong" in by_code(other, first).content.decode()
    assert not is_in(other)


def test_wrong_codes_of_the_app_stop_no_recovery_code(half_in: Client, device: TOTPDevice) -> None:
    fail(device)
    by_code(half_in, new_codes(device.user)[0])
    assert is_in(half_in)


def test_a_recovery_code_is_of_its_user(half_in: Client, vera: User, olga: User) -> None:
    new_codes(vera)
    (code, *_) = new_codes(olga)
    by_code(half_in, code)
    assert not is_in(half_in)


def test_without_recovery_codes_none_is_right(half_in: Client) -> None:
    assert "This recovery code is wrong" in by_code(half_in, "abcdefgh").content.decode()


def test_who_reads_the_database_has_no_recovery_code(half_in: Client, vera: User) -> None:
    new_codes(vera)
    for kept in StaticToken.objects.values_list("token", flat=True):
        assert problem_of(vera, kept)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("recovery", [True, False])
def test_a_code_given_by_many_at_once_lets_one_in(recovery: bool) -> None:
    user = User.objects.create_user("vera", password=PASSWORD)
    device = with_second_factor(user)
    code = new_codes(user)[0] if recovery else shown(device)
    gate, found = threading.Barrier(8), []

    def knock() -> None:
        gate.wait()
        try:
            found.append(problem_of(user, code))
        finally:
            connection.close()

    threads = [threading.Thread(target=knock) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert found.count("") == 1


# --- Programs


@pytest.mark.parametrize("known", [False, True])
def test_a_password_of_a_program_is_refused(vera: User, known: bool) -> None:
    if known:  # it was right a moment ago
        got(asking(vera), "/api/tokens")
    with_second_factor(vera)
    for _ in range(20):  # it is no failed login
        answer = refused(asking(vera).get("/api/tokens"), 403, "PERMISSION_DENIED")
    assert "use a token" in answer["error"]
    refused(asking(vera).post("/api/tokens", {}, JSON), 403, "PERMISSION_DENIED")


@pytest.mark.parametrize("address", ["/", "/metrics", "/open-orders/"])
def test_a_password_on_a_page_is_refused(vera: User, device: TOTPDevice, address: str) -> None:
    headers = {"Authorization": basic("vera")}
    answer = Client().get(address, headers=headers)
    assert answer.status_code == 403
    assert "use a token" in answer.content.decode()


def test_a_wrong_password_of_a_program_says_nothing_of_it(vera: User, device: TOTPDevice) -> None:
    answer = Client().get("/api/tokens", headers={"Authorization": basic("vera", "wrong")})
    assert refused(answer, 401, "AUTHENTICATION_FAILED")["error"] == "Invalid username/password."


def test_tokens_go_on(half_in: Client, vera: User, device: TOTPDevice) -> None:
    by_code(half_in, shown(device))
    made = half_in.post("/api/tokens", {}, JSON)
    assert made.status_code == 201
    token = {"Authorization": f"Token {made.json()['token']}"}
    assert Client(headers=token).get("/api/tokens").status_code == 200


# --- Staff that must have one


@pytest.fixture
def needed(settings: object) -> None:
    settings.TRADELOG_STAFF_SECOND_FACTOR = True


@pytest.mark.parametrize("address", ["/", "/admin/", "/admin/trades/account/", "/trades/"])
def test_staff_without_one_is_led_there(
    client: Client, vera: User, needed: None, address: str
) -> None:
    by_password(client)
    assert client.get(address).url == PAGE
    assert client.post(address).url == PAGE
    assert client.get(PAGE).status_code == 200
    assert client.get("/admin/password_change/").status_code == 200
    assert client.post("/admin/logout/").url == "/login/"


def test_so_is_a_superuser_who_is_not_of_the_staff(
    client: Client, adam: User, needed: None
) -> None:
    User.objects.update(is_staff=False)
    client.force_login(User.objects.get())
    assert client.get("/").url == PAGE


def test_no_program_does_more_for_them(client: Client, vera: User, needed: None) -> None:
    client.force_login(vera)
    refused(client.get("/api/import-logs/list"), 403, "SECOND_FACTOR_REQUIRED")
    refused(client.post("/api/tokens"), 403, "SECOND_FACTOR_REQUIRED")
    refused(client.get("/import-backup"), 403, "SECOND_FACTOR_REQUIRED")
    refused(asking(vera).get("/api/tokens"), 403, "PERMISSION_DENIED")


def test_a_password_that_was_known_does_no_more(vera: User, settings: object) -> None:
    got(asking(vera), "/api/tokens")
    settings.TRADELOG_STAFF_SECOND_FACTOR = True
    refused(asking(vera).get("/api/tokens"), 403, "PERMISSION_DENIED")


def test_with_one_staff_goes_on(client: Client, device: TOTPDevice, needed: None) -> None:
    by_password(client)
    by_code(client, shown(device))
    assert is_in(client)
    assert client.get("/admin/").status_code == 200


def test_who_is_not_of_the_staff_needs_none(client: Client, vera: User, needed: None) -> None:
    User.objects.update(is_staff=False)
    by_password(client)
    assert is_in(client)
    assert asking(vera).get("/api/tokens").status_code == 200


def test_nobody_is_asked_unless_it_is_wanted(client: Client, vera: User) -> None:
    by_password(client)
    assert client.get("/admin/").status_code == 200
