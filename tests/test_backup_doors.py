"""The backup that a browser or a program is given, and the page that brings one back."""

import gzip
from http import HTTPStatus

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse

from imports import backuplines
from imports.models import ImportExecutionLog
from imports.states import Status
from tests.apis import asking, refused
from tests.conftest import EXAMPLES, TakeIn, file_of, fill, work_off
from tests.test_backup import counts, forget_all, sealed, state, trade
from tests.test_import_pages import member_of, text_of
from trades.models import Trade

CALL = "/import-backup"
PAGE, DOWNLOAD = reverse("import-backup"), reverse("import-backup-download")


def given(response: HttpResponseBase) -> bytes:
    content = b"".join(response)
    assert response.headers["Content-Disposition"].endswith('.jsonl.gz"')
    assert len(content) == int(response.headers["Content-Length"])
    return content


def restore(client: Client, content: bytes, name: str = "all.jsonl.gz") -> HttpResponseBase:
    return client.post(PAGE, {"file": SimpleUploadedFile(name, content)}, follow=True)


def test_what_the_page_gives_it_brings_back(client: Client, take_in: TakeIn, olga: User) -> None:
    take_in(file_of(fill(), fill(ID="exec-2")))
    client.force_login(olga)
    content, before = given(client.get(DOWNLOAD)), state()
    forget_all()
    page = restore(client, content)
    work_off()
    log = ImportExecutionLog.objects.get(import_type="backup")
    assert page.redirect_chain[-1][0] == log.get_absolute_url()
    assert (log.status, log.import_type, log.created_by) == (Status.SUCCESS, "backup", olga)
    assert state() == before


def test_a_program_is_given_a_backup(take_in: TakeIn, olga: User) -> None:
    take_in(file_of(fill()))
    content = given(asking(olga).get(CALL))
    assert counts(take_in(content, "all.jsonl.gz")) == (0, 2, 0)
    assert gzip.decompress(content).startswith(b'{"_metadata"')


def test_a_file_of_a_broker_is_no_backup(client: Client, olga: User) -> None:
    client.force_login(olga)
    restore(client, (EXAMPLES / "ninjatrader-us.csv").read_bytes(), "fills.csv")
    work_off()
    log = ImportExecutionLog.objects.get()
    assert (log.status, log.import_type) == (Status.FAILED, "backup")
    assert not Trade.objects.exists()


def test_nothing_chosen_is_told(client: Client, olga: User) -> None:
    client.force_login(olga)
    assert "This field is required." in text_of(client.post(PAGE))


def test_a_trade_that_fits_into_no_line_is_told(
    client: Client, take_in: TakeIn, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(file_of(fill()))
    monkeypatch.setattr(backuplines, "LONGEST", 200)
    refused(asking(olga).get(CALL), 409, "TRADE_TOO_LONG")
    client.force_login(olga)
    assert "fit into a line of a backup" in text_of(client.get(DOWNLOAD, follow=True))


@pytest.mark.django_db
def test_viewers_are_given_none(client: Client) -> None:
    client.force_login(member_of("viewer"))
    assert [client.get(PAGE).status_code, client.get(DOWNLOAD).status_code] == [403, 403]
    assert client.post(PAGE).status_code == HTTPStatus.FORBIDDEN


def test_who_may_not_see_trades_may_restore_only(client: Client, db: None) -> None:
    user = member_of("operator")
    user.groups.get().permissions.remove(
        *user.groups.get().permissions.filter(codename="view_trade")
    )
    client.force_login(user)
    assert "Download a backup" not in text_of(client.get(PAGE))
    assert client.get(DOWNLOAD).status_code == HTTPStatus.FORBIDDEN
    restore(client, sealed(trade(), trade=1), "one.jsonl")
    assert ImportExecutionLog.objects.count() == 1


def test_a_download_that_somebody_breaks_off_is_closed(client: Client, olga: User) -> None:
    client.force_login(olga)
    response = client.get(DOWNLOAD)
    parts = iter(response)
    assert next(parts)
    parts.close()
    assert response.opened().closed
