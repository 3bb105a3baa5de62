"""What is wrong with the settings is said at start; and the secret key is made once."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.checks import run_checks

from tests.processes import PATIENCE
from tradelog.checks import CHECKS, every_problem
from tradelog.secret_key import kept_secret_key

BEHIND_TLS = {"HTTPS": True, "TRADELOG_PROXIES": 1}
FAULTS = {
    "tradelog.E001": {"DATA_DIR": Path("/no/such/folder")},
    "tradelog.E002": {"TRADELOG_TIME_ZONE": "Mars"},
    "tradelog.E003": {"DATABASES": {"default": {"ENGINE": "django.db.backends.mysql"}}},
    "tradelog.E004": {"TRADELOG_MAX_FILE_MB": 0},
    "tradelog.E005": {"TRADELOG_WORKERS": 0},
    "tradelog.E006": {"Q_CLUSTER": settings.Q_CLUSTER | {"retry": 900, "timeout": 300}},
    "tradelog.E007": {"Q_CLUSTER": settings.Q_CLUSTER | {"max_attempts": 0}},
    "tradelog.E008": {"Q_CLUSTER": settings.Q_CLUSTER | {"guard_cycle": 0.3}},
    "tradelog.E009": {"TRADELOG_TOKEN_DAYS": 0},
    "tradelog.E013": {"TRADELOG_NOTIFY_URLS": ["json://desk.example", "nonsense"]},
    "tradelog.E014": {"TRADELOG_NOTIFY_LEVEL": "loud"},
    "tradelog.E015": {"TRADELOG_DELETE_BATCHES_DAYS": None},
    "tradelog.E020": {"TRADELOG_LOGIN_TRIES": 0},
    "tradelog.E021": {"TRADELOG_PROXIES": None},
    "tradelog.E016": {"TRADELOG_METRICS_TOKEN": "short"},
    "tradelog.E017": {"TRADELOG_LOG_FORMAT": "xml"},
    "tradelog.W001": {"SECRET_KEY": "x" * 31},
    "tradelog.W002": {"DEBUG": True, "ALLOWED_HOSTS": ["desk.example"]} | BEHIND_TLS,
    "tradelog.W003": {"ALLOWED_HOSTS": ["*"]} | BEHIND_TLS,
    "tradelog.W004": {"ALLOWED_HOSTS": ["desk.example"]},
    "tradelog.W005": {"HTTPS": True, "TRADELOG_PROXIES": 0},
}


def sources(**wishes: str) -> dict[str, dict[str, dict[str, str]]]:
    """The sources, but for what the one of open orders is told otherwise."""
    orders = settings.TRADELOG_SOURCES["OPEN_ORDERS"] | wishes
    return {"TRADELOG_SOURCES": settings.TRADELOG_SOURCES | {"OPEN_ORDERS": orders}}


FAULTS |= {
    "tradelog.E010": sources(URL="postgresql://reader:secret@desk.example/trading"),
    "tradelog.E011": sources(COLUMNS="order_id=OrderID"),
    "tradelog.E012": sources(TIMEZONE="Mars"),
}


def set_without_signals(settings: object, monkeypatch: pytest.MonkeyPatch, values: dict) -> None:
    """Settings that Django would act upon at once, such as the zone, stay without effect."""
    for name, value in values.items():
        monkeypatch.setitem(settings._wrapped.__dict__, name, value)


def ids() -> list[str]:
    return [problem.id for problem in every_problem()]


def test_all_is_well_by_default() -> None:
    assert ids() == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_said(settings: object, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    set_without_signals(settings, monkeypatch, FAULTS[fault])
    assert ids() == [fault]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_comes_with_a_hint(
    settings: object, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    set_without_signals(settings, monkeypatch, FAULTS[fault])
    assert all(problem.hint for problem in every_problem())


def test_every_check_has_a_fault_here() -> None:
    assert len(CHECKS) == len(FAULTS)


def test_django_runs_the_checks(settings: object) -> None:
    settings.TRADELOG_MAX_FILE_MB = 0
    assert "tradelog.E004" in [problem.id for problem in run_checks()]


def test_other_hosts_are_fine_behind_https(settings: object) -> None:
    settings.ALLOWED_HOSTS = ["desk.example"]
    settings.HTTPS, settings.TRADELOG_PROXIES = True, 1
    assert ids() == []


# What the environment says when the id is to be told, as a user would see it.
ENVIRONMENTS = [
    ("tradelog.E001", {"TRADELOG_DATA_DIR": "/proc/no-such-folder"}),
    ("tradelog.E001", {"TRADELOG_DATA_DIR": __file__}),
    ("tradelog.E002", {"TRADELOG_TIME_ZONE": "Mars"}),
    ("tradelog.E003", {"DATABASE_URL": "mysql://user@host/name"}),
    ("tradelog.E003", {"DATABASE_URL": "nonsense"}),
    ("tradelog.E004", {"TRADELOG_MAX_FILE_MB": "abc"}),
    ("tradelog.E004", {"TRADELOG_MAX_BATCH_LINES": "0"}),
    ("tradelog.E010", {"TRADELOG_EXECUTIONS_URL": "http://[nonsense"}),
    ("tradelog.E013", {"TRADELOG_NOTIFY_URLS": "nonsense://secret"}),
    ("tradelog.E015", {"TRADELOG_ARCHIVE_BATCHES_DAYS": "a month"}),
    ("tradelog.E020", {"TRADELOG_LOCK_MINUTES": "never"}),
    ("tradelog.E021", {"TRADELOG_PROXIES": "nginx"}),
    ("tradelog.W001", {"SECRET_KEY": "short"}),
    ("tradelog.W005", {"TRADELOG_HTTPS": "1", "TRADELOG_PROXIES": "0"}),
]


@pytest.mark.parametrize(("told", "environment"), ENVIRONMENTS)
def test_a_user_is_told_with_an_id_and_a_hint(told: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "TRADELOG_ENV_FILE": "", **environment},
        capture_output=True,
        text=True,
    )
    assert told in done.stderr
    assert "HINT" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_data_folder_is_made_when_the_key_is_given(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "data"
    environment = {"TRADELOG_DATA_DIR": str(folder), "SECRET_KEY": "k" * 50, "DATABASE_URL": ""}
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--check"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "TRADELOG_ENV_FILE": "", **environment},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert [one.name for one in folder.iterdir()] == ["tradelog.sqlite3"]


# --- The secret key


def test_a_key_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path
    key = kept_secret_key(folder)
    assert len(key) >= 50
    assert kept_secret_key(folder) == key == (folder / "secret_key").read_text()


def test_two_installations_have_two_keys(tmp_path: Path) -> None:
    assert kept_secret_key(tmp_path / "one") != kept_secret_key(tmp_path / "other")


def test_a_key_that_was_put_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("put here by hand\n")
    assert kept_secret_key(tmp_path) == "put here by hand"


@pytest.mark.skipif(os.name == "nt", reason="there are no such rights on Windows")
def test_a_key_is_for_its_owner_only(tmp_path: Path) -> None:
    kept_secret_key(tmp_path)
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_nothing_is_left_beside_the_key(tmp_path: Path) -> None:
    kept_secret_key(tmp_path)
    assert [*tmp_path.iterdir()] == [tmp_path / "secret_key"]


RACER = """
import pathlib, sys
from tradelog.secret_key import kept_secret_key
print("ready", flush=True)
sys.stdin.read()
print(kept_secret_key(pathlib.Path(sys.argv[1])))
"""


def test_processes_that_start_at_once_get_one_key(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RACER, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    racers = [subprocess.Popen(command, **pipes) for _ in range(4)]
    assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 4
    for racer in racers:
        racer.stdin.close()
    keys = {racer.stdout.read() for racer in racers}
    assert [racer.wait(PATIENCE) for racer in racers] == [0] * 4
    assert len(keys) == 1
    for racer in racers:
        racer.stdout.close()


def test_a_rival_that_is_first_decides_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, keys = os.link, []

    def too_late(draft: str, final: Path) -> None:
        monkeypatch.setattr(os, "link", link)
        keys.append(kept_secret_key(tmp_path))  # a rival with the very same process number
        link(draft, final)

    monkeypatch.setattr(os, "link", too_late)
    assert [kept_secret_key(tmp_path)] == keys
