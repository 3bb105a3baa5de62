"""Guessed passwords: every door counts, nothing gets in, and nobody else is locked out."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from tests.apis import PASSWORD, basic, refused
from web.addresses import client_address, home_address

HERE, THERE = "192.0.2.1", "198.51.100.7"
TRIES, PER_ADDRESS = 5, 50


def by_page(address: str, user: str, password: str) -> HttpResponse:
    data = {"username": user, "password": password}
    return Client(REMOTE_ADDR=address).post("/login/", data)


def by_admin(address: str, user: str, password: str) -> HttpResponse:
    data = {"username": user, "password": password}
    return Client(REMOTE_ADDR=address).post("/admin/login/", data)


def by_basic(address: str, user: str, password: str) -> HttpResponse:
    headers = {"Authorization": basic(user, password)}
    return Client(REMOTE_ADDR=address).get("/api/tokens", headers=headers)


def for_a_token(address: str, user: str, password: str) -> HttpResponse:
    headers = {"Authorization": basic(user, password)}
    client = Client(REMOTE_ADDR=address)
    return client.post("/api/tokens", {}, content_type="application/json", headers=headers)


def by_basic_on_a_page(address: str, user: str, password: str) -> HttpResponse:
    return Client(REMOTE_ADDR=address).get("/", headers={"Authorization": basic(user, password)})


DOORS = [by_page, by_admin, by_basic, for_a_token, by_basic_on_a_page]
Door = Callable[[str, str, str], HttpResponse]


def guess(door: Door, number: int = TRIES, user: str = "vera", address: str = HERE) -> list[int]:
    return [door(address, user, f"guess {one}").status_code for one in range(number)]


def gets_in(door: Door, address: str = HERE, password: str = PASSWORD) -> bool:
    return door(address, "vera", password).status_code in (200, 201, 302)


def test_a_right_password_of_a_program_is_known_again_and_not_counted(vera: User) -> None:
    assert gets_in(by_basic)
    AccessAttempt.objects.all().delete()
    assert gets_in(by_basic)
    assert not AccessAttempt.objects.exists()
    assert gets_in(by_basic, THERE)
    assert AccessAttempt.objects.exists()  # another client may not be the same program


def test_a_right_password_is_forgotten_when_it_is_changed(vera: User) -> None:
    assert gets_in(by_basic)
    vera.set_password("another one, and long")
    vera.save()
    assert not gets_in(by_basic)
    assert gets_in(by_basic, password="another one, and long")
    User.objects.filter(pk=vera.pk).update(is_active=False)
    assert not gets_in(by_basic, password="another one, and long")


@pytest.mark.parametrize("door", DOORS)
def test_the_right_password_opens(vera: User, door: Door) -> None:
    assert gets_in(door)
    assert not AccessAttempt.objects.exclude(failures_since_start=0).exists()


@pytest.mark.parametrize("door", DOORS)
def test_too_many_guesses_lock_every_door(vera: User, door: Door) -> None:
    assert 429 not in guess(door)
    for other in DOORS:
        answer = other(HERE, "vera", PASSWORD)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "900"), other


@pytest.mark.parametrize("door", DOORS)
def test_guesses_below_the_limit_lock_nothing(vera: User, door: Door) -> None:
    guess(door, TRIES - 1)
    assert gets_in(door)
    guess(door, TRIES - 1)
    assert gets_in(door)


def test_of_a_thousand_guesses_few_are_looked_at(
    vera: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = []
    monkeypatch.setattr(User, "check_password", lambda user, guess: looked_at.append(guess))
    request = RequestFactory(REMOTE_ADDR=HERE).post("/login/")
    for number in range(1000):
        assert authenticate(request, username="vera", password=f"guess {number}") is None
    assert len(looked_at) == TRIES


def test_who_is_elsewhere_is_not_locked_out(vera: User) -> None:
    guess(by_page, 20)
    assert gets_in(by_page, THERE)
    assert not gets_in(by_page, HERE)


def test_a_lock_ends_however_much_they_knock(vera: User) -> None:
    guess(by_page)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    assert not gets_in(by_page)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15))
    assert gets_in(by_page)


def test_knocking_at_what_is_locked_locks_nothing_else(vera: User, adam: User) -> None:
    guess(by_page, PER_ADDRESS + 5)
    assert by_page(HERE, "adam", PASSWORD).status_code == 302


def test_an_address_that_tries_many_names_is_locked(vera: User, adam: User) -> None:
    for number in range(PER_ADDRESS):
        guess(by_page, 1, f"name{number}")
    assert not gets_in(by_page)
    assert gets_in(by_page, THERE)


def test_an_own_account_does_not_free_the_address(vera: User, adam: User) -> None:
    for number in range(PER_ADDRESS):
        if number < PER_ADDRESS - 1:
            assert by_page(HERE, "adam", PASSWORD).status_code == 302
        guess(by_page, 1, f"name{number}")
    assert not gets_in(by_page)


@pytest.mark.parametrize("name", ["", "x" * 5000, "a\0b", "ÿ", "'; --"])
def test_a_name_that_nobody_can_have(db: None, name: str) -> None:
    assert guess(by_page, TRIES, name) == [200] * TRIES
    assert {*guess(by_basic, 2, name)} <= {401, 429}


def test_the_page_says_for_how_long(vera: User) -> None:
    guess(by_page)
    answer = by_page(HERE, "vera", PASSWORD)
    assert "for 15 minutes" in answer.content.decode()
    refused(by_basic(HERE, "vera", PASSWORD), 429, "TOO_MANY_REQUESTS")


def test_no_password_is_kept_with_the_tries(vera: User) -> None:
    by_page(HERE, "vera", "a secret guess")
    assert "a secret guess" not in repr([*AccessAttempt.objects.values()])


# --- Whence they come


def test_a_home_of_ipv6_is_one_address(vera: User) -> None:
    for number in range(TRIES):
        guess(by_page, 1, address=f"2001:db8:1:2::{number + 1:x}")
    assert not gets_in(by_page, "2001:db8:1:2:ffff::1")
    assert gets_in(by_page, "2001:db8:1:3::1")


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (0, "203.0.113.9", HERE),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        (2, "1.1.1.1, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", HERE),
        (1, "nonsense", HERE),
        (1, "", HERE),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
        (1, "2001:db8:1:2:3::4", "2001:db8:1:2:3::4"),
    ],
)
def test_only_what_our_own_proxies_say_is_believed(
    settings: object, proxies: int, header: str, address: str
) -> None:
    settings.TRADELOG_PROXIES = proxies
    request = RequestFactory(REMOTE_ADDR=HERE).get("/", headers={"X-Forwarded-For": header})
    assert client_address(request) == address


def test_a_unix_socket_has_no_address(vera: User) -> None:
    assert home_address(RequestFactory(REMOTE_ADDR="").get("/")) is None
    guess(by_page, address="")
    assert not gets_in(by_page, "")


def test_a_claimed_address_frees_nobody(vera: User) -> None:
    guess(by_page)
    data = {"username": "vera", "password": PASSWORD}
    claims = Client(REMOTE_ADDR=HERE, headers={"X-Forwarded-For": THERE})
    assert claims.post("/login/", data).status_code == 429


# --- How it is unlocked


def test_adam_unlocks(client: Client, vera: User, adam: User) -> None:
    guess(by_page)
    client.force_login(adam)
    address = reverse("admin:axes_accessattempt_changelist")
    assert "Locked until" in client.get(address).content.decode()
    rows = AccessAttempt.objects.values_list("pk", flat=True)
    client.post(address, {"action": "unlock_selected", "_selected_action": [*rows]})
    assert gets_in(by_page)


def test_a_command_unlocks(vera: User, capsys: pytest.CaptureFixture) -> None:
    guess(by_page)
    call_command("axes_reset_username", "vera")
    assert gets_in(by_page)


# --- All at once


@pytest.mark.django_db(transaction=True)
def test_guesses_at_once_are_as_many_as_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.create_user("vera", password=PASSWORD)
    looked_at, gate = [], threading.Barrier(12)

    def check(user: User, password: str) -> bool:
        looked_at.append(password)
        return False

    monkeypatch.setattr(User, "check_password", check)

    def knock(number: int) -> None:
        gate.wait()
        try:
            by_page(HERE, "vera", f"guess {number}")
        finally:
            connection.close()

    threads = [threading.Thread(target=knock, args=[number]) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(looked_at) == TRIES
