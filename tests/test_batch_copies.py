"""A batch of trades that exist: chosen on the list of trades, or all that fit its filters."""

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from batches.models import Batch, BatchTrade
from batches.staging import stage_trades
from tests.batching import assert_true_to_its_trades, work_off
from tests.conftest import TakeIn, file_of, fill, person
from trades.models import Account, Trade

COPY, TRADES = reverse("batch-copy"), reverse("trades")
SAID = {"confirmed": "yes", "name": "Again", "executor": "paper", "priority": "5", "parallel": "1"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga(client: Client, take_in: TakeIn) -> Client:
    """Olga's browser; there are three trades, one of them in another account."""
    take_in(file_of(fill(), fill(ID="exec-2"), fill(ID="exec-3", Account="LIVE-1")))
    rights = ["view_trade", "view_batch", "add_batch", "start_batch"]
    client.force_login(person("olga", *rights))
    return client


def text_of(response: HttpResponse, status: int = 200) -> str:
    assert response.status_code == status, response.content
    return response.content.decode()


def some(count: int) -> str:
    """The address of the page for the first trades."""
    numbers = Trade.objects.order_by("pk").values_list("pk", flat=True)[:count]
    return f"{COPY}?chosen=yes&" + "&".join(f"trade={number}" for number in numbers)


def test_the_list_of_trades_leads_there(olga: Client) -> None:
    page = text_of(olga.get(TRADES))
    assert page.count('name="trade"') == 3
    assert f'action="{COPY}"' in page
    assert f'href="{COPY}"' in page
    part = text_of(olga.get(f"{TRADES}?account=LIVE-1", headers={"HX-Request": "true"}))
    assert f'href="{COPY}?account=LIVE-1"' in part


def test_who_may_make_no_batch_chooses_none(olga: Client, vera: User) -> None:
    olga.force_login(vera)
    page = text_of(olga.get(TRADES))
    assert 'name="trade"' not in page
    assert COPY not in page
    assert olga.get(some(1)).status_code == 403
    assert olga.post(some(1), SAID).status_code == 403


def test_of_chosen_trades(olga: Client) -> None:
    assert "what 2 chosen trades did" in text_of(olga.get(some(2)))
    assert not Batch.objects.exists()
    response = olga.post(some(2), SAID | {"seen": "2", "start": "on"})
    batch = Batch.objects.get()
    assert response.url == batch.get_absolute_url()
    assert (batch.name, batch.total_trades, batch.failed_trades) == ("Again", 2, 0)
    assert batch.waits_for_worker
    work_off()
    assert_true_to_its_trades(batch)
    assert Trade.objects.count() == 5


def test_of_all_that_fit(olga: Client) -> None:
    Account.objects.create(name="Paper-1")
    address = f"{COPY}?account=Sim101&sort_by=price&page=3"
    assert "what 2 chosen trades did" in text_of(olga.get(address))
    olga.post(address, SAID | {"seen": "2", "account": "Paper-1"})
    found = BatchTrade.objects.values_list("account__name", flat=True)
    assert [*found] == ["Paper-1", "Paper-1"]


@pytest.mark.parametrize("query", ["start_date=never", "side=up", "account=NoSuch"])
def test_filters_that_cannot_be_used(olga: Client, query: str) -> None:
    assert olga.get(f"{COPY}?{query}").status_code == 404


def test_none_chosen_is_not_all(olga: Client) -> None:
    response = olga.get(f"{COPY}?chosen=yes", follow=True)
    assert response.redirect_chain == [(TRADES, 302)]
    assert "Choose trades first" in text_of(response)


@pytest.mark.parametrize("query", ["trade=x", "trade=999999", "trade=", "batch=77"])
def test_none_there(olga: Client, query: str) -> None:
    assert "None of these trades exists" in text_of(olga.get(f"{COPY}?{query}"))
    assert "None of these trades exists" in text_of(olga.post(f"{COPY}?{query}", SAID))
    assert not Batch.objects.exists()


def test_what_has_changed_meanwhile_is_asked_again(olga: Client, take_in: TakeIn) -> None:
    take_in(file_of(fill(ID="exec-4")))
    page = text_of(olga.post(COPY, SAID | {"seen": "3"}))
    assert "Meanwhile they are 4 trades" in page
    assert not Batch.objects.exists()
    assert olga.post(COPY, SAID | {"seen": "4"}).status_code == 302


def test_more_than_a_batch_may_have(olga: Client, settings: LazySettings) -> None:
    settings.TRADELOG_MAX_BATCH_LINES = 2
    assert "More than 2 trades" in text_of(olga.get(COPY))
    assert "More than 2 trades" in text_of(olga.post(COPY, SAID | {"seen": "3"}))
    assert not Batch.objects.exists()


def test_what_is_wrong_with_the_form_is_said(olga: Client) -> None:
    assert "errorlist" in text_of(olga.post(some(1), SAID | {"name": ""}))
    assert "errorlist" in text_of(olga.post(some(1), SAID | {"priority": "11"}))
    assert not Batch.objects.exists()


def test_a_trade_leads_to_its_batch(olga: Client) -> None:
    batch = stage_trades(Trade.objects.all())
    Trade.objects.update(batch=batch)
    page = text_of(olga.get(reverse("trade", args=[Trade.objects.first().pk])))
    assert f'href="{batch.get_absolute_url()}"' in page
    olga.force_login(person("vito", "view_trade"))
    page = text_of(olga.get(reverse("trade", args=[Trade.objects.first().pk])))
    assert batch.get_absolute_url() not in page
