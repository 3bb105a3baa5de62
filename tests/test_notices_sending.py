"""How notices are sent on: once, to each receiver, and without a word of its address."""

import io
import logging
import socket
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from joblogs.masking import mask
from joblogs.models import JobLog, JobLogDetail, Notice
from joblogs.notices import tell
from joblogs.queueing import waiting
from joblogs.receivers import Answer, receivers, refusal
from joblogs.sending import MOST_ATTEMPTS, NOBODY_KNOWS, claim, send_notice, waiting_notices
from joblogs.states import Delivery, Level
from joblogs.tasks import answer
from tests.processes import begin, end, kill, start, wait_until
from tests.receiving import SECRET, receiving

pytestmark = pytest.mark.django_db

SENDER = """
import sys, django
django.setup()
from joblogs.sending import send_notice
print("ready", flush=True)
sys.stdin.readline()
print("notice" in send_notice(int(sys.argv[1])))
"""


@pytest.fixture
def nobody_there() -> str:
    """An address that refuses every connection."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    return f"json://user:{SECRET}@127.0.0.1:{port}/{SECRET}"


def a_minute_later(minutes: int = 6) -> None:
    Notice.objects.update(send_at=timezone.now() - timedelta(minutes=minutes))


def delivery() -> tuple[str, int]:
    notice = Notice.objects.get()
    return notice.delivery, notice.attempts


def test_without_receivers_it_is_only_kept() -> None:
    tell("x", "Done")
    assert delivery() == (Delivery.KEPT, 0)


def test_what_weighs_too_little_is_only_kept(settings: object) -> None:
    settings.TRADELOG_NOTIFY_URLS, settings.TRADELOG_NOTIFY_LEVEL = ["json://desk"], "warning"
    sent = [tell(level, "Done", level=level).delivery for level in Level]
    assert sent == [Delivery.KEPT, Delivery.WAITING, Delivery.WAITING]


@pytest.mark.django_db(transaction=True)
def test_a_receiver_gets_it(settings: object) -> None:
    with receiving() as desk:
        settings.TRADELOG_NOTIFY_URLS = [desk.address]
        settings.TRADELOG_PUBLIC_URL = "https://desk.example/"
        notice = tell("x", "Import failed: a.csv", "3 <b> of 4", Level.ERROR, "/import-logs/7/")
        answer(JobLog.objects.get(job="send_notice", subject_id=notice.pk).pk)
    assert [(one["title"], one["message"], one["type"]) for one in desk.got] == [
        (
            "Import failed: a.csv",
            "3 <b> of 4\n\nhttps://desk.example/import-logs/7/",
            "failure",
        )
    ]
    assert delivery() == (Delivery.SENT, 1)
    assert Notice.objects.get().sent_at


def test_a_bell_that_rings_twice_sends_nothing_more(settings: object) -> None:
    with receiving() as desk:
        settings.TRADELOG_NOTIFY_URLS = [desk.address]
        notice = tell("x", "Done")
        assert send_notice(notice.pk) == {"notice": notice.pk, "reached": 1, "refused": 0}
        assert send_notice(notice.pk) == {"left": True}
    assert len(desk.got) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_process_left")
def test_of_processes_that_send_at_once_one_does(settings: object) -> None:
    with receiving() as desk:
        settings.TRADELOG_NOTIFY_URLS = [desk.address]
        notice = tell("x", "Done")
        more = {"TRADELOG_NOTIFY_URLS": desk.address}
        racers = [start("-c", SENDER, str(notice.pk), **more) for _ in range(2)]
        assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 2
        begin(*racers)
        ended = [end(racer) for racer in racers]
    assert [one.err for one in ended] == [""] * 2
    assert sorted(one.out for one in ended) == ["False\n", "True\n"]
    assert [one["title"] for one in desk.got] == ["Done"]
    assert delivery() == (Delivery.SENT, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_process_left")
def test_killed_while_it_sends_nobody_knows_and_it_is_not_sent_again(settings: object) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"json://127.0.0.1:{silent.getsockname()[1]}/?rto=60"
        settings.TRADELOG_NOTIFY_URLS = [address]
        notice = tell("x", "Done")
        sender = start("-c", SENDER, str(notice.pk), TRADELOG_NOTIFY_URLS=address)
        sender.stdout.readline()
        begin(sender)
        wait_until(Notice.objects.filter(delivery=Delivery.SENDING).exists, sender)
        kill(sender)
    assert waiting_notices() == []
    assert delivery() == (Delivery.UNKNOWN, 1)
    assert Notice.objects.get().error == NOBODY_KNOWS
    a_minute_later()
    assert waiting_notices() == []
    assert send_notice(notice.pk) == {"left": True}


def test_one_that_has_hung_for_long_is_given_up(settings: object) -> None:
    settings.TRADELOG_NOTIFY_URLS = ["json://desk"]
    claim(tell("x", "Done").pk)
    waiting_notices()
    assert delivery() == (Delivery.SENDING, 1)
    Notice.objects.update(claimed_at=timezone.now() - timedelta(minutes=11))
    waiting_notices()
    assert delivery() == (Delivery.UNKNOWN, 1)


# --- Refused


def test_a_refusal_is_tried_three_times_and_no_more(settings: object) -> None:
    with receiving(500) as desk:
        settings.TRADELOG_NOTIFY_URLS = [desk.address]
        notice = tell("x", "Done")
        for attempt in range(1, 6):
            send_notice(notice.pk)
            assert delivery()[1] == min(attempt, MOST_ATTEMPTS)
            assert send_notice(notice.pk) == {"left": True}  # not before its time
            a_minute_later()
    assert len(desk.got) == MOST_ATTEMPTS == 3
    assert delivery() == (Delivery.FAILED, 3)
    assert Notice.objects.get().error == "receiver 1 (JSON): it answered 500"


def test_a_later_attempt_may_succeed(settings: object) -> None:
    with receiving(503, 200) as desk:
        settings.TRADELOG_NOTIFY_URLS = [desk.address]
        notice = tell("x", "Done")
        send_notice(notice.pk)
        JobLog.objects.all().delete()
        assert list(waiting()) == []
        a_minute_later()
        assert list(waiting()) == [("send_notice", notice.pk)]
        send_notice(notice.pk)
    assert delivery() == (Delivery.SENT, 2)
    assert Notice.objects.get().error == ""


def test_who_has_it_gets_it_no_second_time(settings: object, nobody_there: str) -> None:
    with receiving() as desk:
        settings.TRADELOG_NOTIFY_URLS = [desk.address, nobody_there]
        notice = tell("x", "Done")
        for _ in range(3):
            send_notice(notice.pk)
            a_minute_later()
    assert len(desk.got) == 1
    assert delivery() == (Delivery.FAILED, 3)
    assert Notice.objects.get().error == "receiver 2 (JSON): the connection was refused"


def test_a_lost_answer_is_not_asked_for_again(settings: object) -> None:
    with receiving(0) as desk:
        settings.TRADELOG_NOTIFY_URLS = [desk.address]
        send_notice(tell("x", "Done").pk)
    assert len(desk.got) == 1
    assert delivery() == (Delivery.UNKNOWN, 1)


def test_receivers_that_are_gone_are_not_waited_for(settings: object) -> None:
    settings.TRADELOG_NOTIFY_URLS = ["json://desk"]
    notice = tell("x", "Done")
    settings.TRADELOG_NOTIFY_URLS = []
    send_notice(notice.pk)
    assert delivery() == (Delivery.KEPT, 0)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("Failed to send: Forbidden, error=403.", Answer(False, "it answered 403")),
        ("error=504.", Answer(False, "its answer was lost", is_certain=False)),
        ("Read timed out. (read timeout=4.0)", Answer(False, "its answer was lost", False)),
        ("Connection to x timed out. (connect timeout=4)", None),
        ("NameResolutionError: Failed to resolve 'x'", Answer(False, "its host is not found")),
        ("(535, b'bad credentials')", Answer(False, "the mail server refused it")),
        ("", Answer(False, "it did not take the message")),
    ],
)
def test_a_reason_is_one_of_a_few(said: str, answer: Answer | None) -> None:
    assert refusal(said) == (answer or Answer(False, "it cannot be reached in time"))


# --- Secrets


@pytest.mark.django_db(transaction=True)
def test_no_address_is_told(
    settings: object, nobody_there: str, caplog: pytest.LogCaptureFixture
) -> None:
    with receiving(401) as desk, caplog.at_level(logging.DEBUG, "joblogs"):
        settings.TRADELOG_NOTIFY_URLS = [desk.address, nobody_there, f"nonsense://{SECRET}"]
        notice = tell("x", "Done")
        answer(JobLog.objects.get(subject_id=notice.pk).pk)
        assert len(receivers()) == 3
    lines = list(JobLogDetail.objects.values_list("message", flat=True))
    error = Notice.objects.get().error
    said = "\n".join([*lines, error, caplog.text, repr(receivers())])
    assert "receiver 3 (not understood)" in error
    assert len(lines) == 3
    assert SECRET not in said
    assert "127.0.0.1" not in said


def test_an_address_is_masked_wherever_it_is_written_down(settings: object) -> None:
    settings.TRADELOG_NOTIFY_URLS = [
        "mailto://desk:hunter2@example.com?to=boss@example.com",
        f"tgram://123456789:ABC-{SECRET}/4711",
    ]
    text = f"to mailto://desk:hunter2@example.com?to=boss@example.com: hunter2, ABC-{SECRET}"
    assert mask(text) == "to ***: ***, ***"
    assert mask("example.com and desk and 4711") == "example.com and desk and 4711"


# --- The command


def test_a_test_is_sent_and_not_kept(settings: object) -> None:
    out = io.StringIO()
    with receiving() as desk:
        settings.TRADELOG_NOTIFY_URLS = [desk.address]
        call_command("send_test_notice", stdout=out)
    assert out.getvalue() == "receiver 1 (JSON): sent\n"
    assert [one["title"] for one in desk.got] == ["A test of tradelog"]
    assert not Notice.objects.exists()


def test_a_test_says_what_is_wrong(settings: object, nobody_there: str) -> None:
    out = io.StringIO()
    with pytest.raises(CommandError, match="names no receiver"):
        call_command("send_test_notice")
    settings.TRADELOG_NOTIFY_URLS = [nobody_there]
    with pytest.raises(CommandError, match="1 of 1 did not take it"):
        call_command("send_test_notice", stdout=out)
    assert out.getvalue() == "receiver 1 (JSON): the connection was refused\n"
