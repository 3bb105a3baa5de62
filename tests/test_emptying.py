"""Behind a test that has committed, the tables have the rows that they had at the start."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType

from tests import emptying
from tests.emptying import Emptying, rows_of, with_rows
from trades.models import Account

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("much", [emptying.MUCH, -1])
def test_everything_is_as_it_was(much: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emptying, "MUCH", much)
    start = Emptying()
    assert {"auth_group_permissions", "auth_permission", "django_content_type"} <= start.kept.keys()
    user = User.objects.create_user("somebody")
    user.groups.set(Group.objects.all())
    user.user_permissions.set(Permission.objects.all()[:3])
    Account.objects.create(name="Sim101")
    Group.objects.get(name="viewer").permissions.clear()
    Group.objects.create(name="another")
    start.put_back()
    assert {one: rows_of(one) for one in with_rows(start.tables)} == start.kept


def test_what_was_known_of_content_types_still_holds() -> None:
    start = Emptying()
    ContentType.objects.all().delete()
    start.put_back()
    assert ContentType.objects.get_for_model(Account).pk in ContentType.objects.values_list(
        "pk", flat=True
    )
