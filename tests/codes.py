"""Second factors in the tests: whoever has one, and the codes that the app would show."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from django_otp.models import Device
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.apis import PASSWORD
from tradelog.secondfactor import begin

PAGE, CODE = "/account/second-factor/", "/login/code/"


def with_second_factor(user: User) -> TOTPDevice:
    device = begin(user)
    TOTPDevice.objects.update(confirmed=True)
    return device


def shown(device: TOTPDevice, later: int = 0) -> str:
    """What the app shows, so many times 30 seconds later."""
    return f"{TOTP(device.bin_key, drift=later).token():06}"


def wrong_for(device: TOTPDevice) -> str:
    near = {shown(device, later) for later in range(-9, 10)}
    return next(code for code in map(str, range(111111, 111199)) if code not in near)


def fail(device: Device, *, ago: timedelta = timedelta()) -> None:
    """Have ten wrong codes behind it, which are worth eight minutes and a half."""
    when = timezone.now() - ago
    failed = {"throttling_failure_count": 10, "throttling_failure_timestamp": when}
    type(device).objects.filter(pk=device.pk).update(**failed)


def by_password(client: Client, query: str = "", door: str = "/login/") -> HttpResponse:
    return client.post(f"{door}{query}", {"username": "vera", "password": PASSWORD})


def by_code(client: Client, code: str, query: str = "") -> HttpResponse:
    return client.post(f"{CODE}{query}", {"code": code})


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200
