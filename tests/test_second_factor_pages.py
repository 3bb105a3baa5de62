"""Setting up a second factor, its recovery codes, turning it off, and helping who has lost it."""

import re

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit.models import AuditEntry, Deed, Way
from tests.codes import PAGE, by_code, by_password, is_in, shown, with_second_factor, wrong_for
from tradelog.secondfactor import AGAIN, CODES, codes_left, in_letters, new_codes, problem_of
from tradelog.tries import FRESH, LOGGED_IN_AT
from web.secondfactor import has_second_factor

DEVICES = reverse("admin:otp_totp_totpdevice_changelist")


@pytest.fixture
def as_vera(client: Client, vera: User) -> Client:
    client.force_login(vera)
    AuditEntry.objects.all().delete()
    return client


@pytest.fixture
def begun(as_vera: Client) -> TOTPDevice:
    as_vera.post(PAGE, {"deed": "begin"})
    return TOTPDevice.objects.get()


@pytest.fixture
def device(vera: User) -> TOTPDevice:
    return with_second_factor(vera)


def confirm(client: Client, code: str) -> str:
    return client.post(PAGE, {"deed": "confirm", "code": code}).content.decode()


def codes_in(page: str) -> list[str]:
    return re.findall(r"<li>([a-z2-7]{8})</li>", page)


def text(client: Client) -> str:
    return client.get(PAGE).content.decode()


def entries() -> list[tuple[str, str]]:
    return [*AuditEntry.objects.order_by("pk").values_list("deed", "subject")]


# --- Setting up


def test_it_is_set_up(as_vera: Client, vera: User, begun: TOTPDevice) -> None:
    page = text(as_vera)
    assert in_letters(begun) in page
    assert re.search(r'<svg viewBox="[\d ]+" class="tl-qr"><path', page)
    assert not has_second_factor(vera)
    codes = codes_in(confirm(as_vera, shown(begun)))
    assert len({*codes}) == CODES == codes_left(vera)
    assert has_second_factor(vera)
    assert entries() == [("add", "second factor (vera)"), ("add", "recovery codes (vera)")]
    assert problem_of(vera, codes[0]) == ""


def test_what_the_app_reads_has_its_names(begun: TOTPDevice) -> None:
    assert begun.config_url.startswith("otpauth://totp/tradelog%3Avera?secret=")
    assert "issuer=tradelog" in begun.config_url


def test_the_code_that_confirmed_does_not_log_in(as_vera: Client, begun: TOTPDevice) -> None:
    code = shown(begun)
    confirm(as_vera, code)
    other = Client()
    by_password(other)
    by_code(other, code)
    assert not is_in(other)


@pytest.mark.parametrize("code", ["", "12", "abcdefgh", "wrong"])
def test_a_wrong_code_confirms_nothing(
    as_vera: Client, vera: User, begun: TOTPDevice, code: str
) -> None:
    page = confirm(as_vera, wrong_for(begun) if code == "wrong" else code)
    assert "errorlist" in page
    assert in_letters(begun) in page
    assert not has_second_factor(vera)
    assert codes_left(vera) == 0


def test_a_secret_is_shown_in_its_session_only(vera: User, begun: TOTPDevice) -> None:
    other = Client()
    other.force_login(vera)
    assert in_letters(begun) not in text(other)
    assert AGAIN in confirm(other, shown(begun))
    assert not has_second_factor(vera)


def test_a_secret_begun_anew_is_another(as_vera: Client, vera: User, begun: TOTPDevice) -> None:
    as_vera.post(PAGE, {"deed": "begin"})
    assert in_letters(begun) not in text(as_vera)
    confirm(as_vera, shown(begun))
    assert not has_second_factor(vera)


def test_there_is_no_second_one(as_vera: Client, vera: User, device: TOTPDevice) -> None:
    as_vera.post(PAGE, {"deed": "begin"})
    assert TOTPDevice.objects.get() == device
    extra = TOTPDevice.objects.create(user=vera, name="second factor", confirmed=False)
    session = as_vera.session
    session["second_factor_begun"] = extra.pk
    session.save()
    confirm(as_vera, shown(extra))
    assert TOTPDevice.objects.get(confirmed=True) == device


def test_the_secret_of_another_user_is_not_confirmed(as_vera: Client, olga: User) -> None:
    other = with_second_factor(olga)
    TOTPDevice.objects.update(confirmed=False)
    session = as_vera.session
    session["second_factor_begun"] = other.pk
    session.save()
    assert in_letters(other) not in text(as_vera)
    confirm(as_vera, shown(other))
    assert not has_second_factor(olga)


