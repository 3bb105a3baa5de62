"""What becomes of a batch that a worker works on, whatever the executor does."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import OperationalError
from django.utils import timezone

from batches import background, booking, lots, running
from batches.answers import INTERRUPTED
from batches.background import batch_slice, waiting_batches
from batches.claims import LEASE, LeaseLost, claim, finish, patiently, renew
from batches.control import cancel, delete, start
from batches.executors import EXECUTORS, Fill
from batches.models import Batch, BatchTrade
from batches.progress import progress_of, progress_of_all
from batches.running import run_batch
from batches.states import Status
from imports.models import ImportedExecution
from joblogs.models import JobLog
from tests.batching import (
    assert_true_to_its_trades,
    messages_of,
    stage,
    started,
    states_of,
    work_off,
)
from tests.brokers import Knowing, Lenient, Strict, calls_in, fill_of
from tests.test_background import name_of_the_dead
from trades.models import Trade

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def brokers(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (Strict, Lenient, Knowing):
        monkeypatch.setitem(EXECUTORS, kind.name, kind)


@pytest.fixture
def calls(tmp_path: Path) -> str:
    """The file of the calls."""
    return str(tmp_path / "calls.txt")


def named(*names: str):
    return lambda sequence: {"trade_name": names[sequence - 1]}


# --- In peace


def test_a_batch_is_executed_and_booked() -> None:
    batch = started(3, values=lambda sequence: {"trade_name": f"No. {sequence}", "notes": "why"})
    work_off()
    batch.refresh_from_db()
    assert (batch.status, batch.executed_trades, batch.error_summary) == (Status.SUCCESS, 3, "")
    assert batch.completed_at >= batch.started_at >= batch.queued_at
    assert_true_to_its_trades(batch)
    trade = Trade.objects.get(batch_trade__sequence=2)
    assert (trade.name, trade.notes, trade.side) == ("No. 2", "why", "buy")
    assert (trade.quantity, trade.price) == (Decimal(2), Decimal("21350.25"))


def test_a_trade_is_booked_at_the_moment_that_it_was_given() -> None:
    moment = datetime(2026, 1, 5, 14, 35, 3, 250, tzinfo=UTC)
    started(1, values=lambda sequence: {"executed_at": moment, "order_id": "O-1"})
    work_off()
    trade = Trade.objects.get()
    assert (trade.executed_at, trade.order_id) == (moment, "O-1")


def test_the_answers_of_an_executor_are_told_apart() -> None:
    names = ["fine", "raise", "reject", "partial", "odd"]
    batch = started(5, executor="strict", values=named(*names))
    work_off()
    assert states_of(batch) == ["executed", "failed", "failed", "executed", "failed"]
    assert messages_of(batch) == [
        "",
        "The broker hung up; verify at the broker what became of it.",
        "No margin.",
        "Filled 1 of 2.",
        "The executor gave no answer but 'done'; verify at the broker.",
    ]
    assert_true_to_its_trades(batch)
    assert batch.status == Status.PARTIAL_SUCCESS
    assert batch.error_summary == "Of 5 trades: 2 executed, 3 failed."
    filled = BatchTrade.objects.get(sequence=4)
    assert (filled.filled_quantity, filled.trade.quantity) == (1, 1)


def test_a_batch_of_which_nothing_is_executed_has_failed() -> None:
    batch = started(2, executor="strict", values=named("reject", "reject"))
    work_off()
    assert_true_to_its_trades(batch)
    assert batch.status == Status.FAILED


def test_a_batch_of_bad_lines_alone_fails_when_it_is_started() -> None:
    batch = started(0, bad=2)
    work_off()
    assert_true_to_its_trades(batch)
    assert (batch.status, batch.failed_trades) == (Status.FAILED, 2)


def test_bad_lines_stay_as_they_are() -> None:
    batch = started(2, bad=1)
    work_off()
    assert_true_to_its_trades(batch)
    assert (batch.status, messages_of(batch)[-1]) == (Status.PARTIAL_SUCCESS, "It is a bad line.")


def test_many_threads_execute_each_trade_once(calls: str) -> None:
    wishes = {"executor_settings": {"path": calls, "rest_ms": 1}, "parallel": 8}
    batch = started(100, executor="strict", **wishes)
    work_off()
    assert_true_to_its_trades(batch)
    assert batch.status == Status.SUCCESS
    assert sorted(calls_in(calls).values()) == [1] * 100


# --- An executor that is not there, or gives what cannot be booked


def test_without_its_executor_a_batch_fails_with_the_reason() -> None:
    batch = started(2, executor="gone")
    work_off()
    assert_true_to_its_trades(batch)
    assert batch.status == Status.FAILED
    assert batch.error_summary.startswith("There is no executor 'gone' here; there are journal,")
    assert messages_of(batch)[0].startswith("There is no executor 'gone' here")


def test_with_settings_that_its_executor_does_not_know_a_batch_fails() -> None:
    batch = started(1, executor="paper", executor_settings={"speed": 1})
    work_off()
    batch.refresh_from_db()
    assert batch.status == Status.FAILED
    assert batch.error_summary.startswith("There is no setting 'speed'; there are: seed,")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"quantity": Decimal(0)}, "its quantity is 0"),
        ({"quantity": 1.5}, "its quantity is 1.5, no decimal number"),
        ({"price": Decimal("NaN")}, "its price is Decimal('NaN'), no decimal number"),
        ({"price": Decimal("1234567890.123456")}, "its price has more digits than can be kept"),
        ({"price": Decimal("1e20")}, "its price has more digits than can be kept exactly"),
        ({"executed_at": datetime(2026, 1, 5)}, "its time has no zone"),
        ({"order_id": "x" * 201}, "its order id has more than 200 characters"),
    ],
)
def test_a_fill_that_cannot_be_booked_says_so(
    values: dict[str, object], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = {"quantity": Decimal(1), "price": Decimal(1), "commission": Decimal(0)}
    fill = Fill(**{**usual, "executed_at": timezone.now(), **values})
    monkeypatch.setattr(Strict, "execute", lambda self, instruction: fill)
    batch = started(1, executor="strict")
    work_off()
    assert_true_to_its_trades(batch)
    (message,) = messages_of(batch)
    assert message.startswith(f"It was executed, but cannot be booked: {words}")


def test_what_the_ledger_has_already_is_not_booked_twice() -> None:
    batch = stage(4)
    row = BatchTrade.objects.get(sequence=3)
    ImportedExecution.objects.create(
        account=row.account, instrument=row.instrument, execution_id=f"{batch.batch_uid}:3"
    )
    start(batch)
    work_off()
    assert states_of(batch) == ["executed", "executed", "failed", "executed"]
    assert "the database refused to book it" in messages_of(batch)[2]
    assert Trade.objects.count() == 3


def test_one_that_is_deleted_as_soon_as_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    batch, end = started(1), running.end
    monkeypatch.setattr(running, "end", lambda batch: (end(batch), delete(batch)))
    assert batch_slice(batch.pk) == {"batch": batch.pk, "left": True}
    assert not Batch.objects.exists()


# --- Slices, priorities and bells


@pytest.fixture
def small_lots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two trades at once, and a slice is over after the first."""
    monkeypatch.setattr(EXECUTORS["journal"], "lot", 2)
    monkeypatch.setattr(running, "lot_of", lambda executor: 2)


