"""Who has a second factor: for them a password is not enough."""

from django.contrib.auth.models import AbstractBaseUser, User
from django.db.models import QuerySet
from django_otp.plugins.otp_totp.models import TOTPDevice


def has_second_factor(user: AbstractBaseUser) -> bool:
    return TOTPDevice.objects.filter(user=user, confirmed=True).exists()


def those_with_a_password_alone() -> QuerySet[User]:
    """The active users who have no second factor."""
    return User.objects.filter(is_active=True).exclude(totpdevice__confirmed=True)
