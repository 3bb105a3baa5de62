"""The filters of batches and of their trades, which pages and API share."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from batches.badges import batch_badge
from batches.filters import SORTS, BatchFilter, BatchTradeFilter
from batches.models import Batch, BatchTrade
from batches.states import Status, TradeStatus
from batches.tables import BatchTable, BatchTradeTable
from trades.models import Account, Instrument

pytestmark = pytest.mark.django_db


@pytest.fixture
def three() -> dict[str, Batch]:
    """One of each kind that the filters tell apart."""
    then = datetime(2026, 1, 5, 12, tzinfo=UTC)
    return {
        "a": Batch.objects.create(name="Morning", executor="journal", created_at=then),
        "b": Batch.objects.create(
            name="Evening",
            executor="paper",
            status=Status.FAILED,
            total_trades=5,
            failed_trades=5,
            created_at=then + timedelta(days=1),
        ),
        "c": Batch.objects.create(
            name="Old",
            executor="paper",
            status=Status.SUCCESS,
            total_trades=2,
            executed_trades=2,
            created_at=then - timedelta(days=9),
            archived_at=timezone.now(),
        ),
    }


def found(three: dict[str, Batch], **query: object) -> str:
    """The letters of those that are found, in their order."""
    filters = BatchFilter(query, queryset=Batch.objects.all())
    assert filters.is_valid(), filters.form.errors
    letters = {batch.pk: letter for letter, batch in three.items()}
    return "".join(letters[batch.pk] for batch in filters.qs)


@pytest.mark.parametrize(
    ("query", "letters"),
    [
        ({}, "ba"),
        ({"status": ["failed"]}, "b"),
        ({"status": ["failed", "pending"]}, "ba"),
        ({"start_date": "2026-01-06"}, "b"),
        ({"end_date": "2026-01-05"}, "a"),
        ({"search": "morn"}, "a"),
        ({"search": "nothing"}, ""),
        ({"executor": "Paper"}, "b"),
        ({"archived": "no"}, "ba"),
        ({"archived": "yes"}, "c"),
        ({"archived": "all"}, "bac"),
        ({"archived": "all", "sort_by": "date", "sort_order": "asc"}, "cab"),
        ({"archived": "all", "sort_by": "size"}, "bca"),
        ({"archived": "all", "sort_by": "status", "sort_order": "asc"}, "bac"),
    ],
)
def test_a_filter_finds_what_it_says(three: dict[str, Batch], query: dict, letters: str) -> None:
    assert found(three, **query) == letters


def test_a_batch_is_found_by_its_id(three: dict[str, Batch]) -> None:
    assert found(three, search=f" {three['a'].batch_uid} ") == "a"


def test_no_filter_is_untested() -> None:
    tried = {"status", "start_date", "end_date", "search", "executor", "archived"}
    assert {*BatchFilter.base_filters} == tried | {"sort_by", "sort_order"}
    assert {*SORTS} == {"date", "status", "size"}
    assert {*BatchTradeFilter.base_filters} == {"status", "account", "search"}


@pytest.mark.parametrize(
    "query",
    [
        {"status": ["done"]},
        {"start_date": "yesterday"},
        {"start_date": "2026-01-02", "end_date": "2026-01-01"},
        {"sort_by": "owner"},
        {"archived": "maybe"},
    ],
    ids=str,
)
def test_what_cannot_be_understood_is_refused(query: dict) -> None:
    assert not BatchFilter(query, queryset=Batch.objects.all()).is_valid()


def test_the_form_offers_the_executors_that_there_are(three: dict[str, Batch]) -> None:
    filters = BatchFilter({"executor": "gone"}, queryset=Batch.objects.all())
    filters.offer()
    offered = [value for value, _ in filters.form.fields["executor"].widget.choices]
    assert offered == ["", "gone", "journal", "paper"]


@pytest.mark.parametrize(
    ("query", "sequences"),
    [
        ({}, [1, 2, 3]),
        ({"status": ["failed", "cancelled"]}, [2, 3]),
        ({"account": "SIM101"}, [1]),
        ({"search": "mnq"}, [1]),
        ({"search": "no price"}, [2]),
    ],
)
def test_trades_are_found_in_their_sequence(query: dict, sequences: list[int]) -> None:
    batch = Batch.objects.create(name="One", executor="journal", total_trades=3)
    first = {
        "account": Account.objects.create(name="Sim101"),
        "instrument": Instrument.objects.create(symbol="MNQ 03-26"),
    }
    failed = {"status": TradeStatus.FAILED, "error_message": "There is no price."}
    for sequence, values in ((3, {"status": TradeStatus.CANCELLED}), (2, failed), (1, first)):
        BatchTrade.objects.create(batch=batch, sequence=sequence, **values)
    filters = BatchTradeFilter(query, queryset=batch.batch_trades.all())
    assert filters.is_valid()
    assert [trade.sequence for trade in filters.qs] == sequences


def test_a_table_shows_each_state_in_words(three: dict[str, Batch]) -> None:
    cells = BatchTable([*three.values()]).rows[1].cells
    assert "Failed" in cells["status"]
    assert 'aria-valuenow="100"' in cells["progress"]
    assert "5 of 5, 5 failed" in cells["progress"]
    waits = Batch(name="W", total_trades=3, queued_at=timezone.now())
    assert "Waiting for a worker" in batch_badge(waits)
    assert "Being cancelled" in batch_badge(Batch(status=Status.RUNNING, cancel_requested=True))
    assert "Rolled back" in batch_badge(Batch(status=Status.SUCCESS, undone_at=timezone.now()))


def test_a_partial_fill_is_told() -> None:
    batch = Batch.objects.create(name="One", executor="paper", total_trades=1)
    trade = BatchTrade.objects.create(
        batch=batch, sequence=1, quantity=Decimal(5), filled_quantity=Decimal(3)
    )
    trade.refresh_from_db()
    row = BatchTradeTable([trade], AnonymousUser()).rows[0]
    assert row.get_cell("quantity") == "3 of 5"
