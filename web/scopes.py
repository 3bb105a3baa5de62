"""What a token may do of what its user may. None may make tokens."""

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import TextChoices


class Scope(TextChoices):
    FULL = "full", "Everything its user may"
    READ = "read", "Read"
    UPLOAD = "upload", "Upload imports, and read what became of them"


def scope_of(login: object) -> str:
    """Of a token; what is no token, or has no limit, is not bounded by any."""
    return getattr(getattr(login, "limit", None), "scope", Scope.FULL)


def is_within(scope: str, permission: str) -> bool:
    """Whether a token of this scope may have the permission, named as room.codename."""
    room, _, codename = permission.partition(".")
    sees = codename.startswith("view_") and room != "audit"
    if scope == Scope.READ:
        return sees
    if scope == Scope.UPLOAD:
        return permission == "imports.add_importexecutionlog" or (sees and room == "imports")
    return scope == Scope.FULL


def limit(user: AbstractBaseUser, scope: str) -> None:
    """From here on, in this request, the user has no more rights than the scope.

    Whatever asks for a right asks the user, whom nobody saves: a superuser is none here.
    """
    if scope == Scope.FULL:
        return
    mine = user.get_all_permissions()
    user.is_superuser = user.is_staff = False
    user._perm_cache = {permission for permission in mine if is_within(scope, permission)}
