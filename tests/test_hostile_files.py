"""What no program writes, in each kind of file: an outcome with a reason, never a breakdown.

bin/test tests/test_hostile_files.py --examples 5000
"""

import json
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, seed
from hypothesis import strategies as st

from batches.files import stage_file
from batches.mapping import StagingError
from imports.backuplines import KINDS, OF_DELETED, OF_POSITIONS, OF_TRADES, SETTINGS, BackupWriter
from imports.backuplogs import OF_IMPORTS
from imports.states import Status
from orders.models import OpenOrderSnapshot
from orders.syncing import sync
from sources.rows import SourceError
from tests import desk
from tests.conftest import TakeIn

pytestmark = pytest.mark.django_db

WORDS = ["", "\0", "\ud800", "\u202e", "²", "1e999999999", "NaN", "-Infinity", "x" * 70_000]
WORDS += ["0001-01-01", "9999-12-31T23:59:59Z", "0000-00-00", "=1+1", "9" * 400, "AAPL", "buy", "1"]
words = st.sampled_from(WORDS) | st.text(max_size=5)
numbers = st.sampled_from([0, -1, 10**30, 1.5, 1e308]) | st.integers() | st.booleans() | st.none()
values = st.recursive(
    words | numbers,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
NESTED = [
    b'[{"account": ' + opened * depth + b"1" + closed * depth + b"}]"
    for opened, closed in ((b"[", b"]"), (b'{"a":', b"}"))
    for depth in (*range(900, 1_000, 20), 100_000)
]


def objects(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that have most of these keys, and now and then another."""
    usual = st.fixed_dictionaries({}, optional=dict.fromkeys(names, values))
    return usual | usual.flatmap(
        lambda one: st.dictionaries(words, values, max_size=1).map(one.__or__)
    )


def tried(request: pytest.FixtureRequest, examples: st.SearchStrategy, deed: Callable) -> None:
    """Do it with each of so many examples, and forget it again."""

    @seed(1)
    @hypothesis.settings(
        max_examples=request.config.getoption("examples"),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(example=examples)
    def do(example: Any) -> None:
        with transaction.atomic():
            deed(example)
            transaction.set_rollback(True)

    do()


def as_json(content: object) -> bytes:
    return json.dumps(content).encode()


# --- Backups


NAMES = {kind: list(fields) for kind, (_, fields) in SETTINGS.items()} | {
    "deleted": list(OF_DELETED),
    "trade": list(OF_TRADES),
    "position": list(OF_POSITIONS),
    "import": list(OF_IMPORTS),
    "executions": ["at", "of"],
}
lines_of_backups = st.lists(
    st.sampled_from(KINDS).flatmap(
        lambda kind: st.tuples(st.just(kind), objects(NAMES.get(kind, [])) | values)
    ),
    max_size=4,
).map(lambda lines: sorted(lines, key=lambda line: KINDS.index(line[0])))


def test_any_backup_has_an_outcome(request: pytest.FixtureRequest, take_in: TakeIn) -> None:
    def restore(lines: list[tuple[str, Any]]) -> None:
        target = BytesIO()
        writer = BackupWriter(target)
        writer.begin()
        for kind, said in lines:
            writer.put(kind, said)
        writer.end()
        log = take_in(target.getvalue(), "all.jsonl")
        assert not log.is_active
        told = sum(kind in ("trade", "position") for kind, _ in lines)
        assert log.total_rows == told or (log.status == Status.FAILED and log.error_summary)

    tried(request, lines_of_backups, restore)


# --- Batches


def stage(content: bytes) -> None:
    try:
        batch = stage_file(content, file_name="a.json")
    except StagingError:
        return
    assert batch.total_trades == batch.batch_trades.count()


def test_any_json_is_a_batch_or_a_sentence(request: pytest.FixtureRequest) -> None:
    names = ["account", "instrument", "side", "quantity", "price", "executed_at", "notes"]
    tried(request, st.lists(objects(names) | values, max_size=3).map(as_json), stage)


@pytest.mark.parametrize("content", NESTED, ids=len)
def test_a_batch_that_is_nested_deeply(content: bytes) -> None:
    stage(content)


def test_a_batch_of_too_much_json_is_told_its_size() -> None:
    with pytest.raises(StagingError, match="^a.json has more than 8 MB"):
        stage_file(b"[" + b" " * (8 << 20), file_name="a.json")


# --- Open orders


@pytest.fixture
def desk_shows(settings: object, tmp_path: Path) -> Callable[..., None]:
    """Sync with a desk that shows these bytes."""
    settings.TRADELOG_SOURCES = dict(settings.TRADELOG_SOURCES)

    def shows(content: bytes, name: str = "desk.json") -> None:
        path = tmp_path / name
        path.write_bytes(content)
        desk.ask(str(path))
        with suppress(SourceError):
            sync()

    return shows


def test_any_json_is_orders_or_a_sentence(
    request: pytest.FixtureRequest, desk_shows: Callable[..., None]
) -> None:
    full = st.fixed_dictionaries(dict.fromkeys(desk.COLUMNS, values))
    tried(request, st.lists(full | values, max_size=3).map(as_json), desk_shows)


@pytest.mark.parametrize("content", NESTED, ids=len)
def test_orders_that_are_nested_deeply(content: bytes, desk_shows: Callable[..., None]) -> None:
    order = b'[{"account"' + b"".join(b': 1, "%s"' % one.encode() for one in desk.COLUMNS) + b": "
    desk_shows(order + content.removeprefix(b'[{"account": '))


HEADER = ",".join(desk.COLUMNS).encode()
CSV = {
    "a NUL": HEADER + b"\n\0,1\n",
    "an open quotation in the header": b'"' + HEADER + b"\n1\n",
    "an open quotation": HEADER + b'\n"1,2\n' + b"3\n" * 100_000,
    "no UTF-8": b"\xff\xfe" + HEADER.decode().encode("utf-16-le"),
    "nothing": b"",
    "a compressed file": b"\x1f\x8b\x08\0",
}


@pytest.mark.parametrize("kind", CSV)
def test_any_csv_is_orders_or_a_sentence(kind: str, desk_shows: Callable[..., None]) -> None:
    desk_shows(CSV[kind], "desk.csv")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"x" * 200_000 + b"\n1\n", "the header is no CSV: field larger"),
        (HEADER + b"\n" + b"x" * 200_000 + b"\n", "the file is no CSV: field larger"),
        (b"x," * (1 << 20), "a line of more than 1,048,576 characters"),
        (HEADER + b"\n" + b"x," * (1 << 20), "a line of more than 1,048,576 characters"),
    ],
    ids=["long heading", "long cell", "header without end", "line without end"],
)
def test_a_csv_without_end_is_told(
    content: bytes, sentence: str, desk_shows: Callable[..., None]
) -> None:
    desk_shows(content, "desk.csv")
    assert sentence in OpenOrderSnapshot.objects.get().error
