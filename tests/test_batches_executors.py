"""The executors that come with the house, their settings, and the one of the documentation."""

import json
import re
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from batches import executors
from batches.calling import ask
from batches.executors import (
    EXECUTORS,
    NOT_DONE,
    Executor,
    Fill,
    Instruction,
    Rejection,
    executor_named,
    lot_of,
    make,
)
from batches.executors.journal import NO_PRICE
from batches.executors.wishes import Setting
from tests.brokers import Strict
from tests.processes import ROOT

MOMENT = datetime(2026, 1, 5, 14, 35, 3, tzinfo=UTC)


def instruction(sequence: int = 1, **values: object) -> Instruction:
    usual = {"account": "Sim101", "instrument": "MNQ 03-26", "side": "buy"}
    usual |= {"quantity": Decimal(3), "price": Decimal("21350.25"), "executed_at": MOMENT}
    usual |= {"commission": Decimal("0.52"), "tick_size": Decimal("0.25")}
    return Instruction(key=f"batch:{sequence}", sequence=sequence, **(usual | values))


# --- The registry


def test_the_executors_of_the_house_are_registered() -> None:
    assert {"journal", "paper"} <= EXECUTORS.keys()


@pytest.mark.parametrize("name", sorted(EXECUTORS))
def test_each_executor_says_what_it_is(name: str) -> None:
    kind = EXECUTORS[name]
    assert (kind.name, kind.title != "", kind.description[-1]) == (name, True, ".")
    made = make(name, {})
    assert made.check(instruction()) == ""
    assert lot_of(made) >= 1
    for setting in kind.settings:
        assert setting.read(setting.default) == setting.default
        assert setting.label


def test_a_module_in_the_folder_is_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dropped.py").write_text(documented_source())
    (tmp_path / "no_executor.py").write_text("ANSWER = 42\n")
    monkeypatch.setattr(executors, "__path__", [*executors.__path__, str(tmp_path)])
    assert {*executors.in_this_folder()} == {*EXECUTORS, "example"}
    for name in ("dropped", "no_executor"):
        monkeypatch.delitem(sys.modules, f"batches.executors.{name}")
        monkeypatch.delattr(executors, name)


def test_an_unknown_executor_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"^There is no executor 'x' here; there are journal, "):
        executor_named("x")


def test_what_cannot_be_asked_twice_comes_alone() -> None:
    strict = Strict()
    strict.lot = 100
    assert (lot_of(strict), lot_of(make("journal", {}))) == (1, 500)


# --- Settings


NUMBER = Setting("n", "Number", 5, 1, 9)
TEXT = Setting("t", "Text", "", 0, 3)


@pytest.mark.parametrize(("given", "read"), [(1, 1), ("9", 9), (5, 5)])
def test_a_number_is_read(given: object, read: int) -> None:
    assert NUMBER.read(given) == read


@pytest.mark.parametrize("given", [0, 10, "x", "1.5", -1, True, None, 1.5, [], "9" * 30])
def test_what_is_no_number_between_the_bounds_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="is no whole number from 1 to 9"):
        NUMBER.read(given)


@pytest.mark.parametrize("given", ["long", 1, None])
def test_what_is_no_short_text_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="expected a text of 0 to 3 characters"):
        TEXT.read(given)


def test_an_executor_gets_what_was_set_and_the_defaults() -> None:
    paper = make("paper", {"seed": "7", "slippage": ""})
    assert (paper.seed, paper.slippage) == (7, 0)


def test_a_setting_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^There is no setting 'speed'; there are: none\.$"):
        make("journal", {"speed": 1})


# --- The journal


def test_the_journal_books_what_it_is_given() -> None:
    fill = make("journal", {}).execute(instruction(order_id="O-1"))
    assert fill == Fill(Decimal(3), Decimal("21350.25"), Decimal("0.52"), MOMENT, "O-1")


@pytest.mark.parametrize("name", ["journal", "paper"])
def test_without_a_price_nothing_is_booked(name: str) -> None:
    executor = make(name, {})
    assert executor.check(instruction(price=None))
    assert isinstance(executor.execute(instruction(price=None)), Rejection)
    assert "price" in NO_PRICE


def test_without_a_moment_the_journal_books_it_now() -> None:
    before = datetime.now(UTC)
    assert make("journal", {}).execute(instruction(executed_at=None)).executed_at >= before


# --- The paper broker


def answers(count: int = 200, **settings: int) -> list[Fill | Rejection]:
    paper = make("paper", settings)
    return [paper.execute(instruction(sequence)) for sequence in range(1, count + 1)]


DICE = {"slippage": 4, "reject_percent": 20, "partial_percent": 30}


def test_the_same_seed_and_key_get_the_same_answer() -> None:
    assert answers(seed=7, **DICE) == answers(seed=7, **DICE)
    assert answers(seed=7, **DICE) != answers(seed=8, **DICE)


def test_of_instructions_about_as_many_are_rejected_and_filled_in_part_as_was_set() -> None:
    given = answers(1_000, **DICE)
    fills = [one for one in given if isinstance(one, Fill)]
    assert 150 < len(given) - len(fills) < 250
    assert 0.25 < sum(fill.quantity < 3 for fill in fills) / len(fills) < 0.35
    assert {fill.quantity for fill in fills} == {1, 2, 3}


def test_by_default_the_paper_broker_fills_at_the_price() -> None:
    assert {(one.quantity, one.price) for one in answers()} == {(3, Decimal("21350.25"))}