def after(lots_done: int):
    """Over when so many lots are booked."""
    looks = iter([False] * lots_done)
    return lambda batch: next(looks, True)


def test_a_slice_that_is_over_leaves_the_batch_to_the_next(small_lots: None) -> None:
    batch = started(5)
    assert run_batch(after(1)).executed_trades == 2
    batch.refresh_from_db()
    assert (batch.status, batch.owner, batch.attempt) == (Status.RUNNING, "", 0)
    assert run_batch().status == Status.SUCCESS
    assert_true_to_its_trades(batch)


def test_a_slice_rings_for_the_next(monkeypatch: pytest.MonkeyPatch, small_lots: None) -> None:
    monkeypatch.setattr(background, "SLICE", -1)
    batch = started(5)
    assert batch_slice(batch.pk)["status"] == Status.RUNNING
    assert [*JobLog.objects.values_list("job", "subject_id")] == [("batch", batch.pk)] * 2


def test_the_most_urgent_batch_comes_first() -> None:
    late, first, urgent = started(1, priority=9), started(1), started(1, priority=1)
    second = started(1)
    assert [run_batch().pk for _ in range(4)] == [urgent.pk, first.pk, second.pk, late.pk]
    assert run_batch() is None


def test_an_urgent_batch_overtakes_at_the_next_slice(small_lots: None) -> None:
    long = started(6)
    run_batch(after(1))
    urgent = started(1, priority=1)
    assert run_batch().pk == urgent.pk
    assert run_batch().pk == long.pk


def test_a_bell_for_nothing_is_left() -> None:
    stage(1)
    assert batch_slice(5) == {"batch": 5, "left": True}


