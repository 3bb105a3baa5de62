"""What docs/deploy.md and deploy/ say is so: the settings, and the programs that are run."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.processes import ROOT, end, start

DEPLOY = ROOT / "deploy"
WEB = "uvicorn tradelog.asgi:application"
WORKER = "manage.py qcluster"
FLAGS = ("--lifespan off", "--no-access-log", "--ws-max-size 1024", "--timeout-graceful-shutdown")


def settings_told() -> dict[str, str]:
    """Those of the document that a desk is to have."""
    text = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    block = next(one for one in re.findall(r"```\n(.*?)```", text, re.DOTALL) if "HTTPS=1" in one)
    return dict(line.split("=", 1) for line in block.splitlines())


def check(tmp_path: Path, **more: str) -> tuple[int, str]:
    told = settings_told() | {"TRADELOG_DATA_DIR": str(tmp_path)} | more
    ended = end(start("manage.py", "check", "--deploy", "--fail-level", "WARNING", **told))
    return ended.status, ended.out + ended.err


def test_the_settings_of_the_document_leave_nothing_to_be_said(tmp_path: Path) -> None:
    status, said = check(tmp_path)
    assert (status, "no issues" in said) == (0, True), said


def test_without_them_it_says_what_is_missing(tmp_path: Path) -> None:
    status, said = check(tmp_path, TRADELOG_HTTPS="0", ALLOWED_HOSTS="localhost", SECRET_KEY="x")
    assert status == 1
    for one in ("security.W012", "security.W016", "tradelog.W001", "tradelog.W006"):
        assert one in said


def test_each_command_of_the_document_has_the_settings() -> None:
    """Run as somebody else, or elsewhere, it would set up an SQLite database of its own."""
    text = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if "manage.py" in line]
    ours = [line for line in lines if not line.startswith("docker ")]
    assert len(ours) >= 5
    for line in ours:
        assert line.startswith("runuser --user tradelog -- .venv/bin/python manage.py"), line
    assert text.index("ln --symbolic /etc/tradelog.env .env") < text.index(ours[0])


# --- The files


def unit(name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    text = (DEPLOY / f"tradelog-{name}.service").read_text(encoding="utf-8")
    parser.read_string(re.sub(r"\\\n\s*", "", text))
    return parser["Service"]


def programs() -> dict[str, str]:
    """By file and name: the command."""
    lines = (DEPLOY / "Procfile").read_text(encoding="utf-8").splitlines()
    found = {f"Procfile {line.split(':')[0]}": line for line in lines}
    docker = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").partition("CMD ")[2]
    found["Dockerfile web"] = " ".join(re.findall(r'"([^"]+)"', docker))
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    found["compose worker"] = services["worker"]["command"]
    return found | {f"unit {name}": unit(name)["ExecStart"] for name in ("web", "worker")}


def test_all_run_the_same_two_programs() -> None:
    for name, command in programs().items():
        wanted = [WORKER] if name.endswith("worker") else [WEB, *FLAGS]
        assert [one for one in wanted if one not in command] == [], name
    assert len(programs()) == 6


def test_a_worker_is_told_to_stop_and_its_pool_may_finish() -> None:
    assert unit("worker")["KillMode"] == "mixed"
    assert unit("worker")["Restart"] == unit("web")["Restart"] == "always"
    worker = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert worker["worker"]["init"]
    assert worker["worker"]["stop_grace_period"] == f"{unit('worker')['TimeoutStopSec']}s"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd")
@pytest.mark.parametrize("name", ["web", "worker"])
def test_systemd_understands_the_unit(name: str, tmp_path: Path) -> None:
    text = (DEPLOY / f"tradelog-{name}.service").read_text(encoding="utf-8")
    program = shutil.which("true")
    text = text.replace("/srv/tradelog/.venv/bin/python", program).replace("=tradelog\n", "=root\n")
    path = tmp_path / f"tradelog-{name}.service"
    path.write_text(text)
    verified = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")


@pytest.mark.skipif(
    not (shutil.which("nginx") and shutil.which("openssl")), reason="there is no nginx"
)
def test_nginx_understands_its_configuration(tmp_path: Path) -> None:
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=desk.example",
    ]
    keys = [
        "-subj",
        "/CN=desk.example",
        "-keyout",
        str(tmp_path / "privkey.pem"),
        "-out",
        str(tmp_path / "fullchain.pem"),
    ]
    subprocess.run([*command, *keys], capture_output=True, check=True)
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    (tmp_path / "tradelog.conf").write_text(text.replace("/etc/ssl/tradelog", str(tmp_path)))
    whole = f"pid {tmp_path}/pid; events {{}} http {{ include {tmp_path}/tradelog.conf; }}"
    (tmp_path / "nginx.conf").write_text(whole)
    arguments = ["-t", "-q", "-e", tmp_path / "error.log", "-c", tmp_path / "nginx.conf"]
    tried = subprocess.run(["nginx", *arguments], capture_output=True, text=True)
    assert tried.returncode == 0, tried.stderr
