"""What is typed on the command line: what it does, says and exits with."""

import uuid
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from imports import paths, running
from imports.console import ProgressBar
from imports.models import ImportExecutionLog
from imports.states import Status
from tests.conftest import ZONE, TakeIn, file_of, fill
from trades.models import Account, Trade

pytestmark = pytest.mark.django_db

GOOD = file_of(fill())
PARTIAL = file_of(fill(), fill(ID="exec-2", Quantity="abc"))
FAILED = file_of(fill(Quantity="abc"))


def manage(command: str, *arguments: object, **options: object) -> str:
    """Run a command as typed; what it wrote."""
    out = StringIO()
    call_command(command, *map(str, arguments), stdout=out, stderr=out, **options)
    return out.getvalue()


def refused(command: str, *arguments: object) -> str:
    """Run a command that must exit with 1; everything that it wrote."""
    out = StringIO()
    with pytest.raises(CommandError) as failure:
        call_command(command, *map(str, arguments), stdout=out, stderr=out)
    assert failure.value.returncode == 1
    return out.getvalue() + str(failure.value)


def everything() -> dict[str, list[tuple]]:
    """Every row of every table."""
    with connection.cursor() as cursor:
        tables = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            tables[table] = sorted(cursor.fetchall(), key=repr)
        return tables


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.csv"
    path.write_text(GOOD)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two exports, and other things that are none."""
    folder = tmp_path / "exports"
    folder.mkdir()
    for name in ("b.csv", "a.TXT", ".hidden.csv", "picture.png"):
        (folder / name).write_text(file_of(fill(ID=name)))
    return folder


# --- import_csv


def test_a_file_is_taken_in(good: Path) -> None:
    said = manage("import_csv", good)
    assert said.startswith("good.csv: 1 taken in, 0 known, 0 failed in ")
    assert Trade.objects.count() == 1


def test_a_folder_means_its_exports(folder: Path) -> None:
    manage("import_csv", folder)
    names = ImportExecutionLog.objects.order_by("id").values_list("file_name", flat=True)
    assert [*names] == ["a.TXT", "b.csv"]


def test_a_pattern_means_what_it_matches(folder: Path) -> None:
    manage("import_csv", folder / "*.csv")
    assert ImportExecutionLog.objects.get().file_name == "b.csv"


def test_a_pattern_reaches_into_folders(folder: Path) -> None:
    manage("import_csv", folder.parent / "**" / "b.csv")
    assert ImportExecutionLog.objects.get().file_name == "b.csv"


def test_a_file_that_is_meant_twice_is_read_once(folder: Path) -> None:
    manage("import_csv", folder, folder / "b.csv", folder / "*.csv")
    assert ImportExecutionLog.objects.count() == 2


def test_a_name_with_brackets_is_no_pattern(folder: Path) -> None:
    path = folder / "fills[1].csv"
    path.write_text(GOOD)
    assert [*paths.files_meant([str(path)])] == [path]


def test_a_missing_file_fails_and_stops_no_other(good: Path) -> None:
    said = refused("import_csv", good.parent / "none.csv", good)
    assert "none.csv: there is no such file." in said
    assert "1 of 2 files failed: none.csv" in said
    assert Trade.objects.count() == 1


def test_an_unreadable_file_fails_and_stops_no_other(good: Path) -> None:
    (good.parent / "folder.csv").mkdir()
    said = refused("import_csv", good.parent / "*.csv")
    assert "folder.csv: cannot be read: Is a directory." in said
    assert Trade.objects.count() == 1


def test_a_path_that_cannot_be_looked_at_says_why() -> None:
    assert "File name too long." in refused("import_csv", "x" * 5000)


def test_the_home_of_nobody_is_a_missing_file() -> None:
    assert "~nobody-at-all/x.csv: there is no such file." in refused(
        "import_csv", "~nobody-at-all/x.csv"
    )


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    assert f"No files in {tmp_path}." in refused("import_csv", tmp_path)


def test_a_failed_import_exits_with_one(good: Path) -> None:
    good.write_text(FAILED)
    assert "1 of 1 files failed: good.csv" in refused("import_csv", good)


def test_a_partial_import_is_no_failure(good: Path) -> None:
    good.write_text(PARTIAL)
    assert "good.csv: 1 taken in, 0 known, 1 failed in " in manage("import_csv", good)


def test_the_first_problems_are_shown(good: Path) -> None:
    good.write_text(file_of(*[fill(Quantity="abc")] * 7))
    said = refused("import_csv", good)
    assert "  line 2, Quantity: 'abc' is not a number\n" in said
    assert said.count("is not a number") == 5
    assert "… and 2 more failed lines." in said


def test_a_file_error_is_one_sentence(good: Path) -> None:
    good.write_text("")
    assert "Failed: good.csv is empty (0 bytes)" in refused("import_csv", good)


def test_an_unknown_zone_is_refused_before_anything_is_read(good: Path) -> None:
    assert "'Mars' is no time zone" in refused("import_csv", good, "--timezone", "Mars")
    assert not ImportExecutionLog.objects.exists()


def test_an_unknown_format_is_refused_and_the_known_are_named(good: Path) -> None:
    said = refused("import_csv", good, "--format", "metatrader-1")
    assert "'metatrader-1' is no format; there are: " in said
    assert "ninjatrader-executions" in said


def test_the_options_are_kept_with_the_import(good: Path) -> None:
    manage("import_csv", good, "--account", "Desk 7", "--timezone", ZONE)
    log = ImportExecutionLog.objects.get()
    assert (log.default_account, log.timezone) == ("Desk 7", ZONE)


def test_the_named_format_is_used(good: Path) -> None:
    manage("import_csv", good, "--format", "ninjatrader-executions")
    assert ImportExecutionLog.objects.get().format == "ninjatrader-executions"


# --- import_csv --dry-run


@pytest.mark.parametrize("content", [GOOD, PARTIAL, file_of()])
def test_a_rehearsal_writes_nothing(good: Path, settings: object, content: str) -> None:
    good.write_text(content)
    before = everything()
    manage("import_csv", good, "--dry-run")
    assert everything() == before
    assert not settings.FILES_DIR.exists()


def test_a_rehearsal_that_fails_writes_nothing(good: Path, settings: object) -> None:
    good.write_text(FAILED)
    before = everything()
    refused("import_csv", good, "--dry-run")
    assert everything() == before
    assert not settings.FILES_DIR.exists()


def test_a_rehearsal_says_what_would_happen(good: Path, take_in: TakeIn) -> None:
    take_in(GOOD)
    good.write_text(file_of(fill(), fill(ID="exec-2"), fill(ID="exec-3", Price="?")))
    said = manage("import_csv", good, "--dry-run", "--timezone", ZONE)
    assert said.startswith("good.csv: 1 would be taken in, 1 known, 1 failed in ")
    assert "line 4, Price: '?' is not a number" in said


def test_a_rehearsal_refuses_what_the_run_would(good: Path, settings: object) -> None:
    settings.TRADELOG_MAX_FILE_MB = 0
    assert "is larger than 0 MB" in refused("import_csv", good, "--dry-run")


def test_an_import_that_is_taken_over_says_so(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(bar: ProgressBar, log: ImportExecutionLog) -> None:
        ImportExecutionLog.objects.filter(pk=log.pk).update(owner="another process")

    monkeypatch.setattr(ProgressBar, "__call__", lose)
    assert "good.csv is being worked on by another process." in manage("import_csv", good)


# --- rollback_import


def answer(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setattr("builtins.input", lambda question: word)


@pytest.mark.parametrize("word", ["y", "Yes", " YES "])
def test_a_rollback_asks(take_in: TakeIn, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    log = take_in(GOOD)
    answer(monkeypatch, word)
    assert "fills.csv: rolled back, 1 trades deleted." in manage("rollback_import", log.pk)
    assert not Trade.objects.exists()


@pytest.mark.parametrize("word", ["", "n", "no", "yeah"])
def test_a_rollback_needs_a_yes(
    take_in: TakeIn, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    log = take_in(GOOD)
    answer(monkeypatch, word)
    assert "Nothing was changed." in manage("rollback_import", log.pk)
    assert Trade.objects.count() == 1


def test_a_rollback_that_nobody_answers_changes_nothing(
    take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_terminal(question: str) -> str:
        raise EOFError

    log = take_in(GOOD)
    monkeypatch.setattr("builtins.input", no_terminal)
    assert "Nothing was changed." in manage("rollback_import", log.pk)
    assert Trade.objects.count() == 1


def test_yes_is_an_answer(take_in: TakeIn) -> None:
    log = take_in(GOOD)
    manage("rollback_import", log.import_batch_id, "--yes")
    log.refresh_from_db()
    assert log.status == Status.ROLLED_BACK


def test_a_rollback_shows_what_it_would_do(take_in: TakeIn) -> None:
    log, later = take_in(GOOD), take_in(GOOD, "later.csv")
    Trade.objects.update(reviewed=True)
    said = manage("rollback_import", log.pk, "--yes")
    assert "1 trades in Sim101; 0 of them with notes, 1 reviewed." in said
    assert f"later.csv (import {later.pk}) skipped lines because of it." in said


def test_a_second_rollback_exits_with_one(take_in: TakeIn) -> None:
    log = take_in(GOOD)
    manage("rollback_import", log.pk, "--yes")
    assert "fills.csv is rolled back" in refused("rollback_import", log.pk, "--yes")


NOBODY = ["0", "999999", "9" * 30, "9" * 5000, str(uuid.uuid4()), "x", "-", "²", ""]


@pytest.mark.parametrize("text", NOBODY)
@pytest.mark.parametrize("command", ["rollback_import", "retry_import"])
def test_an_import_that_does_not_exist_is_said(command: str, text: str) -> None:
    assert "There is no import" in refused(command, "--", text)


# --- retry_import


def test_a_retry_is_run_at_once(take_in: TakeIn) -> None:
    log = take_in(PARTIAL)
    assert "0 taken in, 1 known, 1 failed" in manage("retry_import", log.import_batch_id)
    again = ImportExecutionLog.objects.get(retry_of=log)
    assert (again.status, again.skipped_rows) == (Status.PARTIAL, 1)


def test_a_retry_that_fails_again_says_so(take_in: TakeIn) -> None:
    log = take_in(file_of(fill(Quantity="abc")))
    with pytest.raises(CommandError, match=r"fills\.csv failed again"):
        manage("retry_import", log.pk)


def test_a_retry_that_goes_well_says_so(take_in: TakeIn) -> None:
    log = take_in(file_of(fill(Time="3/8/2026 2:30:00 AM")))
    ImportExecutionLog.objects.update(timezone="UTC")
    assert "fills.csv: 1 taken in, 0 known, 0 failed" in manage("retry_import", log.pk)


def test_a_retry_of_a_success_exits_with_one(take_in: TakeIn) -> None:
    log = take_in(GOOD)
    assert "fills.csv is success" in refused("retry_import", log.pk)
    assert ImportExecutionLog.objects.count() == 1


def test_a_retry_without_bytes_exits_with_one(take_in: TakeIn) -> None:
    log = take_in(FAILED)
    log.stored_path.unlink()
    assert "are not stored here" in refused("retry_import", log.pk)


# --- prepare


def test_prepare_makes_an_admin_and_takes_in_the_sample() -> None:
    said = manage("prepare")
    assert "Log in as admin with the password" in said
    assert User.objects.get().is_superuser
    assert ImportExecutionLog.objects.get().status == Status.SUCCESS


def test_prepare_again_changes_nothing() -> None:
    manage("prepare")
    before = everything()
    assert manage("prepare") == ""
    assert everything() == before


def test_prepare_takes_the_password_that_is_set(settings: object) -> None:
    settings.TRADELOG_ADMIN_PASSWORD = "correct horse battery"
    assert "correct horse" not in manage("prepare")
    assert User.objects.get().check_password("correct horse battery")


def test_prepare_leaves_the_users_alone(vera: User) -> None:
    manage("prepare")
    assert User.objects.get() == vera


def test_prepare_does_not_bring_back_a_sample_that_was_rolled_back() -> None:
    manage("prepare")
    manage("rollback_import", ImportExecutionLog.objects.get().pk, "--yes")
    manage("prepare")
    assert not Trade.objects.exists()
    assert Account.objects.exists()


def test_a_database_that_goes_away_is_told_and_the_command_goes_on_later(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object, **__: object) -> None:
        raise OperationalError("server closed the connection\nunexpectedly")

    with monkeypatch.context() as away:
        away.setattr(running, "write_chunk", lost)
        said = refused("import_csv", good)
    assert "good.csv: the database is away: server closed the connection." in said
    manage("import_csv", good)
    assert Trade.objects.count() == 1