def test_who_was_started_and_waits_is_found() -> None:
    batch = started(1)
    stage(1)
    assert [*waiting_batches()] == [batch.pk]
    claim()
    assert [*waiting_batches()] == []


# --- The lease


def test_a_batch_has_one_owner() -> None:
    started(1)
    assert claim() is not None
    assert claim() is None


def test_a_lease_that_ran_out_is_taken_over() -> None:
    batch = started(1)
    first = claim()
    Batch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    second = claim()
    assert (second.pk, second.attempt, second.owner != first.owner) == (batch.pk, 2, True)
    with pytest.raises(LeaseLost):
        renew(first)
    with pytest.raises(LeaseLost):
        finish(first, Status.SUCCESS)


def test_a_batch_of_a_dead_process_is_free_at_once() -> None:
    batch = started(1)
    claim()
    Batch.objects.update(owner=name_of_the_dead(), lease_until=timezone.now() + LEASE)
    assert [*waiting_batches()] == [batch.pk]
    assert run_batch().status == Status.SUCCESS


def test_who_has_lost_the_batch_books_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose_it(self: Strict, instruction: object) -> Fill:
        return fill_of(instruction, Decimal(1))

    batch = started(1, executor="strict")
    monkeypatch.setattr(Strict, "execute", lose_it)
    take = running.take

    def take_and_lose(batch: Batch, *arguments: object) -> list:
        tasks = take(batch, *arguments)
        Batch.objects.update(owner="rival")
        return tasks

    monkeypatch.setattr(running, "take", take_and_lose)
    assert run_batch().owner == "rival"
    assert (Trade.objects.count(), states_of(batch)) == (0, ["executing"])


# --- What a dead owner left behind


def die_with(batch: Batch, count: int) -> None:
    """As if a process had claimed so many of its trades and was killed."""
    owned = claim()
    assert owned.pk == batch.pk
    assert len(lots.take(owned, count, [], 0)) == count
    Batch.objects.update(owner=name_of_the_dead())


def test_what_may_be_asked_again_is_asked_again(calls: str) -> None:
    batch = started(5, executor="lenient", executor_settings={"path": calls})
    die_with(batch, 3)
    work_off()
    assert_true_to_its_trades(batch)
    assert batch.status == Status.SUCCESS
    attempts = BatchTrade.objects.order_by("sequence").values_list("attempts", flat=True)
    assert [*attempts] == [2, 2, 2, 1, 1]
    assert sorted(calls_in(calls).values()) == [1] * 5


def test_what_may_not_be_asked_again_is_left_to_the_user(calls: str) -> None:
    batch = started(3, executor="strict", executor_settings={"path": calls})
    die_with(batch, 1)
    work_off()
    assert_true_to_its_trades(batch)
    assert states_of(batch) == ["failed", "executed", "executed"]
    assert messages_of(batch)[0] == INTERRUPTED
    assert batch.status == Status.PARTIAL_SUCCESS
    assert f"{batch.batch_uid}:1" not in calls_in(calls)


def test_who_knows_is_asked_what_became_of_it(calls: str) -> None:
    batch = started(3, executor="knowing", executor_settings={"path": calls})
    die_with(batch, 2)
    Path(calls).write_text(f"{batch.batch_uid}:1\n")
    work_off()
    assert_true_to_its_trades(batch)
    assert batch.status == Status.SUCCESS
    assert sorted(calls_in(calls).values()) == [1] * 3


def test_one_that_ends_every_process_is_given_up_and_the_others_go_on() -> None:
    batch = started(4, executor="lenient")
    die_with(batch, 3)
    for _ in range(2):
        die_in_clearing(batch)
    work_off()
    assert_true_to_its_trades(batch)
    assert states_of(batch) == ["failed", "executed", "executed", "executed"]
    assert messages_of(batch)[0] == "Interrupted 3 times: it ends its worker."


def die_in_clearing(batch: Batch) -> None:
    """As if the next owner was killed by the first trade that it handed over."""
    owned = claim()
    alone_until = running.clear_up(owned, Lenient())
    assert len(lots.take(owned, 20, [], alone_until)) == 1
    Batch.objects.update(owner=name_of_the_dead())


def test_a_batch_whose_workers_die_before_its_trades_is_given_up() -> None:
    batch = started(2)
    for _ in range(3):
        claim()
        Batch.objects.update(owner=name_of_the_dead())
    work_off()
    assert_true_to_its_trades(batch)
    assert batch.status == Status.FAILED
    assert batch.error_summary.startswith("Interrupted 3 times before a trade was executed.")


