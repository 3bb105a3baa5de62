"""Lets a desk use tradelog while its processes are killed, then looks whether all is there.

Runs a web server and two workers on a fresh PostgreSQL database. Users upload, retry, correct,
cancel, roll back and restore imports, have batches executed and open orders synced; workers, the
web server and connections to the database are killed at random and started anew. Then the queue
runs dry, and everything is compared with what was asked for. Exit status 1 tells that something
was lost, doubled or left.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench.databases import postgresql, sqlite
from bench.measuring import NOT_FOR_STEPS, ROOT
from bench.soak.programs import BOUND, free_port

POSTGRES = os.environ.get("TRADELOG_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
DATABASE = "tradelog_soak"
SHORT = 8  # seconds


def main() -> int:
    options = read_options()
    folder = Path(tempfile.mkdtemp(prefix="tradelog-soak-"))
    try:
        with database(options) as url:
            print(words(options), flush=True)
            status = run(options, url, folder)
    except psycopg.errors.ObjectInUse:
        print(f"Another soak is at work on {DATABASE}; wait for its end.")
        status = 1
    except psycopg.OperationalError as problem:
        place = POSTGRES.rpartition("@")[2]
        print(f"No PostgreSQL answers at {place} (TRADELOG_TEST_POSTGRES): {problem}")
        print("Start one, or let one worker soak on SQLite: bin/soak --sqlite")
        status = 1
    if status == 1 and any(folder.iterdir()):
        print(f"Again: {again(options)}. What the processes said is in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    if status == 0:
        print("Nothing is lost, nothing is doubled, and nothing waits.")
    return status


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=minutes, default=10, metavar="N", help="of load (10)")
    parser.add_argument("--seed", type=int, help="of users and mishaps; else any")
    parser.add_argument("--redis", action="store_true", help="the queue in a Redis, killed as well")
    parser.add_argument("--short", action="store_true", help=f"{SHORT} seconds of load, in a hurry")
    parser.add_argument("--sqlite", action="store_true", help="on SQLite, with one worker")
    parser.add_argument("--workers", type=int, choices=range(1, 9), default=2, help="(2)")
    parser.add_argument("--calm", action="store_true", help="kill nothing")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.randrange(1_000_000)
    return options


def minutes(text: str) -> float:
    if not (text.replace(".", "", 1).isdecimal() and float(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r}: expected minutes, above 0")
    return float(text)


def words(options: argparse.Namespace) -> str:
    where = "SQLite, one worker" if options.sqlite else f"PostgreSQL, {options.workers} workers"
    long = f"{SHORT} s" if options.short else f"{options.minutes:g} min"
    queue = "in Redis" if options.redis else "in the database"
    return f"Soaking for {long} on {where}, the queue {queue}, seed {options.seed}."


def again(options: argparse.Namespace) -> str:
    flags = [f"--{name}" for name in ("redis", "short", "sqlite", "calm") if getattr(options, name)]
    long = [] if options.short else ["--minutes", f"{options.minutes:g}"]
    more = ["--seed", str(options.seed), "--workers", str(options.workers)]
    return " ".join(["bin/soak", *flags, *long, *more])


@contextmanager
def database(options: argparse.Namespace) -> Iterator[str]:
    vendor = sqlite() if options.sqlite else postgresql(POSTGRES, DATABASE)
    with vendor.fresh() as url:
        yield url


def run(options: argparse.Namespace, url: str, folder: Path) -> int:
    """In a process of its own, whose settings are those of the installation that it runs."""
    redis_port = free_port() if options.redis else 0
    plan = {
        "seconds": SHORT if options.short else 60 * options.minutes,
        "seed": options.seed,
        "workers": 1 if options.sqlite else options.workers,
        "folder": str(folder),
        "port": free_port(),
        "redis_port": redis_port,
        "hurry": options.short,
        "calm": options.calm,
        "importers": 3 if options.short or options.sqlite else 6,
        "traders": 1 if options.short or options.sqlite else 2,
    }
    environment = {k: v for k, v in os.environ.items() if not k.startswith(NOT_FOR_STEPS)}
    environment |= settings(url, folder, redis_port)
    command = [*BOUND, "-m", "bench.soak.run", json.dumps(plan)]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as running:
        return wait_for(running)


def wait_for(running: "subprocess.Popen[bytes]") -> int:
    """Ctrl-C goes to both; the run then ends what it has started, which takes some seconds."""
    while True:
        try:
            return running.wait()
        except KeyboardInterrupt:
            print("Stopping …", flush=True)


def settings(url: str, folder: Path, redis_port: int) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "tradelog.settings",
        "TRADELOG_ENV_FILE": "",
        "TRADELOG_DATA_DIR": str(folder / "var"),
        "DATABASE_URL": url,
        "TRADELOG_OPEN_ORDERS_URL": str(folder / "open_orders.csv"),
        "TRADELOG_REDIS_URL": f"redis://127.0.0.1:{redis_port}/0" if redis_port else "",
        "TRADELOG_API_PER_MINUTE": "1000000",
        "PGAPPNAME": "tradelog-soak",
    }


if __name__ == "__main__":
    sys.exit(main())
