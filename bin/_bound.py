"""Runs a program of Python none of whose processes outlives its parent, even by kill -9 (Linux).

Runs in .venv, started by bin/_together.py: _bound.py PROGRAM ARGUMENTS, or _bound.py -m MODULE …
"""

import ctypes
import os
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def end_with_parent() -> None:
    """This process, and those that it forks, die when their parents do. Else nobody ends them."""
    if sys.platform == "linux":
        die_with_parent()
        os.register_at_fork(after_in_child=die_with_parent)


def die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    end_with_parent()
    sys.path[0] = os.getcwd()
    del sys.argv[0]
    if sys.argv[0] == "-m":
        del sys.argv[0]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(sys.argv[0], run_name="__main__")
