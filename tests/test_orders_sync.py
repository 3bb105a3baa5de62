"""The mirror of the open orders: what a sync takes over, counts and says, and what it leaves."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.utils import timezone

from joblogs.models import JobLog, JobLogDetail
from joblogs.registry import JOBS
from joblogs.states import Trigger
from joblogs.tasks import recur
from joblogs.wording import MASK
from orders import clearing, syncing
from orders.claims import claim, renew
from orders.models import OpenOrder, OpenOrderSnapshot
from orders.states import MOVES, Status, Step
from orders.syncing import sync
from orders.tasks import SYNC, ask_for_sync
from sources.reading import SourceError
from tests import desk
from tests.desk import order, orders

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_desk(settings: object) -> None:
    """What a test says of the desk is forgotten behind it."""
    settings.TRADELOG_SOURCES = dict(settings.TRADELOG_SOURCES)
    settings.FILES_DIR.parent.mkdir(exist_ok=True)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level("INFO", logger="orders")
    return caplog


def seen() -> dict[str, str]:
    """What readers see: orders and their states."""
    current = OpenOrderSnapshot.objects.current()
    return dict(OpenOrder.objects.filter(snapshot=current).values_list("order_id", "state"))


def last() -> OpenOrderSnapshot:
    return OpenOrderSnapshot.objects.order_by("pk").last()


# --- What is taken over


def test_an_order_is_taken_over_to_the_last_digit() -> None:
    desk.shows(order(limit_price="0.1234567891", quantity="12345678901.5"))
    sync()
    one = OpenOrder.objects.get()
    assert one.limit_price == Decimal("0.1234567891")
    assert one.quantity == Decimal("12345678901.5")
    assert one.stop_price is None
    assert (one.order_id, one.account, one.instrument) == ("O-1", "Sim101", "MNQ 03-26")
    assert one.updated_at == datetime(2026, 1, 5, 14, 40, tzinfo=UTC)


def test_the_bundled_sample_is_there_by_default(settings: object) -> None:
    result = sync()
    assert result["orders"] == OpenOrder.objects.count() > 10


def test_what_has_changed_is_counted() -> None:
    desk.shows(*orders(5))
    assert sync() | {"bad_values": 0} == {
        "orders": 5,
        "new_orders": 5,
        "changed_orders": 0,
        "gone_orders": 0,
        "bad_values": 0,
    }
    changed = [order(order_id="O-1", state="Part filled"), *orders(5)[1:3], order(order_id="O-9")]
    desk.shows(*changed)
    sync()
    now = last()
    assert (now.total_orders, now.new_orders, now.changed_orders, now.gone_orders) == (4, 1, 1, 2)
    assert seen()["O-1"] == "Part filled"


def test_an_order_of_the_same_number_in_another_account_is_another() -> None:
    desk.shows(order(), order(account="Live-7"))
    assert sync()["new_orders"] == 2
    assert len({*OpenOrder.objects.values_list("key", flat=True)}) == 2


def test_an_order_that_stands_twice_is_kept_twice_and_told(
    lines: pytest.LogCaptureFixture,
) -> None:
    desk.shows(order(), order(state="Cancel pending"))
    assert sync()["orders"] == 2
    assert "1 record repeats an order of another" in lines.messages


def test_a_key_stays_from_sync_to_sync() -> None:
    desk.shows(*orders(2))
    sync()
    before = OpenOrder.objects.get(order_id="O-2").key
    desk.shows(order(order_id="O-2", state="Filled"))
    sync()
    assert OpenOrder.objects.filter(snapshot=last()).get().key == before


def test_an_order_of_the_number_zero_has_a_number() -> None:
    path = desk.shows(order(order_id="0"))
    mapping = ",".join(f"{name}={name}" for name in desk.COLUMNS[1:])
    desk.ask(str(path), columns=f"order_id=order_id:whole,{mapping}")
    assert sync()["bad_values"] == 0
    assert OpenOrder.objects.get().order_id == "0"


# --- What it says


def test_each_step_is_a_line(lines: pytest.LogCaptureFixture) -> None:
    desk.shows(*orders(1_600))
    sync()
    assert lines.messages == [
        "Connecting to the source of the open orders",
        "Connected to desk.csv, its columns are all there",
        "Fetched 1,600 records",
        "Batch 1/4 imported (500 records)",
        "Batch 2/4 imported (500 records)",
        "Batch 3/4 imported (500 records)",
        "Batch 4/4 imported (100 records)",
        "Complete: 1,600 open orders, 1,600 new, 0 changed, 0 gone",
    ]


def test_a_value_that_cannot_be_converted_is_told_counted_and_kept(
    lines: pytest.LogCaptureFixture,
) -> None:
    desk.shows(order(), order(order_id="O-2", limit_price="abc", updated_at="yesterday"))
    assert sync()["bad_values"] == 2
    assert any(re.match(r"Row 2, limit_price: 'abc' is no number", one) for one in lines.messages)
    assert "2 values could not be converted: limit_price 1, updated_at 1" in lines.messages
    bad = OpenOrder.objects.get(order_id="O-2")
    assert (bad.limit_price, bad.updated_at) == (None, None)
    assert [one["value"] for one in bad.problems] == ["abc", "yesterday"]


def test_of_many_bad_values_the_first_are_told(
    lines: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "PROBLEMS_TOLD", 3)
    desk.shows(*orders(10, quantity="many"))
    assert sync()["bad_values"] == 10
    assert sum("quantity: 'many'" in one for one in lines.messages) == 3
    assert last().bad_values == 10


def test_a_text_that_is_too_long_is_a_bad_value() -> None:
    desk.shows(order(instrument="M" * 300))
    assert sync()["bad_values"] == 1
    assert OpenOrder.objects.get().instrument == ""
    assert "longer than 200" in OpenOrder.objects.get().problems[0]["error"]


@pytest.mark.parametrize("cell", ["\u202egnp", "x\0y", "<script>", "=1+1", "ÿ" * 150])
def test_any_text_is_taken(cell: str) -> None:
    desk.shows(order(instrument=cell))
    sync()
    assert OpenOrder.objects.count() == 1


# --- What it leaves when something is wrong


def test_a_column_that_is_missing_is_named_and_nothing_changes(
    lines: pytest.LogCaptureFixture,
) -> None:
    desk.shows(*orders(3))
    sync()
    renamed = ["Qty" if name == "quantity" else name for name in desk.COLUMNS]
    desk.shows(*orders(5), columns=renamed)
    with pytest.raises(SourceError, match="quantity"):
        sync()
    assert len(seen()) == 3
    assert (last().status, last().step) == (Status.FAILED, Step.CONNECT)
    assert last().error.startswith("Connecting to the source failed: ")
    assert "'quantity'" in last().error


def test_a_source_that_stops_in_the_middle_changes_nothing() -> None:
    desk.shows_a_table(*orders(3))
    sync()
    desk.shows_a_table(*orders(1_700), order(type="Poison"), *orders(9))
    with pytest.raises(SourceError):
        sync()
    assert len(seen()) == 3
    assert (last().status, last().step) == (Status.FAILED, Step.FETCH)
    assert last().error.startswith("Fetching failed: ")
    assert not OpenOrder.objects.filter(snapshot=last()).exists()


def test_the_next_sync_mends_it() -> None:
    desk.shows_a_table(order(type="Poison"))
    with pytest.raises(SourceError):
        sync()
    desk.shows_a_table(*orders(4))
    sync()
    assert len(seen()) == 4


def test_our_own_database_that_refuses_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    desk.shows(*orders(3))
    sync()
    monkeypatch.setattr(syncing, "LOT", 2)
    desk.shows(*orders(9))
    lots = []

    def refuse(execute: object, sql: str, *rest: object) -> object:
        lots.extend([sql] if sql.startswith('INSERT INTO "open_orders"') else [])
        if len(lots) == 3:
            lots.clear()
            raise DatabaseError("disk full")
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse), pytest.raises(DatabaseError):
        sync()
    assert len(seen()) == 3
    assert (last().status, last().error) == (
        Status.FAILED,
        "Importing failed: DatabaseError: disk full",
    )
    assert OpenOrder.objects.filter(snapshot=last()).count() == 4
    monkeypatch.undo()
    sync()
    assert len(seen()) == 9
    assert not OpenOrder.objects.filter(snapshot__status=Status.FAILED).exists()


def test_an_empty_fetch_keeps_what_is_there(lines: pytest.LogCaptureFixture) -> None:
    desk.shows(*orders(3))
    sync()
    desk.shows()
    assert sync() == {"orders": 0, "kept": True}
    assert len(seen()) == 3
    assert last().status == Status.EMPTY
    assert [one.levelname for one in lines.records][-1] == "WARNING"


@pytest.mark.parametrize("by", ["option", "setting"])
def test_an_empty_fetch_counts_where_that_is_wanted(by: str, settings: object) -> None:
    desk.shows(*orders(3))
    sync()
    desk.shows()
    settings.TRADELOG_OPEN_ORDERS_ALLOW_EMPTY = by == "setting"
    assert sync(allow_empty=True if by == "option" else None)["gone_orders"] == 3
    assert seen() == {}
    assert last().status == Status.COMPLETE


def test_no_message_shows_a_password(lines: pytest.LogCaptureFixture) -> None:
    desk.ask("postgresql://desk:s3cr3t@127.0.0.1:1/orders", "SELECT 1")
    with pytest.raises(SourceError):
        sync()
    assert "s3cr3t" not in lines.text + last().error + last().source
    assert last().source == "postgresql orders at 127.0.0.1"
    assert MASK


# --- One at a time


def test_a_second_sync_says_so_and_leaves(lines: pytest.LogCaptureFixture) -> None:
    desk.shows(*orders(3))
    first = claim()
    assert sync() == {"left": True}
    assert lines.messages == ["Another sync is at work; this one leaves."]
    assert OpenOrderSnapshot.objects.get() == first


def test_a_sync_whose_process_is_gone_is_no_obstacle() -> None:
    desk.shows(*orders(3))
    left = claim()
    gone = re.sub(r":\d+:", ":4194304:", left.owner, count=1)
    OpenOrderSnapshot.objects.update(owner=gone)
    sync()
    left.refresh_from_db()
    assert (left.status, len(seen())) == (Status.FAILED, 3)
    assert "Interrupted" in left.error


def test_a_lease_that_ran_out_is_no_obstacle() -> None:
    desk.shows(*orders(3))
    claim()
    past = timezone.now() - timedelta(seconds=1)
    OpenOrderSnapshot.objects.update(lease_until=past, owner="elsewhere:1:1:x")
    sync()
    assert len(seen()) == 3


def test_who_has_lost_the_sync_writes_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    desk.shows(*orders(9))
    monkeypatch.setattr(syncing, "LOT", 3)
    add_lot = syncing.add_lot

    def add_one_and_lose(snapshot: OpenOrderSnapshot, lot: list) -> None:
        add_lot(snapshot, lot)
        OpenOrderSnapshot.objects.update(status=Status.FAILED)

    monkeypatch.setattr(syncing, "add_lot", add_one_and_lose)
    assert sync() == {"left": True}
    assert OpenOrder.objects.count() == 3
    assert OpenOrderSnapshot.objects.get().status == Status.FAILED


def test_a_sync_that_goes_on_keeps_its_lease() -> None:
    snapshot = claim()
    past = timezone.now() + timedelta(seconds=5)
    OpenOrderSnapshot.objects.update(lease_until=past)
    renew(snapshot)
    assert OpenOrderSnapshot.objects.get().lease_until > past + timedelta(minutes=2)


@pytest.mark.parametrize(("between", "is_renewed"), [(-1, True), (60, False)])
def test_a_source_that_gives_a_row_now_and_then_keeps_its_lease(
    between: int, is_renewed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "BETWEEN_RENEWALS", between)
    rows = syncing.kept_ours(iter("abc"), claim())
    next(rows)
    past = timezone.now() - timedelta(seconds=1)
    OpenOrderSnapshot.objects.update(lease_until=past)
    assert [*rows] == ["b", "c"]
    assert (OpenOrderSnapshot.objects.get().lease_until > past) is is_renewed


@pytest.mark.parametrize("end", [Status.COMPLETE, Status.FAILED, Status.EMPTY])
def test_an_ended_snapshot_moves_no_more(end: Status) -> None:
    OpenOrderSnapshot.objects.create(status=end)
    snapshots = OpenOrderSnapshot.objects.all()
    with pytest.raises(ValueError, match="no legal move"):
        snapshots.move(end, Status.COMPLETE)
    assert not any(snapshots.move(*move) for move in MOVES)


# --- What is cleared


def test_a_replaced_snapshot_stays_a_while_for_those_who_read_it() -> None:
    for number in (3, 4, 5):
        desk.shows(*orders(number))
        sync()
    assert OpenOrder.objects.count() == 12
    OpenOrderSnapshot.objects.update(replaced_at=timezone.now() - clearing.STILL_READ * 2)
    sync()
    assert OpenOrder.objects.count() == 5 + 5
    assert OpenOrderSnapshot.objects.count() == 4


def test_deletes_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    desk.shows(*orders(10))
    sync()
    OpenOrderSnapshot.objects.update(status=Status.FAILED)
    monkeypatch.setattr(clearing, "LOT", 3)
    breaths: list[int] = []
    assert clearing.clear_old(lambda: breaths.append(OpenOrder.objects.count())) == 10
    assert breaths == [7, 4, 1, 0]


def test_what_is_current_is_never_cleared() -> None:
    desk.shows(*orders(3))
    sync()
    long_ago = timezone.now() - clearing.HISTORY * 2
    OpenOrderSnapshot.objects.update(finished_at=long_ago, replaced_at=long_ago)
    OpenOrderSnapshot.objects.create(status=Status.FAILED, finished_at=long_ago)
    OpenOrderSnapshot.objects.update(replaced_at=None)
    clearing.clear_old(lambda: None)
    assert len(seen()) == 3
    assert OpenOrderSnapshot.objects.count() == 1


# --- As a job and as a command


def test_the_job_recurs_every_five_minutes() -> None:
    assert JOBS[SYNC].every == 5


def test_asking_twice_queues_one_sync(olga: User, adam: User) -> None:
    log = ask_for_sync(Trigger.API, olga)
    assert ask_for_sync(Trigger.MANUAL, adam) == log
    assert JobLog.objects.get().asked_by == olga


@pytest.mark.django_db(transaction=True)
def test_the_job_log_has_the_lines_and_the_counters() -> None:
    desk.shows(*orders(3))
    recur(SYNC)
    log = JobLog.objects.get()
    assert (log.status, log.result["orders"]) == ("success", 3)
    assert JobLogDetail.objects.filter(message="Batch 1/1 imported (3 records)").exists()
    assert last().job_log == log


@pytest.mark.django_db(transaction=True)
def test_the_job_log_tells_which_step_failed_and_why() -> None:
    desk.shows(order(), columns=["Qty" if name == "quantity" else name for name in desk.COLUMNS])
    with pytest.raises(SourceError):
        recur(SYNC)
    log = JobLog.objects.get()
    assert log.status == "error"
    assert "there is no column 'quantity'" in log.error
    assert "Last step: Connecting to the source failed" in log.error


@pytest.mark.django_db(transaction=True)
def test_the_command_says_each_step(capsys: pytest.CaptureFixture) -> None:
    desk.shows(*orders(3))
    call_command("sync_open_orders")
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "Connecting to the source of the open orders"
    assert out[-1] == "Complete: 3 open orders, 3 new, 0 changed, 0 gone"
    assert JobLog.objects.get().trigger == "command"


@pytest.mark.django_db(transaction=True)
def test_the_command_fails_with_a_sentence(capsys: pytest.CaptureFixture) -> None:
    desk.ask("/nowhere/desk.csv")
    with pytest.raises(CommandError, match="job log"):
        call_command("sync_open_orders")


@pytest.mark.django_db(transaction=True)
def test_the_command_takes_an_empty_source_if_it_is_told_to() -> None:
    desk.shows(order())
    call_command("sync_open_orders")
    desk.shows()
    call_command("sync_open_orders")
    assert len(seen()) == 1
    call_command("sync_open_orders", "--allow-empty")
    assert seen() == {}
