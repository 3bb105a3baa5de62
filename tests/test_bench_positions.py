"""The measurement of positions takes place; how many questions one more fill asks does not grow."""

import json
from pathlib import Path

import pytest
from django.db import connection

from bench import positions, positionsteps, report
from tests.fills import from_nothing, whole_truth
from trades.models import Position, Trade


def filled(folder: Path, trades: int) -> dict[str, object]:
    (folder / "sizes.json").write_text(json.dumps({"trades": trades}))
    positionsteps.fill(folder)
    return positionsteps.build(folder)


@pytest.mark.django_db
@pytest.mark.parametrize("trades", [100, 1_500])
def test_one_more_fill_asks_as_little_in_a_log_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trades: int
) -> None:
    monkeypatch.setattr(positionsteps, "calm_down", lambda: None)
    built = filled(tmp_path, trades)
    assert built["positions"] == Position.objects.count() > 0
    assert positionsteps.one_more(tmp_path)["queries"] <= 24
    assert Trade.objects.count() == trades + positionsteps.TIMES
    assert whole_truth() == from_nothing()


@pytest.mark.django_db
def test_the_index_of_closings_can_be_left_out(tmp_path: Path) -> None:
    positionsteps.drop_index(tmp_path)
    with connection.cursor() as cursor:
        there = connection.introspection.get_constraints(cursor, Position._meta.db_table)
    assert "positions_as_closed" not in there
    assert "positions_newest" in there


def test_the_document_has_a_place_for_the_tables(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text(report.DOCUMENT.read_text(encoding="utf-8"), encoding="utf-8")
    report.put_between(positions.BEGIN, positions.END, ["| a |"], document)
    assert f"{positions.BEGIN}\n\n| a |\n\n{positions.END}" in document.read_text(encoding="utf-8")
