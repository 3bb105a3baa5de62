"""What is missing or unsafe in the settings, said at start with an id and a hint."""

import os
import zoneinfo
from collections.abc import Callable, Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from joblogs.receivers import misunderstood
from joblogs.states import Level
from sources.configured import address_problem, columns_configured
from sources.rows import SourceError
from tradelog import securitychecks
from web.ages import MOST_DAYS

AGES = (
    "TRADELOG_ARCHIVE_BATCHES_DAYS",
    "TRADELOG_DELETE_BATCHES_DAYS",
    "TRADELOG_DELETE_NOTICES_DAYS",
    "TRADELOG_DELETE_ROW_LOGS_DAYS",
    "TRADELOG_DELETE_JOB_LINES_DAYS",
    "TRADELOG_AUDIT_DAYS",
)
SHORTEST_TOKEN = 24  # characters
LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]", "testserver"}


def data_dir_problems() -> Iterator[CheckMessage]:
    if not (settings.DATA_DIR.is_dir() and os.access(settings.DATA_DIR, os.W_OK)):
        yield Error(
            f"{settings.DATA_DIR} is no folder that can be written.",
            hint="Give this user the right to write there, or set TRADELOG_DATA_DIR.",
            id="tradelog.E001",
        )


def zone_problems() -> Iterator[CheckMessage]:
    if settings.TRADELOG_TIME_ZONE not in zoneinfo.available_timezones():
        yield Error(
            f"TRADELOG_TIME_ZONE is '{settings.TRADELOG_TIME_ZONE}', which is no time zone.",
            hint="Use an IANA name like America/Chicago or Europe/Berlin.",
            id="tradelog.E002",
        )


def database_problems() -> Iterator[CheckMessage]:
    if settings.DATABASES["default"]["ENGINE"] not in settings.DATABASES_WE_KNOW:
        yield Error(
            "DATABASE_URL names no database on which tradelog runs.",
            hint="Use sqlite:///path or postgresql://user:password@host:5432/name.",
            id="tradelog.E003",
        )


def file_limit_problems() -> Iterator[CheckMessage]:
    if settings.TRADELOG_MAX_FILE_MB < 1:
        yield Error(
            "TRADELOG_MAX_FILE_MB is no whole number above 0; no file would be accepted.",
            hint="Give the largest file that may be imported, in megabytes, for example 1024.",
            id="tradelog.E004",
        )
    if settings.TRADELOG_MAX_BATCH_LINES < 1:
        yield Error(
            "TRADELOG_MAX_BATCH_LINES is no whole number above 0; no batch could be made.",
            hint="Give the most lines that a batch may have, for example 100000.",
            id="tradelog.E004",
        )


def worker_problems() -> Iterator[CheckMessage]:
    if settings.TRADELOG_WORKERS < 1:
        yield Error(
            "TRADELOG_WORKERS is no whole number above 0; nothing would be done in the background.",
            hint="Give the number of worker processes, for example 2.",
            id="tradelog.E005",
        )


def retry_problems() -> Iterator[CheckMessage]:
    queue = settings.Q_CLUSTER
    fetched_ahead = queue["queue_limit"] / queue["workers"] + 2
    if queue["retry"] <= fetched_ahead * queue["timeout"]:
        yield Error(
            f"The queue would run slow tasks twice: it gives a task up for lost after "
            f"{queue['retry']} s, but one may have to wait and run for longer.",
            hint="Set retry in Q_CLUSTER to more than (queue_limit / workers + 2) * timeout.",
            id="tradelog.E006",
        )


def acknowledgement_problems() -> Iterator[CheckMessage]:
    if not settings.Q_CLUSTER.get("ack_failures") or settings.Q_CLUSTER.get("max_attempts") != 1:
        yield Error(
            "The queue would run failed tasks again by itself; tradelog does that, with a limit.",
            hint="Set ack_failures to True and max_attempts to 1 in Q_CLUSTER.",
            id="tradelog.E007",
        )


def guard_problems() -> Iterator[CheckMessage]:
    if settings.Q_CLUSTER.get("guard_cycle") not in (0.5, 1):
        yield Error(
            "The queue would never end a task that hangs: its countdown has to meet 0 exactly.",
            hint="Set guard_cycle in Q_CLUSTER to 0.5 or 1.",
            id="tradelog.E008",
        )


def api_problems() -> Iterator[CheckMessage]:
    numbers = ("API_PER_MINUTE", "WRONG_TOKENS_PER_MINUTE", "TOKEN_DAYS")
    for name in (f"TRADELOG_{number}" for number in numbers):
        if getattr(settings, name) < 1:
            yield Error(
                f"{name} is no whole number above 0; programs could not log in.",
                hint="Give a whole number, or remove the setting for its default.",
                id="tradelog.E009",
            )


def metrics_problems() -> Iterator[CheckMessage]:
    if 0 < len(settings.TRADELOG_METRICS_TOKEN) < SHORTEST_TOKEN:
        yield Error(
            f"TRADELOG_METRICS_TOKEN is shorter than {SHORTEST_TOKEN} characters; it could be "
            "guessed.",
            hint="Set a long random one, or leave it empty and scrape with a user's password.",
            id="tradelog.E016",
        )


