"""Who has a second factor, and who must: for them a password is not enough."""

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, User
from django.db.models import Q, QuerySet
from django_otp.plugins.otp_totp.models import TOTPDevice


def has_second_factor(user: AbstractBaseUser) -> bool:
    return TOTPDevice.objects.filter(user=user, confirmed=True).exists()


def must_have_second_factor(user: AbstractBaseUser) -> bool:
    return settings.TRADELOG_STAFF_SECOND_FACTOR and (user.is_staff or user.is_superuser)


def lacks_second_factor(user: AbstractBaseUser) -> bool:
    """Whether this user must have one first."""
    return must_have_second_factor(user) and not has_second_factor(user)


def those_with_a_password_alone() -> QuerySet[User]:
    """The active users who neither have a second factor nor must have one."""
    users = User.objects.filter(is_active=True).exclude(totpdevice__confirmed=True)
    if settings.TRADELOG_STAFF_SECOND_FACTOR:
        users = users.exclude(Q(is_staff=True) | Q(is_superuser=True))
    return users
