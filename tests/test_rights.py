"""The groups that are there from the beginning, and what they may."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from pytest_django import DjangoAssertNumQueries

ROOMS = {"audit", "batches", "imports", "joblogs", "orders", "trades"}
SEES = {
    "batches.view_batch",
    "batches.view_batchtemplate",
    "batches.view_batchtrade",
    "imports.view_importexecutionlog",
    "imports.view_importrowlog",
    "imports.view_importedexecution",
    "joblogs.view_joblog",
    "joblogs.view_joblogdetail",
    "joblogs.view_notice",
    "orders.view_openorder",
    "orders.view_openordersnapshot",
    "trades.view_account",
    "trades.view_instrument",
    "trades.view_integrityissue",
    "trades.view_position",
    "trades.view_trade",
}
OPERATES = {
    "imports.add_importexecutionlog",
    "imports.retry_import",
    "imports.cancel_import",
    "orders.sync_open_orders",
    "joblogs.run_job",
    "joblogs.acknowledge_notice",
    "batches.add_batch",
    "batches.start_batch",
    "batches.cancel_batch",
    "batches.retry_batch",
    "batches.add_batchtemplate",
    "batches.change_batchtemplate",
    "trades.change_position",
    "trades.dismiss_issue",
}


def member_of(*groups: str) -> User:
    user = User.objects.create_user("nora", password="a long enough password")
    user.groups.set(Group.objects.filter(name__in=groups))
    return user


@pytest.mark.django_db
def test_who_is_in_no_group_may_nothing() -> None:
    assert member_of().get_all_permissions() == set()


@pytest.mark.django_db
def test_a_viewer_sees_everything_of_ours_and_nothing_else() -> None:
    assert member_of("viewer").get_all_permissions() == SEES


@pytest.mark.django_db
def test_an_operator_uploads_retries_cancels_and_runs_as_well() -> None:
    assert member_of("operator").get_all_permissions() == SEES | OPERATES


@pytest.mark.django_db
def test_an_admin_rolls_back_deletes_and_changes_but_makes_no_users() -> None:
    may = member_of("admin").get_all_permissions()
    assert may > SEES | OPERATES
    assert {"imports.roll_back_import", "imports.delete_importexecutionlog"} < may
    assert {"trades.change_trade", "trades.change_account", "joblogs.pause_job"} < may
    assert {name.partition(".")[0] for name in may} == ROOMS


@pytest.mark.django_db
def test_the_next_migrate_sets_the_groups_back() -> None:
    viewer, operator = Group.objects.get(name="viewer"), Group.objects.get(name="operator")
    viewer.permissions.set(Group.objects.get(name="admin").permissions.all())
    operator.delete()
    call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0)
    assert Group.objects.count() == 3
    assert member_of("viewer").get_all_permissions() == SEES


@pytest.mark.django_db
def test_other_groups_are_left_alone() -> None:
    Group.objects.create(name="desk")
    call_command("migrate", verbosity=0)
    assert Group.objects.filter(name="desk").exists()


@pytest.mark.django_db
def test_own_rights_and_those_of_the_groups_are_asked_for_at_once(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    nina = User.objects.create_user("nina")
    nina.groups.add(Group.objects.get(name="viewer"))
    nina.user_permissions.add(Permission.objects.get(codename="run_job"))
    nina = User.objects.get(username="nina")
    with django_assert_num_queries(1):
        mine = nina.get_all_permissions()
    assert mine > {"joblogs.view_joblog", "joblogs.run_job"}
    assert "joblogs.pause_job" not in mine
    assert mine == nina.get_user_permissions() | nina.get_group_permissions()


@pytest.mark.django_db
def test_who_is_not_active_has_no_rights() -> None:
    nina = User.objects.create_user("nina", is_active=False)
    nina.groups.add(Group.objects.get(name="admin"))
    assert not User.objects.get(username="nina").get_all_permissions()
