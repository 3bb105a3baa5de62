"""bin/soak finds what it is for, takes place in its short form, and leaves nothing behind."""

import os
import random
import signal
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import connection

from bench.soak import truth
from bench.soak.fills import CONFLICT, TWIN, file_of, make_lines, part_of
from bench.soak.model import Family, Model
from imports.correcting import correct, read_corrected
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.retry import retry
from imports.rollback import roll_back
from imports.running import run_import
from joblogs.models import JobLog
from tests.conftest import TakeIn
from tests.processes import database_url, end, start, still_alive
from tests.workers import until
from trades.models import Trade

LINES = make_lines("f", 1, 400, random.Random(5))


def is_on(vendor: str) -> bool:
    return connection.vendor == vendor


@pytest.fixture
def family() -> Family:
    return Family(Model(), LINES)


def imported(take_in: TakeIn, family: Family, lines: list) -> ImportExecutionLog:
    log = take_in(file_of(lines), timezone="UTC")
    family.imported(log.pk, lines)
    return log


# --- What must come out, and what does


def test_the_lines_are_of_all_kinds() -> None:
    assert {line.kind for line in LINES} == {"good", "twin", "repeated", "bad", "conflict"}
    part = part_of(LINES, random.Random(8))
    assert 0 < len(part) < len(LINES)
    assert not [line for line in part if line.kind == CONFLICT]
    assert sum(line.kind == TWIN for line in part) % 2 == 0


def test_what_was_asked_for_becomes_of_it(take_in: TakeIn, family: Family, olga: User) -> None:
    first = imported(take_in, family, part_of(LINES, random.Random(3)))
    second = imported(take_in, family, LINES)
    roll_back(first)
    family.rolled_back(first.pk)
    again = run_import(retry(second).pk)
    family.imported(again.pk, LINES, of=second.pk)
    place, line = next((n, line) for n, line in enumerate(LINES) if line.kind == "bad")
    row = ImportRowLog.objects.get(import_log=second, row_number=place + 2)
    mended = correct(row, read_corrected(second, row, line.mended.text.split(",")), olga)
    family.corrected(mended.pk, [line.mended], second.pk)
    once_more = run_import(retry(again).pk)
    family.imported(once_more.pk, LINES, of=again.pk)
    assert family.model.rows[once_more.pk][place] == "K"
    assert truth.differences(family.model) == []
    assert truth.what_waits() == []


def lose_a_trade(log: ImportExecutionLog) -> None:
    Trade.objects.all()[0].delete()


def double_a_trade(log: ImportExecutionLog) -> None:
    trade = Trade.objects.all()[0]
    trade.pk = None
    trade.save()


def forget_a_line(log: ImportExecutionLog) -> None:
    ImportRowLog.objects.filter(import_log=log, status="failed")[0].delete()


def forget_an_execution(log: ImportExecutionLog) -> None:
    ImportedExecution.objects.all()[0].delete()


def leave_an_import(log: ImportExecutionLog) -> None:
    ImportExecutionLog.objects.filter(pk=log.pk).update(status="running")


def leave_a_job(log: ImportExecutionLog) -> None:
    JobLog.objects.start("import", trigger="api", subject_id=log.pk, asked_by=None)


def lose_the_bytes(log: ImportExecutionLog) -> None:
    log.stored_path.unlink()


def mistake_a_line(log: ImportExecutionLog) -> None:
    first, last = ImportRowLog.objects.filter(import_log=log, status="skipped")[:2]
    failed = ImportRowLog.objects.filter(import_log=log, status="failed")[0]
    ImportRowLog.objects.filter(pk=first.pk).update(status="failed", duplicate_of=None)
    ImportRowLog.objects.filter(pk=failed.pk).update(status="skipped")


FAULTS = [
    (lose_a_trade, "rows of the ledger have no trade"),
    (double_a_trade, "trades are not there as often as they must be"),
    (forget_a_line, "imports count otherwise than their row logs"),
    (forget_an_execution, "trades have not just one row in the ledger"),
    (leave_an_import, "imports have not ended"),
    (leave_a_job, "job logs are left open"),
    (lose_the_bytes, "imports whose bytes are not stored"),
    (mistake_a_line, "lines did not become what they must"),
]


@pytest.mark.parametrize(("fault", "told"), FAULTS, ids=lambda one: getattr(one, "__name__", ""))
def test_a_fault_is_found(
    take_in: TakeIn,
    family: Family,
    fault: Callable[[ImportExecutionLog], None],
    told: str,
) -> None:
    fault(imported(take_in, family, LINES))
    assert told in "\n".join(truth.differences(family.model))


def test_an_import_that_nobody_asked_for_is_found(take_in: TakeIn, family: Family) -> None:
    take_in(file_of(LINES), timezone="UTC")
    assert "imports nobody has asked for" in "\n".join(truth.differences(family.model))


# --- The real thing


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_process_left")
@pytest.mark.skipif("not is_on('postgresql')", reason="is of PostgreSQL")
def test_a_short_soak_finds_nothing() -> None:
    server = urlsplit(database_url())._replace(path="/postgres").geturl()
    soaking = start("-m", "bench.soak", "--short", TRADELOG_TEST_POSTGRES=server)
    said = soaking.communicate(timeout=400)
    assert soaking.returncode == 0, said
    assert "Nothing is lost" in said[0]
    until(lambda: not still_alive())


@pytest.mark.usefixtures("no_process_left")
@pytest.mark.skipif("not is_on('sqlite')", reason="is of SQLite")
def test_ctrl_c_ends_all_that_a_soak_has_started(db: None) -> None:
    soaking = start("bin/soak", "--sqlite", "--minutes", "5")
    assert soaking.stdout.readline().startswith("Soaking for 5 min on SQLite, one worker")
    until(lambda: len(still_alive()) > 4)
    os.killpg(soaking.pid, signal.SIGINT)
    assert end(soaking).status == 130
    until(lambda: not still_alive())


def test_without_postgresql_it_says_what_is_missing() -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/postgres"
    ended = end(start("-m", "bench.soak", TRADELOG_TEST_POSTGRES=nowhere))
    assert ended.status == 1
    assert "No PostgreSQL answers at 127.0.0.1:1/postgres" in ended.out
    assert "bin/soak --sqlite" in ended.out
