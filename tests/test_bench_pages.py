"""The measurement of the pages takes place; how many questions they ask is no matter of speed."""

import pytest

from batches.models import Batch, BatchTrade
from bench import batchviews, joblogviews, pageviews, positionviews
from bench.pageviews import look_at_all, make_imports, make_rows
from imports.models import ImportRowLog
from joblogs.models import JobLogDetail
from trades.models import Position, Trade


@pytest.fixture(autouse=True)
def looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for the look that goes before; more are for the time that they take."""
    monkeypatch.setattr(pageviews, "TIMES", 1)


@pytest.mark.django_db
def test_every_page_asks_little() -> None:
    make_imports(120)
    make_rows(400)
    assert (ImportRowLog.objects.count(), Trade.objects.count()) == (400, 308)
    found = {one.name: one.queries for one in look_at_all()}
    assert max(found.values()) <= 12, found
    assert len(found) == 16


@pytest.mark.django_db
def test_every_page_of_job_logs_asks_little() -> None:
    joblogviews.make_job_logs(60)
    assert JobLogDetail.objects.count() == 60 * 20 + 120
    found = {one.name: one.queries for one in joblogviews.look_at_all()}
    assert max(found.values()) <= 16, str(found)
    assert len(found) == 9


@pytest.mark.django_db
def test_every_page_of_batches_asks_little() -> None:
    batchviews.make_batches(60, trades=400)
    assert (Batch.objects.count(), BatchTrade.objects.count()) == (60, 400)
    found = {one.name: one.queries for one in batchviews.look_at_all()}
    assert max(found.values()) <= 10, found
    assert len(found) == 13


@pytest.mark.django_db
def test_every_page_of_positions_asks_little() -> None:
    positionviews.make_all(2_000)
    assert (Trade.objects.count(), Position.objects.count()) == (2_000, 2_000)
    found = {one.name: one.queries for one in positionviews.look_at_all()}
    assert max(found.values()) <= 36, found
    assert len(found) == 55
