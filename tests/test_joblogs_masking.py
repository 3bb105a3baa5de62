"""Secrets do not get into job logs."""

import time

import pytest

from joblogs.masking import mask, names_a_secret


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://desk:hunter2@db:5432/x", "postgresql://desk:***@db:5432/x"),
        ("mssql+pymssql://desk:p@ss/w:rd@db/x", "mssql+pymssql://desk:***@db/x"),
        ("redis://:hunter2@cache/0 is away", "redis://:***@cache/0 is away"),
        ("password=hunter2 and more", "password=*** and more"),
        ("Password: hunter2", "Password: ***"),
        ("host=db PWD=hunter2;DATABASE=x", "host=db PWD=***;DATABASE=x"),
        ("/hook?token=abc&page=2", "/hook?token=***&page=2"),
        ("{'api_key': 'a b', 'rows': 3}", "{'api_key': ***, 'rows': 3}"),
        ('{"access-key": "a b", "rows": 3}', '{"access-key": ***, "rows": 3}'),
        ("X-API-Key: abc", "X-API-Key: ***"),
        ("AWS_SECRET_ACCESS_KEY=abc/def+g", "AWS_SECRET_ACCESS_KEY=***"),
        ("Authorization: Basic YTpi, next", "Authorization: ***"),
        ("Authorization: Token abc\nHost: db", "Authorization: ***\nHost: db"),
        ("{'Authorization': 'Bearer abc', 'a': 1}", "{'Authorization': '***', 'a': 1}"),
        ("sent Bearer abcdefgh.ijk to it", "sent Bearer *** to it"),
        ("token=" + "x" * 9_000 + " end", "token=*** end"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "Batch 1/4 imported (500 records)",
        "http://127.0.0.1:8000/admin/ answers",
        "line 7, Quantity: 'abc' is not a number",
        "mail to desk@example.com at 06:35:03",
        "",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask(text) == text


def test_the_secrets_of_the_installation_are_masked(
    settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SECRET_KEY = "the key of this house"
    settings.TRADELOG_ADMIN_PASSWORD = "open sesame"
    monkeypatch.setitem(settings.DATABASES["default"], "PASSWORD", "p/w&1")
    text = "the key of this house, open sesame, p/w&1, p%2Fw%261"
    assert mask(text) == "***, ***, ***, ***"


def test_a_secret_that_is_a_letter_is_not_looked_for(settings: object) -> None:
    settings.TRADELOG_ADMIN_PASSWORD = "a"
    assert mask("a bar") == "a bar"


@pytest.mark.parametrize("name", ["password", "DB_PASSWORD", "apiKey", "Authorization", "token"])
def test_a_name_of_a_secret_is_known(name: str) -> None:
    assert names_a_secret(name)


def test_a_counter_is_no_secret() -> None:
    assert not names_a_secret("rows_passed")


@pytest.mark.parametrize(
    "piece",
    ["a", "://", "://a:", "://:b@", "secret", "password ", "token=", "bearer ", "authorization: '"],
)
def test_no_text_takes_long(piece: str) -> None:
    """No fine measure: a pattern that goes astray would take minutes."""
    before = time.process_time()
    mask(piece * (20_000 // len(piece)))
    assert time.process_time() - before < 5