def test_all_may_be_rejected() -> None:
    assert all(isinstance(one, Rejection) for one in answers(reject_percent=100))


@pytest.mark.parametrize(("side", "sign"), [("buy", 1), ("buy_to_cover", 1), ("sell", -1)])
def test_prices_slip_by_whole_ticks_to_the_disadvantage(side: str, sign: int) -> None:
    paper = make("paper", {"slippage": 2})
    prices = {paper.execute(instruction(n, side=side)).price for n in range(50)}
    assert prices == {Decimal("21350.25") + sign * n * Decimal("0.25") for n in range(3)}


def test_the_tick_of_an_unknown_instrument_is_a_hundredth() -> None:
    paper = make("paper", {"slippage": 1})
    prices = {paper.execute(instruction(n, tick_size=None)).price for n in range(50)}
    assert prices == {Decimal("21350.25"), Decimal("21350.26")}


@pytest.mark.parametrize(
    ("asked", "got"),
    [(Decimal(1), {Decimal(1)}), (Decimal("0.5"), {Decimal("0.25")}), (Decimal("1.5"), {1})],
)
def test_a_part_is_less_than_the_whole_where_that_can_be(asked: Decimal, got: set) -> None:
    paper = make("paper", {"partial_percent": 100})
    assert {paper.execute(instruction(n, quantity=asked)).quantity for n in range(20)} == got


def test_a_part_costs_its_share() -> None:
    paper = make("paper", {"partial_percent": 100})
    fill = paper.execute(instruction(quantity=Decimal(2)))
    assert (fill.quantity, fill.commission) == (1, Decimal("0.26"))


def test_a_delay_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("batches.executors.paper.time.sleep", waited.append)
    answers(100, delay_ms=500)
    assert 0.4 < max(waited) <= 0.5
    assert min(waited) < 0.1


def test_a_slow_paper_broker_gets_small_lots() -> None:
    lots = [lot_of(make("paper", {"delay_ms": ms})) for ms in (0, 10, 1_000, 60_000)]
    assert lots == [500, 100, 1, 1]


# --- Calling one


class Broken(Strict):
    """Raises, and may know what has become of it all the same."""

    def __init__(self, known: object) -> None:
        super().__init__()
        self.known = known

    def execute(self, instruction: Instruction) -> Fill | Rejection:
        raise TimeoutError

    def look_up(self, instruction: Instruction) -> object:
        if isinstance(self.known, Exception):
            raise self.known
        return self.known


DONE = Fill(Decimal(3), Decimal(1), Decimal(0), MOMENT)
BROKEN_OFF = Rejection("The executor broke off with TimeoutError.")
UNKNOWN = Rejection(
    "The executor broke off with TimeoutError; verify at the broker what became of it."
)


@pytest.mark.parametrize(
    ("known", "answer"),
    [(None, UNKNOWN), (NOT_DONE, BROKEN_OFF), (OSError("x"), UNKNOWN), (DONE, DONE)],
)
def test_one_that_raises_is_asked_what_became_of_it(known: object, answer: object) -> None:
    assert ask(Broken(known), instruction()) == answer


def test_what_may_be_asked_again_leaves_no_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Broken, "is_idempotent", True)
    assert ask(Broken(None), instruction()) == BROKEN_OFF


def test_what_was_done_before_is_not_done_again_where_that_is_known() -> None:
    assert ask(Broken(DONE), instruction(attempt=2)) == DONE


# --- The one of the documentation


def documented_source() -> str:
    text = (ROOT / "docs" / "executors.md").read_text(encoding="utf-8")
    return re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]


@pytest.fixture
def documented() -> type[Executor]:
    """The example, as a module in the folder would be."""
    module = ModuleType("batches.executors.example")
    exec(compile(documented_source(), "docs/executors.md", "exec"), module.__dict__)
    return module.EXECUTOR


@pytest.fixture
def broker() -> Iterator[str]:
    """A broker as the example expects it; what it knows begins empty. Its address."""
    orders: dict[str, dict[str, str]] = {}

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            fill = {"state": "filled", "filled": order["quantity"], "price": "5.25"}
            fill |= {"commission": "0.5", "time": "2026-01-05T14:35:03+00:00", "order": "B-1"}
            orders[order["client_id"]] = fill
            if order["account"] == "empty":
                orders[order["client_id"]] = {"state": "rejected", "reason": "No margin."}
            self.answer(orders[order["client_id"]])

        def do_GET(self) -> None:
            self.answer(orders.get(self.path.rpartition("/")[2], {"state": "unknown"}))

        def answer(self, words: dict[str, str]) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(words).encode())

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_documented_executor_executes(documented: type[Executor], broker: str) -> None:
    example = documented(url=broker)
    expected = Fill(Decimal(3), Decimal("5.25"), Decimal("0.5"), MOMENT, "B-1")
    assert example.look_up(instruction()) is NOT_DONE
    assert ask(example, instruction()) == expected
    assert example.look_up(instruction()) == expected
    assert ask(example, instruction(account="empty")) == Rejection("No margin.")
    assert example.check(instruction(quantity=Decimal("0.5"))) == "The broker takes whole numbers."


def test_the_documented_executor_is_registered_as_it_stands(
    documented: type[Executor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(EXECUTORS, documented.name, documented)
    assert make("example", {}).url == "http://127.0.0.1:8000"
    with pytest.raises(ValueError, match="Address: expected a text of 1 to 200 characters"):
        make("example", {"url": "x" * 201})
