"""A chunk in one transaction: what happens when a rival is faster or the database refuses a row."""

from collections.abc import Iterator
from itertools import chain, repeat
from threading import Thread

import pytest
from django.db import connection

from imports import asking, inserting, running, settling, writing
from imports.asking import Snapshot
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.rollback import roll_back
from imports.states import Category, RowStatus, Status
from tests.conftest import TakeIn, file_of, fill
from trades.models import Account, Trade

FIVE = file_of(*[fill(ID=f"exec-{number}") for number in range(1, 6)])


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "CHUNK", 2)


def test_who_meets_the_rows_of_a_rival_asks_again(
    take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(FIVE)
    answers = chain([{}], repeat(None))  # once it is too early to see the rival's rows
    ask = settling.known_executions
    monkeypatch.setattr(
        settling,
        "known_executions",
        lambda keys: ask(keys) if (early := next(answers)) is None else early,
    )
    assert take_in(FIVE).skipped_rows == 5
    assert Trade.objects.count() == 5


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL copies them")
def test_however_many_rows_there_are_few_statements_are_kept(
    take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "CHUNK", 100)
    monkeypatch.setattr(inserting, "HEIGHT", 4)
    take_in(file_of(*[fill(ID=f"first-{number}") for number in range(5)]))
    before = inserting.statement.cache_info().currsize
    for count in (4, 6, 7, 11):
        take_in(file_of(*[fill(ID=f"{count}-{number}") for number in range(count)]))
    assert Trade.objects.count() == ImportedExecution.objects.count() == 5 + 4 + 6 + 7 + 11
    assert inserting.statement.cache_info().currsize == before


@pytest.mark.skipif(connection.vendor == "sqlite", reason="there is one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_while_it_is_asked_for_comes_again(
    take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, contents, rivals = take_in(FIVE), asking.contents_of_trades, []

    def roll_back_first(trade_ids: list[int]) -> object:
        if not rivals:
            rivals.append(Thread(target=roll_back_beside, args=[first]))
            rivals[0].start()
            rivals[0].join()
        return contents(trade_ids)

    monkeypatch.setattr(asking, "contents_of_trades", roll_back_first)
    log = take_in(FIVE)
    assert (log.success_rows, log.skipped_rows, Trade.objects.count()) == (5, 0, 5)


def roll_back_beside(log: ImportExecutionLog) -> None:
    roll_back(log)
    connection.close()


@pytest.fixture
def refusing_666(db: None) -> None:
    """The table of trades takes no price of 666."""
    with connection.cursor() as cursor:
        for statement in TRIGGERS[connection.vendor]:
            cursor.execute(statement)


TRIGGERS = {
    "sqlite": [
        "CREATE TRIGGER refuse_666 BEFORE INSERT ON trades WHEN NEW.price = 666 "
        "BEGIN SELECT RAISE(ABORT, 'no such price'); END"
    ],
    "postgresql": [
        "CREATE FUNCTION refuse_666() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN RAISE EXCEPTION 'no such price'; END$$",
        "CREATE TRIGGER refuse_666 BEFORE INSERT ON trades FOR EACH ROW "
        "WHEN (NEW.price = 666) EXECUTE FUNCTION refuse_666()",
    ],
}
ONE_REFUSED = file_of(fill(), fill(ID="exec-2", Price="666"), fill(ID="exec-3"))


def test_only_the_line_that_the_database_refuses_fails(refusing_666: None, take_in: TakeIn) -> None:
    log = take_in(ONE_REFUSED)
    row = log.row_logs.get(status=RowStatus.FAILED)
    assert (log.status, log.success_rows, log.failed_rows) == (Status.PARTIAL, 2, 1)
    assert (row.row_number, row.error_category) == (3, Category.DATABASE)
    assert "the database refused it: no such price" in row.error_message


def test_a_refused_line_leaves_nothing_in_the_ledger(refusing_666: None, take_in: TakeIn) -> None:
    take_in(ONE_REFUSED)
    assert not ImportedExecution.objects.filter(execution_id="exec-2").exists()
    assert not Account.objects.filter(trades=None).exists()


def test_lines_that_repeat_a_refused_one_fail_too(refusing_666: None, take_in: TakeIn) -> None:
    refused = fill(Price="666")
    log = take_in(file_of(refused, refused))
    assert (log.failed_rows, log.skipped_rows, log.trades_created) == (2, 0, 0)


def test_other_chunks_are_not_touched_by_a_refusal(refusing_666: None, take_in: TakeIn) -> None:
    log = take_in(file_of(fill(ID="a"), fill(ID="b"), fill(ID="c", Price="666"), fill(ID="d")))
    assert [*log.row_logs.values_list("status", flat=True)] == [
        "success",
        "success",
        "failed",
        "success",
    ]


def test_a_refusal_on_the_last_try_loses_no_line(
    refusing_666: None, take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "TRIES", 1)
    log = take_in(ONE_REFUSED)
    assert (log.total_rows, log.success_rows, log.failed_rows) == (3, 2, 1)


def test_a_refused_line_is_found_by_halves(
    refusing_666: None, take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "CHUNK", 64)
    write, tried = writing.write_together, []
    monkeypatch.setattr(
        writing, "write_together", lambda *rest: tried.append(len(rest[1].rows)) or write(*rest)
    )
    prices = ["666" if number == 41 else "1" for number in range(64)]
    log = take_in(file_of(*[fill(ID=f"exec-{n}", Price=price) for n, price in enumerate(prices)]))
    assert (log.success_rows, log.failed_rows, log.cursor) == (63, 1, 64)
    assert [*log.row_logs.filter(status="failed").values_list("row_number", flat=True)] == [43]
    assert sorted(tried) == sorted([64, *[size for size in (32, 16, 8, 4, 2, 1) for _ in "ab"]])


@pytest.fixture
def refusing_666_late(transactional_db: None) -> Iterator[None]:
    """The price of 666 is refused when the transaction is to be committed."""
    made, undone = LATE[connection.vendor]
    with connection.cursor() as cursor:
        for statement in made:
            cursor.execute(statement)
    yield
    with connection.cursor() as cursor:
        for statement in undone:
            cursor.execute(statement)


LATE = {
    "sqlite": (
        [
            "CREATE TABLE refused (nobody INTEGER REFERENCES auth_user (id) "
            "DEFERRABLE INITIALLY DEFERRED)",
            "CREATE TRIGGER refuse_late AFTER INSERT ON trades WHEN NEW.price = 666 "
            "BEGIN INSERT INTO refused VALUES (-1); END",
        ],
        ["DROP TRIGGER refuse_late", "DROP TABLE refused"],
    ),
    "postgresql": (
        [
            TRIGGERS["postgresql"][0],
            "CREATE CONSTRAINT TRIGGER refuse_late AFTER INSERT ON trades DEFERRABLE INITIALLY "
            "DEFERRED FOR EACH ROW WHEN (NEW.price = 666) EXECUTE FUNCTION refuse_666()",
        ],
        ["DROP TRIGGER refuse_late ON trades", "DROP FUNCTION refuse_666"],
    ),
}


@pytest.mark.usefixtures("refusing_666_late")
def test_a_line_refused_at_the_commit_is_counted_once(take_in: TakeIn) -> None:
    log = take_in(ONE_REFUSED)
    assert (log.total_rows, log.success_rows, log.failed_rows, log.cursor) == (3, 2, 1, 3)
    assert log.row_logs.count() == 3


# --- What stands in the tables


ODD = "a\\b\tc d\ne\rf \\N \\. 'x' \"y\" é 🙂"


def test_words_are_kept_to_the_letter(take_in: TakeIn) -> None:
    quoted = '"' + ODD.replace('"', '""') + '"'
    log = take_in(file_of(fill(Name=quoted)))
    row = ImportRowLog.objects.get(import_log=log)
    assert row.raw_row_data[9] == ODD
    assert Trade.objects.get().name == ODD.strip()


def test_rows_are_stored_as_the_models_store_them(take_in: TakeIn) -> None:
    take_in(file_of(fill(Time="1/5/2026 6:35:03.250 AM", Price="0.0000001", Quantity="1000")))
    trade = Trade.objects.get()
    trade.save()
    again = Trade.objects.get()
    names = [one.attname for one in Trade._meta.concrete_fields]
    assert [getattr(again, name) for name in names] == [getattr(trade, name) for name in names]
    assert Trade.objects.filter(executed_at=trade.executed_at, price=trade.price).exists()


ODD_IDS = ['a"b', "a\\b", "a,b", "{a}", "NULL", "a\x1fb", "ä b", "a\tb", "'", '\\"', "a\nb"]


@pytest.mark.django_db(transaction=True)
def test_any_id_is_known_when_it_comes_again(take_in: TakeIn) -> None:
    content = file_of(*[fill(ID=quoted(one)) for one in ODD_IDS])
    assert take_in(content).success_rows == len(ODD_IDS)
    assert take_in(content).skipped_rows == len(ODD_IDS)


def quoted(cell: str) -> str:
    return '"{}"'.format(cell.replace('"', '""'))


@pytest.fixture
def snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of six lines and more are long: they remember up to five identities of the ledger."""
    monkeypatch.setattr(running, "MOST_REMEMBERED", 5)


@pytest.mark.usefixtures("snapshot")
def test_an_id_that_comes_again_in_a_later_chunk_is_known(take_in: TakeIn) -> None:
    log = take_in(file_of(*[fill(ID=f"exec-{number}") for number in (1, 2, 2, 3, 3, 1, 4)]))
    assert (log.success_rows, log.skipped_rows, log.failed_rows) == (4, 3, 0)


@pytest.mark.usefixtures("snapshot")
@pytest.mark.parametrize("before", [1, 5, 6, 7])
def test_a_long_file_skips_what_is_known(take_in: TakeIn, before: int) -> None:
    lines = [fill(ID=f"exec-{number}") for number in range(1, 10)]
    take_in(file_of(*lines[:before]))
    log = take_in(file_of(*lines))
    assert (log.success_rows, log.skipped_rows, log.failed_rows) == (9 - before, before, 0)
    assert Trade.objects.count() == 9


@pytest.mark.usefixtures("snapshot")
def test_what_a_rival_takes_in_after_the_snapshot_is_known(
    take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [fill(ID=f"exec-{number}") for number in range(1, 10)]
    take_in(file_of(*lines[:5]))
    monkeypatch.setattr(Snapshot, "learn", lambda self, account_ids: None)  # taken too early
    log = take_in(file_of(*lines))
    assert (log.success_rows, log.skipped_rows, log.failed_rows) == (4, 5, 0)
    assert Trade.objects.count() == 9


@pytest.mark.usefixtures("snapshot")
def test_a_snapshot_makes_nothing_known_that_was_rolled_back_meanwhile(
    take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(FIVE)
    learn = Snapshot.learn

    def learn_and_lose(self: Snapshot, account_ids: set[int]) -> None:
        learn(self, account_ids)
        Trade.objects.all().delete()
        ImportedExecution.objects.all().delete()

    monkeypatch.setattr(Snapshot, "learn", learn_and_lose)
    log = take_in(file_of(*[fill(ID=f"exec-{number}") for number in range(1, 7)]))
    assert log.success_rows == 6


def test_a_snapshot_does_not_end_at_ids_that_other_accounts_have_too(take_in: TakeIn) -> None:
    ids = [f"exec-{number}" for number in range(1, 9)]
    take_in(file_of(*[fill(ID=one, Account="Sim1") for one in ids[:5]]))
    take_in(file_of(*[fill(ID=one, Account="Sim2") for one in ids]))
    accounts = dict(Account.objects.values_list("name", "pk"))
    snapshot = Snapshot(5)
    assert snapshot.unsure([accounts["Sim1"]], ["new"]) == []
    assert [*snapshot.unsure([accounts["Sim2"]] * len(ids), ids)] == [*range(len(ids))]
