"""Who may do what: as Django's own, but asked of the database at once."""

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission, User
from django.db.models import Model


class RightsAtOnce(ModelBackend):
    """A user's own permissions and those of the groups in one query instead of two."""

    def get_all_permissions(self, user_obj: User, obj: Model | None = None) -> set[str]:
        is_plain = user_obj.is_active and not user_obj.is_superuser and obj is None
        if is_plain and not hasattr(user_obj, "_perm_cache"):  # where Django keeps them, too
            own = Permission.objects.filter(user=user_obj).order_by()
            by_group = Permission.objects.filter(group__user=user_obj).order_by()
            names = own.union(by_group).values_list("content_type__app_label", "codename")
            user_obj._perm_cache = {f"{room}.{codename}" for room, codename in names}
        return super().get_all_permissions(user_obj, obj)