def test_a_batch_left_behind_by_a_lost_executor_says_what_to_verify() -> None:
    batch = started(3, executor="lenient")
    die_with(batch, 2)
    Batch.objects.update(executor="gone")
    work_off()
    assert_true_to_its_trades(batch)
    assert messages_of(batch)[:2] == [INTERRUPTED] * 2
    assert messages_of(batch)[2].startswith("There is no executor 'gone' here")


# --- A database that goes away


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batches.claims.PAUSE", 0)


@pytest.mark.django_db(transaction=True)
def test_an_answer_is_not_lost_with_the_connection(
    calls: str, no_pause: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    book_together, troubles = booking.book_together, iter(["before", "behind"])

    def book_in_trouble(batch: Batch, verdicts: object) -> None:
        trouble = next(troubles, "")
        if trouble == "before":
            raise OperationalError("The server has gone away.")
        book_together(batch, verdicts)
        if trouble:
            raise OperationalError("The server has gone away.")

    monkeypatch.setattr(booking, "book_together", book_in_trouble)
    batch = started(3, executor="strict", executor_settings={"path": calls})
    work_off()
    assert_true_to_its_trades(batch)
    assert batch.status == Status.SUCCESS
    assert sorted(calls_in(calls).values()) == [1] * 3


@pytest.mark.django_db(transaction=True)
def test_a_claim_of_which_we_were_never_told_is_claimed_again(
    no_pause: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_once, troubles = lots.take_once, iter([True])

    def take_in_trouble(*arguments: object) -> list:
        tasks = take_once(*arguments)
        if next(troubles, False):
            raise OperationalError("The server has gone away.")
        return tasks

    monkeypatch.setattr(lots, "take_once", take_in_trouble)
    batch = started(3, executor="strict")
    work_off()
    assert_true_to_its_trades(batch)
    assert batch.status == Status.SUCCESS
    assert {*BatchTrade.objects.values_list("attempts", flat=True)} == {1}


def test_the_patience_has_an_end(no_pause: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batches.claims.PATIENCE", -1)

    def fail() -> None:
        raise OperationalError("The server has gone away.")

    with pytest.raises(OperationalError):
        patiently(fail)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_stays_away_leaves_the_batch_to_the_next(
    no_pause: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("batches.claims.PATIENCE", -1)
    batch = started(1)
    with monkeypatch.context() as patch:
        patch.setattr(booking, "book_together", lambda *_: (_ for _ in ()).throw(OperationalError))
        with pytest.raises(OperationalError):
            run_batch()
    batch.refresh_from_db()
    assert (batch.status, batch.owner, batch.attempt) == (Status.RUNNING, "", 0)
    work_off()
    batch.refresh_from_db()
    assert batch.status == Status.SUCCESS


# --- Cancelled in the middle


def test_what_runs_is_finished_and_the_rest_is_cancelled(small_lots: None) -> None:
    batch = started(5)
    run_batch(after(1))
    cancel(batch)
    work_off()
    assert_true_to_its_trades(batch)
    assert states_of(batch) == ["executed"] * 2 + ["cancelled"] * 3
    assert (batch.status, batch.progress_percentage) == (Status.CANCELLED, 100)
    assert batch.error_summary == "Of 5 trades: 2 executed, 3 cancelled."


def test_a_cancelled_batch_of_a_dead_process_is_ended() -> None:
    batch = started(3, executor="strict")
    die_with(batch, 1)
    cancel(batch)
    work_off()
    assert states_of(batch) == ["failed", "cancelled", "cancelled"]
    assert messages_of(batch)[0] == INTERRUPTED


# --- How far it is


def test_progress_reaches_a_hundred_exactly_when_it_is_final(small_lots: None) -> None:
    batch = started(5, bad=1)
    seen = [progress_of(batch)["progress_percentage"]]
    while not (now := run_batch(after(1))).is_completed:
        seen.append(progress_of(now)["progress_percentage"])
    assert seen == [16, 50, 83, 99]
    assert progress_of(now) == {
        "batch_id": str(batch.batch_uid),
        "status": "partial_success",
        "total_trades": 6,
        "processed_trades": 6,
        "failed_trades": 1,
        "progress_percentage": 100,
        "is_completed": True,
        "is_active": False,
        "updated_at": now.updated_at,
    }


def test_the_progress_of_many_is_one_question(django_assert_num_queries: object) -> None:
    one, other = stage(1), started(1)
    with django_assert_num_queries(1):
        found = progress_of_all([other.pk, 0, one.pk])
    assert [row["batch_id"] for row in found] == [str(other.batch_uid), str(one.batch_uid)]
    assert [row["is_active"] for row in found] == [True, False]