def test_it_is_not_kept_without_its_entry(
    as_vera: Client, vera: User, begun: TOTPDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(AuditEntry.objects, "create", fail)
    as_vera.raise_request_exception = False
    as_vera.post(PAGE, {"deed": "confirm", "code": shown(begun)})
    assert not has_second_factor(vera)
    assert codes_left(vera) == 0


# --- When it is there


def test_nothing_shows_a_secret_again(as_vera: Client, begun: TOTPDevice, adam: User) -> None:
    codes = codes_in(confirm(as_vera, shown(begun)))
    client = Client()
    client.force_login(adam)
    change = reverse("admin:otp_totp_totpdevice_change", args=[begun.pk])
    addresses = [DEVICES, change, f"{DEVICES}{begun.pk}/config/", f"{DEVICES}{begun.pk}/qrcode/"]
    addresses += [reverse("admin:audit_auditentry_changelist")]
    pages = [client.get(one, follow=True).content.decode() for one in addresses]
    told = "".join([text(as_vera), *pages])
    assert "second factor (vera)" in told
    for secret in [begun.key, in_letters(begun), in_letters(begun).replace(" ", ""), *codes]:
        assert secret not in told
    assert {*StaticToken.objects.values_list("token", flat=True)} & {*codes} == set()


def test_new_codes_replace_the_old(as_vera: Client, vera: User, device: TOTPDevice) -> None:
    old = new_codes(vera)
    AuditEntry.objects.all().delete()
    page = as_vera.post(PAGE, {"deed": "codes"})
    assert "no-store" in page.headers["Cache-Control"]
    new = codes_in(page.content.decode())
    assert len(new) == CODES
    assert problem_of(vera, old[0])
    StaticDevice.objects.update(throttling_failure_count=0)
    assert problem_of(vera, new[0]) == ""
    assert f"{CODES - 1} are left" in text(as_vera)
    assert entries()[0] == ("add", "recovery codes (vera)")


def test_it_is_turned_off(as_vera: Client, vera: User, device: TOTPDevice) -> None:
    new_codes(vera)
    AuditEntry.objects.all().delete()
    as_vera.post(PAGE, {"deed": "off"})
    assert not has_second_factor(vera)
    assert codes_left(vera) == 0
    assert entries() == [("delete", "second factor (vera)")]
    as_vera.post(PAGE, {"deed": "off"})
    assert len(entries()) == 1


def test_without_one_there_are_no_codes(as_vera: Client, vera: User) -> None:
    as_vera.post(PAGE, {"deed": "codes"})
    assert codes_left(vera) == 0


@pytest.mark.parametrize("deed", ["", "begin", "confirm", "codes", "off"])
def test_an_old_login_does_nothing(
    as_vera: Client, vera: User, device: TOTPDevice, deed: str
) -> None:
    session = as_vera.session
    session[LOGGED_IN_AT] -= FRESH
    session.save()
    assert as_vera.post(PAGE, {"deed": deed}).url == f"/login/?next={PAGE}"
    assert as_vera.get(PAGE).url == f"/login/?next={PAGE}"
    assert "needs a login of the last 15 minutes" in as_vera.get("/login/").content.decode()
    assert has_second_factor(vera)
    assert entries() == []


def test_what_it_cannot_do_shows_the_page(as_vera: Client) -> None:
    assert "Set it up" in as_vera.post(PAGE, {"deed": "nonsense"}).content.decode()
    assert as_vera.put(PAGE).status_code == 405


def test_the_menu_of_every_page_leads_there(as_vera: Client) -> None:
    for address in ("/", "/admin/", PAGE):
        page = as_vera.get(address).content.decode()
        assert f'<a href="{PAGE}"' in page
        assert '<a href="/admin/password_change/"' in page


def test_who_must_have_one_is_told(as_vera: Client, settings: object) -> None:
    assert "members of the staff must" not in text(as_vera)
    settings.TRADELOG_STAFF_SECOND_FACTOR = True
    assert "members of the staff must" in text(as_vera)


# --- A phone that is lost


def test_a_command_removes_it(
    vera: User,
    device: TOTPDevice,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    new_codes(vera)
    call_command("remove_second_factor", "vera")
    assert "removed" in capsys.readouterr().out
    entry = AuditEntry.objects.get(deed=Deed.DELETE)
    assert (entry.username, entry.way) == ("root", Way.COMMAND)
    assert entry.subject == "second factor (vera)"
    assert codes_left(vera) == 0
    client = Client()
    by_password(client)
    assert is_in(client)


@pytest.mark.parametrize(("name", "words"), [("vera", "has no second"), ("zoe", "no user zoe")])
def test_a_command_that_finds_nothing_says_so(vera: User, name: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("remove_second_factor", name)


@pytest.mark.parametrize("by_action", [True, False])
def test_adam_removes_it(client: Client, adam: User, device: TOTPDevice, by_action: bool) -> None:
    new_codes(device.user)
    client.force_login(adam)
    AuditEntry.objects.all().delete()
    chosen = {"action": "delete_selected", "_selected_action": [device.pk], "post": "yes"}
    address = reverse("admin:otp_totp_totpdevice_delete", args=[device.pk])
    client.post(DEVICES if by_action else address, chosen)
    assert not has_second_factor(device.user)
    assert codes_left(device.user) == 0
    assert entries() == [("delete", "second factor (vera)")]
    assert AuditEntry.objects.get().username == "adam"


def test_adam_sees_who_has_one(client: Client, adam: User, vera: User, olga: User) -> None:
    with_second_factor(vera)
    TOTPDevice.objects.create(user=olga, name="second factor", confirmed=False)
    client.force_login(adam)
    found = client.get(DEVICES).context["cl"].result_list
    assert [one.user for one in found] == [vera]


def test_a_user_who_is_deleted_takes_it_along(vera: User, device: TOTPDevice) -> None:
    new_codes(vera)
    vera.delete()
    assert not TOTPDevice.objects.exists()
    assert not StaticToken.objects.exists()
