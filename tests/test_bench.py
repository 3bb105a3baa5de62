"""The measurements take place and count right. What they measure is nobody's test: machines differ.

They bring databases of their own, beside that of the tests.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from bench import generate, report, syncing, syncs
from bench.databases import Vendor, postgresql, sqlite
from bench.measuring import Comparison, Measured, StepFailed, compare, measure
from tests.processes import ROOT, database_url

LINES = 2_000
EXPECTED = generate.Expected(LINES, bad=20, known=100)


@pytest.fixture
def vendor(db: None) -> Vendor:
    if connection.vendor == "sqlite":
        return sqlite()
    return postgresql(database_url(), f"{connection.settings_dict['NAME']}_bench")


def test_every_measurement_leaves_the_right_rows(vendor: Vendor) -> None:
    found = compare(vendor, LINES, rounds=1)
    assert found.imported.counts == {
        "taken": 1_880,
        "known": 100,
        "bad": 20,
        "row_logs": 2_000,
        "ledger": 1_880,
        "trades": 1_980,
    }
    assert found.undone.counts == {"deleted": 1_880, "ledger": 100, "trades": 100}
    assert found.floor.counts == {
        "import_execution_row_logs": 2_000,
        "trades": 1_880,
        "imported_executions": 1_880,
    }
    assert found.rival.counts == found.tuned_rival.counts == {"trades": 1_980, "bad": 20}


@pytest.mark.django_db(transaction=True)
def test_syncs_are_measured(
    tmp_path: Path, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "calm_down", lambda: None)
    settings.TRADELOG_SOURCES = dict(settings.TRADELOG_SOURCES)
    (tmp_path / "sizes.json").write_text('{"orders": 601}')
    for step, expected in zip((syncing.first, syncing.again), syncs.right_counts(601), strict=True):
        found = step(tmp_path)
        assert found["counts"] == expected
        assert found["seconds"] > 0


def test_every_subject_is_measured_by_the_one_command(capfd: pytest.CaptureFixture[str]) -> None:
    run = [sys.executable, "bin/bench"]
    assert subprocess.run([*run, "nonsense"], cwd=ROOT, check=False).returncode == 2
    subjects = capfd.readouterr().err.strip().partition("expected one of ")[2].split(", ")
    programs = {
        path.stem
        for path in (ROOT / "bench").glob("*.py")
        if "argparse" in path.read_text() and path.stem != "__main__"
    }
    assert set(subjects) == programs


def test_wrong_rows_are_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = dict.fromkeys(("import_execution_row_logs", "trades", "imported_executions"), 0)
    found = {"seconds": 1.0, "peak_kb": None, "counts": empty}
    monkeypatch.setattr("bench.measuring.take", lambda *step: found)
    with pytest.raises(StepFailed, match=r"floor\.put_back left .*0.* expected .*1880"):
        measure("floor.put_back", "", Path(), EXPECTED)


def test_a_step_that_breaks_off_says_why(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match=r"importing\.undo broke off:(.|\n)*no such table"):
        measure("importing.undo", f"sqlite:///{tmp_path}/empty.sqlite3", tmp_path, EXPECTED)


def test_a_file_depends_on_its_length_alone(tmp_path: Path) -> None:
    texts = []
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        assert generate.write_files(folder, LINES) == EXPECTED
        texts.append((folder / "fills.csv").read_bytes())
    assert texts[0] == texts[1]


def test_ids_are_random_and_never_twice() -> None:
    ids = [line.split(",")[5] for line in generate.fill_lines(LINES)]
    assert len(set(ids)) == LINES
    assert all(len(one) == 32 and set(one) <= set("0123456789abcdef") for one in ids)


def test_fills_spread_over_working_days_accounts_and_instruments() -> None:
    days = [generate.working_day(number) for number in range(30)]
    assert days[:5] == [generate.date(2024, 1, day) for day in (16, 17, 18, 19, 22)]
    cells = [line.split(",") for line in generate.fill_lines(LINES)]
    assert {line[12] for line in cells} == set(generate.ACCOUNTS)
    assert len({line[0] for line in cells}) == len(generate.ROOTS)
    assert {line[4].split()[0] for line in cells} >= {"1/16/2024", "1/17/2024"}


def measured(seconds: float, lines: int = 200_000) -> Measured:
    return Measured(lines, seconds, 2048, {})


def test_the_table_stands_between_the_marks(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text(f"Before\n{report.BEGIN}\nold\n{report.END}\nAfter\n", encoding="utf-8")
    one = Comparison(
        sqlite(),
        200_000,
        imported=measured(10),
        floor=measured(5),
        rival=measured(50, lines=100_000),
        tuned_rival=measured(20, lines=100_000),
        undone=measured(2),
    )
    report.write([one], document)
    report.write([one], document)  # what is there is replaced
    text = document.read_text(encoding="utf-8")
    assert text.startswith(f"Before\n{report.BEGIN}\n\nMeasured on ")
    assert text.endswith(f" |\n\n{report.END}\nAfter\n")
    assert "old" not in text
    assert text.splitlines()[-4] == (
        "| SQLite | 200,000 | 20,000/s, 2 MB | 40,000/s, 2 MB | 0.50 "
        "| 2,000/s, 2 MB (on 100,000 lines) | 10.0 | 5,000/s, 2 MB (on 100,000 lines) | 4.0 "
        "| 100,000/s, 2 MB |"
    )


def test_a_document_without_marks_is_left_alone(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text("No marks\n", encoding="utf-8")
    with pytest.raises(ValueError, match="lacks the marks"):
        report.write([], document)
    assert document.read_text(encoding="utf-8") == "No marks\n"
