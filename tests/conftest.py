"""What the tests share: files to import, and the people who use the log."""

import io
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker
from servestatic.middleware import ServeStaticMiddleware

from imports.background import import_slice, rollback_slice
from imports.models import ImportExecutionLog
from imports.running import run_import
from imports.states import Status
from imports.storing import Wishes, receive
from tests.emptying import Emptying, wait_for_no_disk
from tests.processes import end_the_rest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
BROWSER = Path(__file__).resolve().parent / "browser"
ZONE = "America/Los_Angeles"

HEADER = (
    "Instrument,Action,Quantity,Price,Time,ID,E/X,Position,Order ID,Name,"
    "Commission,Rate,Account,Connection,"
)

TakeIn = Callable[..., ImportExecutionLog]


def fill(**cells: str) -> str:
    """A line below HEADER: one fill of MNQ, but for the cells given by their heading."""
    usual = {
        "Instrument": "MNQ 03-26",
        "Action": "Buy",
        "Quantity": "1",
        "Price": "21350.50",
        "Time": "1/5/2026 6:35:03 AM",
        "ID": "exec-1",
        "Commission": "$0.52",
        "Rate": "1",
        "Account": "Sim101",
    } | cells
    return ",".join(usual.get(heading, "") for heading in HEADER.split(","))


def file_of(*lines: str) -> str:
    """The text of a file with HEADER and these lines."""
    return "\r\n".join([HEADER, *lines, ""])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=3, help="how often workers are killed")
    parser.addoption("--examples", type=int, default=8, help="requests to each door of the API")
    parser.addoption("--with-database", action="store_true", help="only what needs the database")


# The same examples each time, however long they take; --hypothesis-profile=default tries others.
hypothesis.settings.load_profile("ci")


def pytest_configure() -> None:
    """A script that runs us in the background has Ctrl-C ignored, also by what the tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What needs no database is tried once, not with each of them."""
    if config.getoption("with_database"):
        config.hook.pytest_deselected(items=[one for one in items if not needs_database(one)])
        items[:] = filter(needs_database, items)


def needs_database(item: pytest.Item) -> bool:
    """By its mark, or by what it asks for, also through others. A browser sees none of it."""
    if BROWSER in item.path.parents:
        return False
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(item.get_closest_marker("django_db") or fixtures & {"db", "transactional_db"})


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """It is no failure that none of the tests asked for needs a database."""
    no_tests = exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED
    if no_tests and session.config.getoption("with_database"):
        session.exitstatus = pytest.ExitCode.OK


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "round_of_kills" in metafunc.fixturenames:
        kills = metafunc.config.getoption("kills")
        metafunc.parametrize("round_of_kills", range(-(-kills // 3)))  # three in each


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A test that commits leaves nothing behind; tests/emptying.py says how."""
    with django_db_blocker.unblock():
        wait_for_no_disk()
        emptying = Emptying()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: emptying.put_back())
        yield


@pytest.fixture(scope="session", autouse=True)
def static_files_found_once() -> Iterator[None]:
    """Every test's client would look for the hundreds of them, and find the same."""
    found: dict[str, object] = {}
    find = ServeStaticMiddleware.add_files_from_finders

    def find_once(middleware: ServeStaticMiddleware) -> None:
        if not found:
            find(middleware)
            found.update(middleware.files)
        middleware.files = found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ServeStaticMiddleware, "add_files_from_finders", find_once)
        yield


@pytest.fixture
def one_connection() -> Iterator[None]:
    """The requests share the transaction of the test, as those of Django's own client do."""
    for one in (request_started, request_finished):
        one.disconnect(close_old_connections)
    yield
    for one in (request_started, request_finished):
        one.connect(close_old_connections)


@pytest.fixture(autouse=True)
def own_store(settings: object, tmp_path: Path) -> None:
    """Each test keeps its received files in a folder of its own."""
    settings.FILES_DIR = tmp_path / "files"


@pytest.fixture(autouse=True)
def quick_passwords(settings: object) -> None:
    """A hash that takes its time is for real passwords."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """Requests and failed logins of other tests do not count."""
    cache.clear()


@pytest.fixture
def no_process_left() -> Iterator[None]:
    """End what a failed test has left running, or stopped with locks in its hands."""
    yield
    end_the_rest()


@pytest.fixture
def take_in(db: None) -> TakeIn:
    """Import the text or the bytes of a file and return its import."""

    def run(content: str | bytes, name: str = "fills.csv", **wishes: str) -> ImportExecutionLog:
        content = content.encode() if isinstance(content, str) else content
        wishes.setdefault("timezone", ZONE)
        return run_import(receive(io.BytesIO(content), name, Wishes(**wishes)).pk)

    return run


def work_off() -> None:
    """Do what a worker would do with all that waits, in this process and without job logs."""
    for log in ImportExecutionLog.objects.due().order_by("pk"):
        slice_of = rollback_slice if log.status == Status.ROLLING_BACK else import_slice
        slice_of(log.pk)


def person(name: str, *permissions: str) -> User:
    """A member of the staff with these permissions, by codename."""
    user = User.objects.create_user(name, password="a long enough password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


SEES = [
    "view_batch",
    "view_batchtrade",
    "view_batchtemplate",
    "view_joblog",
    "view_notice",
    "view_importexecutionlog",
    "view_importrowlog",
    "view_importedexecution",
    "view_openorder",
    "view_openordersnapshot",
    "view_trade",
    "view_account",
    "view_instrument",
    "view_position",
    "view_integrityissue",
]


@pytest.fixture
def vera(db: None) -> User:
    """Vera may look and nothing else."""
    return person("vera", *SEES)


@pytest.fixture
def olga(db: None) -> User:
    """Olga, an operator, also uploads, retries, cancels, runs and syncs."""
    operates = ["add_importexecutionlog", "retry_import", "cancel_import", "run_job"]
    operates += ["sync_open_orders", "acknowledge_notice", "add_batch", "start_batch"]
    operates += ["cancel_batch", "retry_batch", "add_batchtemplate", "change_batchtemplate"]
    return person("olga", *SEES, *operates)


@pytest.fixture
def adam(db: None) -> User:
    """Adam, an administrator, may do everything."""
    return User.objects.create_superuser("adam", password="a long enough password")
