"""The measurement of positions takes place; how many questions one more fill asks does not grow."""

import json
from pathlib import Path

import pytest

from bench import positionsteps
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
