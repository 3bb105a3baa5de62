"""The page, the admin and the API of notices, and their number beside the entry in the sidebar."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from joblogs.models import Notice
from joblogs.notices import acknowledge, tell
from joblogs.states import Delivery, Level
from tests.apis import asking, got, refused
from tests.conftest import person

LIST, ALL = reverse("notices"), reverse("notices-acknowledge")
API = "/api/notices"

pytestmark = pytest.mark.django_db


def some(number: int) -> list[Notice]:
    return [tell(f"x{one}", f"Notice {one}", level=Level.WARNING) for one in range(number)]


def page_of(client: Client, user: User, **query: object) -> str:
    client.force_login(user)
    response = client.get(LIST, query)
    assert response.status_code == 200
    return response.content.decode()


def listed(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'<tr id="notice-(\d+)"', page)]


# --- The page


def test_the_newest_come_first_and_25_to_a_page(client: Client, vera: User) -> None:
    keys = [one.pk for one in some(30)][::-1]
    assert listed(page_of(client, vera)) == keys[:25]
    assert listed(page_of(client, vera, page=2)) == keys[25:]


def test_an_empty_list_says_so(client: Client, vera: User) -> None:
    assert "No notices yet" in page_of(client, vera)
    assert "No notices fit these filters." in page_of(client, vera, level="error")
    assert "These filters cannot be used" in page_of(client, vera, level="loud")


def test_the_filters(client: Client, olga: User) -> None:
    old, new = some(2)
    acknowledge(old, olga)
    Notice.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=9))
    week_ago = f"{timezone.localdate() - timedelta(days=7)}"
    assert listed(page_of(client, olga, acknowledged="no")) == [new.pk]
    assert listed(page_of(client, olga, acknowledged="yes")) == [old.pk]
    assert listed(page_of(client, olga, start_date=week_ago)) == [new.pk]
    assert listed(page_of(client, olga, end_date=week_ago)) == [old.pk]
    assert listed(page_of(client, olga, level="warning")) == [new.pk, old.pk]


def test_what_stands_in_a_notice_is_text(client: Client, vera: User) -> None:
    tell("x", "<b>a.csv", "<script>", url="/import-logs/7/")
    page = page_of(client, vera)
    assert '<a class="tl-link" href="/import-logs/7/">&lt;b&gt;a.csv</a>' in page
    assert "&lt;script&gt;" in page


def test_what_became_of_it_is_said(client: Client, vera: User) -> None:
    tell("x", "Done")
    values = {"delivery": Delivery.UNKNOWN, "error": "Nobody can tell", "over_at": timezone.now()}
    Notice.objects.update(**values)
    page = page_of(client, vera)
    assert "Unknown whether sent" in page
    assert "Nobody can tell" in page
    assert "Well again since" in page


def test_one_is_acknowledged(client: Client, olga: User) -> None:
    one, other = some(2)
    client.force_login(olga)
    where = f"{LIST}?level=warning"
    response = client.post(reverse("notice-acknowledge", args=[one.pk]), {"next": where})
    assert response.url == where
    assert list(Notice.objects.open()) == [other]
    page = page_of(client, olga)
    assert "olga" in page
    assert f'id="acknowledge-{one.pk}"' not in page
    response = client.post(reverse("notice-acknowledge", args=[one.pk]), follow=True)
    assert "Somebody has acknowledged it already." in response.content.decode()


def test_all_that_were_seen_are_acknowledged(client: Client, olga: User) -> None:
    some(3)
    newest = re.search(r'name="newest" value="(\d+)"', page_of(client, olga))[1]
    later = tell("later", "Done")
    client.post(ALL, {"newest": newest})
    assert list(Notice.objects.open()) == [later]
    client.post(ALL, {"newest": "x"})
    assert list(Notice.objects.open()) == [later]


def test_it_leads_nowhere_else(client: Client, olga: User) -> None:
    client.force_login(olga)
    for page in ("https://evil.example/", "//evil.example", "/admin/", f"{LIST[:-1]}x"):
        assert client.post(ALL, {"newest": 0, "next": page}).url == LIST


def test_a_script_gets_the_list_alone(client: Client, vera: User) -> None:
    client.force_login(vera)
    page = client.get(LIST, headers={"HX-Request": "true"}).content.decode()
    assert page.lstrip().startswith('<section id="notices"')


# --- Who may


def test_strangers_and_others_see_nothing(client: Client) -> None:
    assert client.get(LIST).status_code == 302
    client.force_login(person("nora"))
    assert client.get(LIST).status_code == 403


def test_a_viewer_acknowledges_nothing(client: Client, vera: User) -> None:
    (one,) = some(1)
    assert "<button id=" not in page_of(client, vera)
    assert client.post(reverse("notice-acknowledge", args=[one.pk])).status_code == 403
    assert client.post(ALL, {"newest": one.pk}).status_code == 403
    assert Notice.objects.open().exists()


# --- In the sidebar


def badge(page: str) -> str:
    entry = re.search(r"<span>Notices</span>(.*?)</a>", page, re.DOTALL)[1]
    return re.sub(r"<[^>]*>|\s", "", entry)


def test_the_sidebar_tells_how_many_are_open(client: Client, vera: User, olga: User) -> None:
    assert badge(page_of(client, vera)) == ""
    first, *_ = some(3)
    assert badge(page_of(client, vera)) == "3"
    acknowledge(first, olga)
    assert badge(page_of(client, vera)) == "2"


def test_who_may_not_see_them_is_not_told_how_many(client: Client) -> None:
    some(3)
    client.force_login(person("nora", "view_joblog"))
    assert "<span>Notices</span>" not in client.get(reverse("job-logs")).content.decode()


# --- The admin


def test_several_are_acknowledged_in_the_admin(client: Client, adam: User) -> None:
    one, other = some(2)
    client.force_login(adam)
    data = {"action": "acknowledge_selected", "_selected_action": [one.pk]}
    client.post(reverse("admin:joblogs_notice_changelist"), data)
    assert list(Notice.objects.open()) == [other]
    assert Notice.objects.get(pk=one.pk).acknowledged_by == adam
    listing = reverse("admin:joblogs_notice_changelist")
    assert "Notice 1" not in client.get(listing, {"acknowledged": "yes"}).content.decode()


def test_a_viewer_has_no_action_in_the_admin(client: Client, vera: User) -> None:
    (one,) = some(1)
    client.force_login(vera)
    data = {"action": "acknowledge_selected", "_selected_action": [one.pk]}
    client.post(reverse("admin:joblogs_notice_changelist"), data)
    assert Notice.objects.open().exists()


# --- The API


def test_the_api_lists_and_filters(vera: User, olga: User) -> None:
    old, new = some(2)
    acknowledge(old, olga)
    answer = got(asking(vera), API)
    assert [one["id"] for one in answer["notices"]] == [new.pk, old.pk]
    assert answer["pagination"]["total"] == 2
    assert [one["acknowledged_by"] for one in answer["notices"]] == [None, "olga"]
    assert [one["id"] for one in got(asking(vera), API, acknowledged="no")["notices"]] == [new.pk]
    refused(asking(vera).get(API, {"level": "loud"}), 400, "INVALID_PARAMETER")


def test_the_api_acknowledges_and_says_who_was_first(olga: User, adam: User) -> None:
    (one,) = some(1)
    for user in (olga, adam):
        answer = asking(user).put(f"{API}/{one.pk}/acknowledge")
        assert answer.status_code == 200
        assert answer.json()["notice"]["acknowledged_by"] == "olga"
    refused(asking(olga).put(f"{API}/4711/acknowledge"), 404, "NOTICE_NOT_FOUND")
    refused(asking(olga).put(f"{API}/x/acknowledge"), 404, "NOTICE_NOT_FOUND")


def test_no_secret_of_the_sending_is_in_the_api(vera: User, settings: object) -> None:
    settings.TRADELOG_NOTIFY_URLS = ["json://desk:hunter2@127.0.0.1/tok-123456"]
    some(1)
    text = str(got(asking(vera), API))
    assert "hunter2" not in text
    assert "tok-123456" not in text
