"""The page of one's own tokens: made with a password just given, shown once, revoked for good."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken

from audit.models import AuditEntry
from tests.apis import LIST
from tradelog.tries import FRESH, LOGGED_IN_AT

HERE = reverse("tokens")
MINUTE = 60


@pytest.fixture
def as_vera(client: Client, vera: User) -> Client:
    client.force_login(vera)
    return client


def number_of(page: HttpResponse) -> str:
    return re.search(r'name="number" value="(\w+)"', page.text)[1]


def sent(client: Client, **wishes: object) -> HttpResponse:
    """What the form answers that was just opened."""
    data = {"scope": "read", "days": 7, "number": number_of(client.get(HERE))}
    return client.post(HERE, data | wishes)


def secret_in(page: HttpResponse) -> str:
    return re.search(r'value="(tl_\w+)"', page.text)[1]


def age(client: Client) -> None:
    """So that the password was given too long ago."""
    session = client.session
    session[LOGGED_IN_AT] -= FRESH + MINUTE
    session.save()


# --- Made


@pytest.mark.parametrize("scope", ["read", "upload", "full"])
def test_a_token_is_made_and_works(as_vera: Client, scope: str) -> None:
    secret = secret_in(sent(as_vera, scope=scope))
    token = AuthToken.objects.get()
    assert (token.user.username, token.limit.scope) == ("vera", scope)
    assert timedelta(days=6) < token.expiry - timezone.now() <= timedelta(days=7)
    answer = Client().get(LIST, headers={"Authorization": f"Token {secret}"})
    assert answer.status_code == 200


def test_it_is_shown_once_and_kept_nowhere(
    as_vera: Client, caplog: pytest.LogCaptureFixture
) -> None:
    answer = sent(as_vera)
    secret = secret_in(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    assert secret not in as_vera.get(HERE).text
    sessions = [one.get_decoded() for one in Session.objects.all()]
    assert secret not in repr([sessions, answer.cookies, [*AuditEntry.objects.values()]])
    assert secret not in caplog.text


def test_it_is_audited_by_how_it_begins(as_vera: Client) -> None:
    AuditEntry.objects.all().delete()
    sent(as_vera)
    key = AuthToken.objects.get().token_key
    as_vera.post(reverse("token-revoke", args=[key]))
    found = AuditEntry.objects.order_by("pk").values_list("username", "deed", "subject", "way")
    assert [*found] == [("vera", "add", key, "page"), ("vera", "delete", key, "page")]
    assert AuditEntry.objects.earliest("pk").words == "for 7 days, read"


def test_a_form_that_is_sent_again_makes_no_other(as_vera: Client) -> None:
    data = {"scope": "read", "days": 7, "number": number_of(as_vera.get(HERE))}
    as_vera.post(HERE, data)
    again = as_vera.post(HERE, data, follow=True)
    assert again.redirect_chain == [(HERE, 302)]
    assert "no other was made" in again.text
    AuthToken.objects.all().delete()
    as_vera.post(HERE, data)
    assert not AuthToken.objects.exists()


def test_two_open_forms_make_two(as_vera: Client) -> None:
    numbers = [number_of(as_vera.get(HERE)) for _ in range(2)]
    for number in numbers:
        as_vera.post(HERE, {"scope": "read", "days": 7, "number": number})
    assert AuthToken.objects.count() == 2


@pytest.mark.parametrize(
    "wrong", [{"days": 31}, {"days": 0}, {"days": "x"}, {"scope": "all"}, {"number": ""}]
)
def test_what_is_not_offered_is_refused(
    as_vera: Client, settings: object, wrong: dict[str, object]
) -> None:
    settings.TRADELOG_TOKEN_DAYS = 30
    assert sent(as_vera, **wrong).status_code == 400
    assert not AuthToken.objects.exists()


def test_the_password_is_asked_for_again(as_vera: Client) -> None:
    data = {"scope": "read", "days": 7, "number": number_of(as_vera.get(HERE))}
    age(as_vera)
    assert "Log in again" in as_vera.get(HERE).text
    assert as_vera.post(HERE, data).url == f"/login/?next={HERE}"
    assert not AuthToken.objects.exists()


# --- Seen and revoked


def test_everybody_sees_their_own(as_vera: Client, vera: User, adam: User) -> None:
    assert "No tokens yet." in as_vera.get(HERE).text
    mine, _ = AuthToken.objects.create(vera, timedelta(days=-1))
    theirs, _ = AuthToken.objects.create(adam)
    page = as_vera.get(HERE).text
    assert (mine.token_key in page, theirs.token_key in page) == (True, False)
    assert ">ended<" in page


def test_a_revoked_token_is_worth_nothing(as_vera: Client) -> None:
    secret = secret_in(sent(as_vera))
    address = reverse("token-revoke", args=[AuthToken.objects.get().token_key])
    age(as_vera)  # to revoke one, nobody is asked
    assert "Revoke it" in as_vera.get(address).text
    assert AuthToken.objects.exists()
    assert as_vera.post(address).url == HERE
    answer = Client().get(LIST, headers={"Authorization": f"Token {secret}"})
    assert answer.status_code == 401


def test_nobody_revokes_that_of_another(as_vera: Client, adam: User) -> None:
    token, _ = AuthToken.objects.create(adam)
    assert as_vera.post(reverse("token-revoke", args=[token.token_key])).status_code == 404
    assert AuthToken.objects.exists()


def test_a_token_opens_no_page(vera: User) -> None:
    _, secret = AuthToken.objects.create(vera)
    answer = Client().get(HERE, headers={"Authorization": f"Token {secret}"})
    assert answer.url.startswith("/login/")


def test_the_menu_leads_there(as_vera: Client, vera: User) -> None:
    for title in ("Change password", "API tokens"):
        assert title in as_vera.get("/").text
    vera.set_unusable_password()
    vera.save()
    as_vera.force_login(vera)
    page = as_vera.get("/").text
    assert ("Change password" in page, "API tokens" in page) == (False, True)
