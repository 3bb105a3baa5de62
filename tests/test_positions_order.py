"""Whatever the order of imports, rollbacks and deletions: the positions are those that the trades
give from nothing, and those that nothing has touched keep their numbers and notes."""

import random
from collections.abc import Callable

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imports.models import ImportExecutionLog
from imports.rollback import roll_back
from imports.states import Status
from tests.conftest import TakeIn, file_of, fill
from tests.fills import from_nothing, remove, whole_truth
from trades import positions
from trades.models import Position, Trade
from trades.positions import recompute_touched

pytestmark = pytest.mark.django_db

FILES = 4
LINES = 12
DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["import", "import", "import", "roll back", "delete", "note"]),
        st.integers(0, FILES - 1),
    ),
    min_size=2,
    max_size=10,
)


def lines_of(seed: int) -> list[list[str]]:
    """Fills of two instruments in few seconds, spread over some files that overlap."""
    chance = random.Random(seed)
    lines = [
        fill(
            Instrument=chance.choice(["MNQ 03-26", "AAPL"]),
            Action=chance.choice(["Buy", "Sell", "Sell", "SellShort", "BuyToCover"]),
            Quantity=str(chance.randint(1, 3)),
            Price=str(chance.randint(90, 110)),
            Time=f"1/{chance.randint(5, 6)}/2026 6:35:{chance.randint(0, 12):02} AM",
            ID=chance.choice(["{}", "x{}"]).format(number),
            Position=chance.choice(["", "-", "1 L", "2 S"]),
        )
        for number in range(FILES * LINES)
    ]
    return [chance.sample(lines, 2 * LINES) for _ in range(FILES)]


class Desk:
    """Somebody who imports, rolls back, deletes and writes notes."""

    def __init__(self, take_in: TakeIn, files: list[list[str]]) -> None:
        self.take_in = take_in
        self.files = files

    def do(self, deed: str, number: int) -> None:
        {
            "import": self.bring,
            "roll back": self.undo,
            "delete": self.delete,
            "note": self.note,
        }[deed](number)

    def bring(self, number: int) -> None:
        self.take_in(file_of(*self.files[number]), f"{number}.csv")

    def undo(self, number: int) -> None:
        undone = ImportExecutionLog.objects.filter(file_name=f"{number}.csv")
        for log in undone.filter(status__in=[Status.SUCCESS, Status.PARTIAL])[:1]:
            roll_back(log)

    def delete(self, number: int) -> None:
        remove(Trade.objects.order_by("executed_at", "pk")[number * 5 : number * 5 + 1])
        recompute_touched()

    def note(self, number: int) -> None:
        for one in Position.objects.all():
            Position.objects.filter(pk=one.pk).update(notes=f"note {one.pk}")


def rows() -> dict[tuple, tuple]:
    """Each position by all that it is made of: its number and its notes."""
    return {
        tuple(one.parts.values_list("trade_id", "quantity")): (one.pk, one.notes)
        for one in Position.objects.all()
    }


@pytest.mark.parametrize("size", [3, 20_000])
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), deeds=DEEDS)
def test_any_order_gives_what_a_rebuild_gives(
    take_in: TakeIn,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
    seed: int,
    deeds: list[tuple[str, int]],
) -> None:
    monkeypatch.setattr(positions, "SLICE", size)
    undisturbed(lambda: all_the_deeds(Desk(take_in, lines_of(seed)), deeds))


def undisturbed(work: Callable[[], None]) -> None:
    with transaction.atomic():
        work()
        transaction.set_rollback(True)


def all_the_deeds(desk: Desk, deeds: list[tuple[str, int]]) -> None:
    desk.bring(0)
    for deed, number in deeds:
        before = rows()
        desk.do(deed, number)
        after = rows()
        untouched = before.keys() & after.keys()
        if deed != "note":
            assert_kept(before, after, untouched)
    assert whole_truth() == from_nothing()


def assert_kept(before: dict, after: dict, untouched: set) -> None:
    """The same number; notes may only have been added to, by one that went up in it."""
    for key in untouched:
        assert after[key][0] == before[key][0]
        assert after[key][1].startswith(before[key][1])
