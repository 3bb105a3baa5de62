"""The second factor of a user: an app that shows codes, and ten recovery codes for its loss.

django-otp keeps the app's secret and judges codes. Each is taken once. After a wrong one none is
looked at for a second, after each further one for twice as long, from wherever they come.
"""

import base64
import re
from collections.abc import Iterable

import segno
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit.models import Deed
from audit.writing import write_down
from web.durations import time_in_words
from web.secondfactor import has_second_factor

CODES = 10
OF_THE_APP = re.compile(r"[0-9]{6}")
FOR_RECOVERY = re.compile(r"[a-z2-7]{8}")
SIX = "A code of the app has six digits."
NEITHER = "A code of the app has six digits, a recovery code eight letters and digits."
WRONG = {
    TOTPDevice: "This code is wrong, or was used before. Wait for the next one, and check the "
    "clock of your phone: it must be right to half a minute.",
    StaticDevice: "This recovery code is wrong, or was used before.",
}
AGAIN = "This was begun anew in another window, or is over."


# --- Codes


def problem_of(user: User, code: str) -> str:
    """What is wrong with a code that is to log in; '' if nothing is: then it is used up."""
    found = OF_THE_APP.fullmatch(code), FOR_RECOVERY.fullmatch(code)
    if not any(found):
        return NEITHER
    kind = TOTPDevice if found[0] else StaticDevice
    with transaction.atomic():
        devices = kind.objects.select_for_update().filter(user=user, confirmed=True)
        device = devices.order_by("pk").first()
        if device is None:
            return WRONG[kind]
        problem = problem_of_device(device, code)
        if kind is StaticDevice and not problem:
            left = device.token_set.count()
            write_down(Deed.RECOVERY, device, words=f"{left} left", user=user)
    return problem


def problem_of_device(device: TOTPDevice | StaticDevice, code: str) -> str:
    """The same, of a device that nobody else asks meanwhile."""
    allowed, why = device.verify_is_allowed()
    if not allowed:
        wait = time_in_words((why["locked_until"] - timezone.now()).total_seconds())
        return f"After wrong codes none is looked at for a while: try again in {wait}."
    if isinstance(device, StaticDevice):
        code = as_kept(device.user_id, code)
    if device.verify_token(code):
        return ""
    write_down(Deed.WRONG_CODE, device)
    return WRONG[type(device)]


def as_kept(user: int, code: str) -> str:
    """A recovery code as it stands in the database, whose readers cannot use it."""
    digest = salted_hmac("tradelog.secondfactor", f"{user}:{code}", algorithm="sha256")
    return digest.hexdigest()[:16]


def hold(user: User) -> None:
    """Whoever else sets something up for this user waits for the end of this transaction."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)


# --- The app


def begin(user: User) -> TOTPDevice:
    """A new secret, which does not count before it is confirmed."""
    with transaction.atomic():
        hold(user)
        TOTPDevice.objects.filter(user=user, confirmed=False).delete()
        return TOTPDevice.objects.create(user=user, name="second factor", confirmed=False)


def problem_of_first(user: User, pk: int | None, code: str) -> str:
    """As `problem_of`, of the code that confirms a new secret: from then on it counts."""
    with transaction.atomic():
        hold(user)
        device = TOTPDevice.objects.filter(user=user, confirmed=False, pk=pk).first()
        if device is None or has_second_factor(user):
            return AGAIN
        if problem := problem_of_device(device, code) if OF_THE_APP.fullmatch(code) else SIX:
            return problem
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        write_down(Deed.ADD, device)
    return ""


def drawing(device: TOTPDevice) -> str:
    """The QR code that apps read, as elements of SVG; black on white in the dark, too."""
    looks = {"svgclass": "tl-qr", "lineclass": None, "dark": "#000", "light": "#fff"}
    return segno.make_qr(device.config_url).svg_inline(omitsize=True, **looks)


def in_letters(device: TOTPDevice) -> str:
    """The secret as apps take it from a keyboard, in groups of four."""
    letters = base64.b32encode(device.bin_key).decode()
    return " ".join(re.findall(".{4}", letters))


# --- Recovery codes


def new_codes(user: User) -> list[str]:
    """In place of those from before; nothing shows them again."""
    codes = [StaticToken.random_token() for _ in range(CODES)]
    with transaction.atomic():
        hold(user)
        StaticDevice.objects.filter(user=user).delete()
        device = StaticDevice.objects.create(user=user, name="recovery codes")
        StaticToken.objects.bulk_create(
            StaticToken(device=device, token=as_kept(user.pk, code)) for code in codes
        )
        write_down(Deed.ADD, device, count=CODES)
    return codes


def codes_left(user: User) -> int:
    return StaticToken.objects.filter(device__user=user).count()


# --- The end


def forget(users: Iterable[int]) -> None:
    for kind in (TOTPDevice, StaticDevice):
        kind.objects.filter(user__in=users).delete()


def turn_off(user: User) -> bool:
    """Whether there was one."""
    with transaction.atomic():
        devices = [*TOTPDevice.objects.filter(user=user, confirmed=True)]
        for device in devices:
            write_down(Deed.DELETE, device, count=1)
        forget([user.pk])
    return bool(devices)
