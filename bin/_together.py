"""Runs the web server and a worker together until Ctrl-C, or until one of them ends.

Runs in .venv, started by bin/serve: _together.py HOST PORT
"""

import os
import shlex
import subprocess
import sys

from _bound import end_with_parent
from honcho.manager import Manager
from honcho.printer import Printer

WEB = ["-m", "uvicorn", "tradelog.asgi:application", "--lifespan", "off", "--no-access-log"]
WEB += ["--log-level", "warning", "--timeout-graceful-shutdown", "3"]
# Who is believed about whence a request comes, our settings say: TRADELOG_PROXIES.
WEB += ["--no-proxy-headers"]
# Over a WebSocket browsers only listen.
WEB += ["--ws-max-size", "1024"]
WORKER = ["manage.py", "qcluster"]


def main(host: str, port: str) -> int:
    end_with_parent()
    manager = Manager(Printer(sys.stdout, colour=sys.stdout.isatty()))
    manager.add_process("web", in_a_shell([*WEB, "--host", host, "--port", port]))
    manager.add_process("worker", in_a_shell(WORKER))
    manager.loop()
    return manager.returncode


def in_a_shell(arguments: list[str]) -> str:
    command = [sys.executable, "bin/_bound.py", *arguments]
    # Signals are meant for the program, not for a shell that stands before it.
    return subprocess.list2cmdline(command) if os.name == "nt" else f"exec {shlex.join(command)}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
