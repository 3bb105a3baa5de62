"""The bundled files against the truth that was computed apart from this code."""

import json
from decimal import Decimal

import pytest
from django.db.models import Case, F, Sum, When

from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.rollback import roll_back
from imports.states import Status
from tests.conftest import EXAMPLES, TakeIn
from trades.models import Trade

TRUTH = json.loads((EXAMPLES / "expected.json").read_text())
GOOD = [name for name, truth in TRUTH.items() if "trades" in truth]
BAD = "ninjatrader-bad-lines.csv"


def sample(name: str) -> bytes:
    return (EXAMPLES / name).read_bytes()


def all_trades() -> set[tuple]:
    names = [field.name for field in Trade._meta.concrete_fields]
    ours = {"id", "created_at", "import_row_log"}
    return set(Trade.objects.values_list(*[name for name in names if name not in ours]))


def net_quantities() -> dict[str, dict[str, Decimal]]:
    bought = When(side__in=["buy", "buy_to_cover"], then=F("quantity"))
    rows = Trade.objects.values_list("account__name", "instrument__symbol").order_by()
    net: dict[str, dict[str, Decimal]] = {}
    for account, symbol, quantity in rows.annotate(net=Sum(Case(bought, default=-F("quantity")))):
        net.setdefault(account, {})[symbol] = quantity
    return net


@pytest.mark.parametrize("name", GOOD)
def test_a_good_sample_becomes_exactly_its_trades(take_in: TakeIn, name: str) -> None:
    log = take_in(sample(name), name)
    truth = TRUTH[name]
    assert (log.status, log.total_rows, log.success_rows) == (
        Status.SUCCESS,
        truth["trades"],
        truth["trades"],
    )
    assert Trade.objects.aggregate(total=Sum("commission"))["total"] == Decimal(truth["commission"])
    assert net_quantities() == {
        account: {symbol: one["net_quantity"] for symbol, one in instruments.items()}
        for account, instruments in truth["accounts"].items()
    }


def test_each_bad_line_has_its_reason(take_in: TakeIn) -> None:
    log = take_in(sample(BAD), BAD)
    truth = TRUTH[BAD]
    counts = (log.total_rows, log.success_rows, log.skipped_rows, log.failed_rows)
    assert counts == tuple(truth[key] for key in ("total", "success", "skipped", "failed"))
    told = {
        row.row_number: [error["code"] for error in row.validation_errors]
        for row in ImportRowLog.objects.exclude(status="success")
    }
    assert told == {one["line"]: [one["code"].split()[0]] for one in truth["lines"]}


@pytest.mark.parametrize("name", GOOD)
def test_a_sample_taken_in_again_changes_nothing(take_in: TakeIn, name: str) -> None:
    take_in(sample(name), name)
    before = all_trades()
    again = take_in(sample(name), name)
    assert (again.status, again.skipped_rows) == (Status.SUCCESS, TRUTH[name]["trades"])
    assert all_trades() == before
    assert ImportedExecution.objects.count() == TRUTH[name]["trades"]


@pytest.mark.parametrize("name", [*GOOD, BAD])
def test_roll_back_and_import_again_gives_the_same_trades(take_in: TakeIn, name: str) -> None:
    first = take_in(sample(name), name)
    before = all_trades()
    roll_back(first)
    assert not Trade.objects.exists()
    assert not ImportedExecution.objects.exists()
    assert first.row_logs.count() == first.total_rows
    again = take_in(sample(name), name)
    assert all_trades() == before
    assert again.success_rows == first.success_rows
    assert ImportExecutionLog.objects.get(pk=first.pk).status == Status.ROLLED_BACK
