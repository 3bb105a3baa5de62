"""The project's own Python in .venv: bin/serve and bin/test make it here before they use it."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has none: there, two first starts at once are not kept apart
    fcntl = None

OLDEST = (3, 11)
if sys.version_info < OLDEST:
    sys.exit(f"tradelog needs Python 3.11 or newer; this is {sys.version.split()[0]}.")

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
# Stands while .venv is being changed. Found at a start, it tells of a start that was interrupted:
# pip takes a half-written package for an installed one, so .venv is then made anew.
UNFINISHED = VENV / "unfinished"


def ensure_installed(*names: str) -> None:
    """Leaves a .venv with the named requirement files installed, or exits with one sentence."""
    try:
        with one_at_a_time():
            if all(map(is_installed, names)):
                return
            if not is_usable():
                make_venv()
            install([name for name in names if not is_installed(name)])
    except OSError as error:
        sys.exit(f"{VENV} cannot be made: {error}.")


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """A second start waits for the first; the lock ends with its process, however that ends."""
    with Path(__file__).open() as file:
        if fcntl:
            with suppress(OSError):  # some network folders cannot lock
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_installed(name: str) -> bool:
    stamp = stamp_of(name)
    finished = PYTHON.is_file() and stamp.is_file() and not UNFINISHED.exists()
    return finished and stamp.read_text() == fingerprint(name)


def stamp_of(name: str) -> Path:
    return VENV / f"{name}.sha256"


def fingerprint(name: str) -> str:
    """Of the file and of the Python behind .venv, which a system upgrade may replace."""
    return hashlib.sha256((ROOT / name).read_bytes() + str(PYTHON.resolve()).encode()).hexdigest()


def is_usable() -> bool:
    """False for no .venv, for half of one, and for one whose Python is gone or too old."""
    if UNFINISHED.exists() or not PYTHON.is_file():
        return False
    probe = f"import pip, sys; sys.exit(sys.version_info < {OLDEST})"
    return run(str(PYTHON), "-I", "-c", probe).returncode == 0


def make_venv() -> None:
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        sys.exit(
            "This Python cannot make virtual environments: install its venv module and start "
            f"again (on Debian and Ubuntu: apt install {package})."
        )
    if VENV.exists():
        shutil.rmtree(VENV)
    VENV.mkdir()
    UNFINISHED.touch()
    # Not sys.executable: that may be the very .venv that was just removed.
    made = run(getattr(sys, "_base_executable", sys.executable), "-I", "-m", "venv", str(VENV))
    if made.returncode:
        sys.exit(f"{made.stdout}{VENV} could not be made: the lines above say why.")


def install(names: list[str]) -> None:
    print(f"Installing {' and '.join(names)} … (once, about a minute)", flush=True)
    UNFINISHED.touch()
    pip = [str(PYTHON), "-I", "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    installed = run(*pip, "install", *(f"--requirement={ROOT / name}" for name in names))
    if installed.returncode == 0:
        for name in names:
            stamp_of(name).write_text(fingerprint(name))
    UNFINISHED.unlink()  # a pip that fails puts back what it had begun
    if installed.returncode:
        sys.exit(f"{installed.stdout}The packages could not be installed: the lines above say why.")


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    """Both streams end up in stdout, in the order they were written."""
    return subprocess.run(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