def log_problems() -> Iterator[CheckMessage]:
    if settings.TRADELOG_LOG_FORMAT not in ("text", "json"):
        yield Error(
            f"TRADELOG_LOG_FORMAT is '{settings.TRADELOG_LOG_FORMAT}', neither text nor json.",
            hint="Set it to json for a program that collects the log, else leave it out.",
            id="tradelog.E017",
        )


def source_address_problems() -> Iterator[CheckMessage]:
    for name in settings.TRADELOG_SOURCES:
        if problem := address_problem(name):
            yield Error(
                f"TRADELOG_{name}_URL {problem}.",
                hint="Give the address of a database and its query, or the path of a .csv or "
                ".json file; docs/sources.md has examples.",
                id="tradelog.E010",
            )


def source_mapping_problems() -> Iterator[CheckMessage]:
    for name in settings.TRADELOG_SOURCES:
        try:
            columns_configured(name)
        except SourceError as problem:
            yield Error(
                f"TRADELOG_{name}_COLUMNS cannot be used. {problem}",
                hint="Give field=column, parted by commas, for example order_id=OrderID.",
                id="tradelog.E011",
            )


def source_zone_problems() -> Iterator[CheckMessage]:
    for name, wishes in settings.TRADELOG_SOURCES.items():
        if wishes["TIMEZONE"] not in zoneinfo.available_timezones():
            yield Error(
                f"TRADELOG_{name}_TIMEZONE is '{wishes['TIMEZONE']}', which is no time zone.",
                hint="Use an IANA name like America/Chicago or Europe/Berlin.",
                id="tradelog.E012",
            )


def age_problems() -> Iterator[CheckMessage]:
    for name in AGES:
        days = getattr(settings, name)
        if days is None or days > MOST_DAYS:
            yield Error(
                f"{name} is no whole number from 0 to {MOST_DAYS}.",
                hint="Give the days, or 0 for never.",
                id="tradelog.E015",
            )


def notify_address_problems() -> Iterator[CheckMessage]:
    for number in misunderstood():
        yield Error(
            f"Apprise does not understand address {number} of TRADELOG_NOTIFY_URLS.",
            hint="Give addresses of Apprise, parted by blanks; what is special in a password or "
            "token must be quoted, as %40 for @. manage.py send_test_notice tries them.",
            id="tradelog.E013",
        )


def notify_level_problems() -> Iterator[CheckMessage]:
    if settings.TRADELOG_NOTIFY_LEVEL not in Level.values:
        yield Error(
            f"TRADELOG_NOTIFY_LEVEL is '{settings.TRADELOG_NOTIFY_LEVEL}'.",
            hint="Give info, warning or error: the least that is sent.",
            id="tradelog.E014",
        )


def secret_key_problems() -> Iterator[CheckMessage]:
    if len(settings.SECRET_KEY) < 32:
        yield Warning(
            "SECRET_KEY is shorter than 32 characters; sessions could be forged.",
            hint="Leave SECRET_KEY empty (one is made and kept) or set a long random one.",
            id="tradelog.W001",
        )


def debug_problems() -> Iterator[CheckMessage]:
    if settings.DEBUG and not set(settings.ALLOWED_HOSTS) <= LOCAL_HOSTS:
        yield Warning(
            "DEBUG is on although other hosts are served; error pages would show settings.",
            hint="Set DEBUG=0, or ALLOWED_HOSTS to localhost only.",
            id="tradelog.W002",
        )


def host_problems() -> Iterator[CheckMessage]:
    if "*" in settings.ALLOWED_HOSTS:
        yield Warning(
            "ALLOWED_HOSTS contains '*': any name that points here is served.",
            hint="List the names by which this server is reached.",
            id="tradelog.W003",
        )


def https_problems() -> Iterator[CheckMessage]:
    if not settings.HTTPS and not set(settings.ALLOWED_HOSTS) <= LOCAL_HOSTS:
        yield Warning(
            "Other hosts are served without HTTPS: passwords and cookies can be read on the way.",
            hint="Put a web server with TLS in front and set TRADELOG_HTTPS=1.",
            id="tradelog.W004",
        )


def reach_problems() -> Iterator[CheckMessage]:
    if set(settings.ALLOWED_HOSTS) <= LOCAL_HOSTS:
        yield Warning(
            "ALLOWED_HOSTS names this machine alone: nobody else can reach this server.",
            hint="List the names by which browsers reach it, as ALLOWED_HOSTS=desk.example.",
            id="tradelog.W006",
        )


CHECKS: tuple[Callable[[], Iterator[CheckMessage]], ...] = (
    data_dir_problems,
    zone_problems,
    database_problems,
    file_limit_problems,
    worker_problems,
    retry_problems,
    acknowledgement_problems,
    guard_problems,
    api_problems,
    metrics_problems,
    log_problems,
    source_address_problems,
    source_mapping_problems,
    source_zone_problems,
    age_problems,
    notify_address_problems,
    notify_level_problems,
    secret_key_problems,
    debug_problems,
    host_problems,
    https_problems,
    *securitychecks.CHECKS,
)


def register_all() -> None:
    register(every_problem, Tags.security)
    register(every_problem_of_a_desk, Tags.security, deploy=True)


def every_problem(**_: object) -> list[CheckMessage]:
    return [problem for check in CHECKS for problem in check()]


def every_problem_of_a_desk(**_: object) -> list[CheckMessage]:
    """What matters where others are to come, but not on one's own machine."""
    return list(reach_problems())
