"""Every address with what nobody should type into it: an answer, never a breakdown.

bin/test tests/test_hostile_addresses.py --examples 100000 tries all there is.
"""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from batches.models import BatchTemplate
from batches.staging import stage_json
from joblogs.models import JobLogDetail
from joblogs.queueing import ring
from joblogs.schedules import place_schedules
from joblogs.states import Trigger
from tests.conftest import TakeIn, file_of, fill
from tests.hostile import PART, RAW, TEXTS, addresses, asked_by, some

SERVER_ERROR = 500


@pytest.fixture
def asked(take_in: TakeIn, adam: User, settings: object) -> Client:
    """A client of who may everything, in a log that has one of each."""
    settings.TRADELOG_API_PER_MINUTE = 10**6
    JobLogDetail.objects.create(job_log=ring("import", trigger=Trigger.MANUAL), message="line")
    place_schedules()
    take_in(file_of(fill(Position="7 L"), fill(ID="b", Quantity="abc")))
    stage_json([{"account": "Sim101", "instrument": "AAPL", "side": "buy"}, {}])
    BatchTemplate.objects.create(name="Monday")
    client = Client(raise_request_exception=False)
    client.force_login(adam)
    return client


def queries(address: str, names: list[str]) -> Iterator[str]:
    plain = PART.sub("1", address)
    texts = [*map(quote, TEXTS), *RAW]
    yield from (f"{plain}?{name}={text}" for name in names for text in texts)


def paths(address: str) -> Iterator[str]:
    for text in [*(quote(text, safe="") for text in TEXTS), *RAW]:
        if PART.search(address):
            yield PART.sub(text.replace("\\", r"\\"), address)


def test_no_address_breaks(asked: Client, pytestconfig: pytest.Config) -> None:
    few = pytestconfig.getoption("examples") // 4
    found = []
    for address, module in addresses():
        if "logout" not in address:
            tried = some(queries(address, asked_by(address, module)), few, address)
            tried += some(paths(address), few // 2, address)
            found += [one[:200] for one in tried if answered(asked, one) == SERVER_ERROR]
    assert not found, "\n".join(found)


def answered(client: Client, address: str) -> int:
    with transaction.atomic():
        response = client.get(address, headers={"HX-Request": "true"})
        if response.streaming:
            b"".join(response)
        transaction.set_rollback(True)
    return response.status_code


@pytest.mark.parametrize("name", ["groups", "groups__exact", "groups__gte"])
@pytest.mark.parametrize("number", [2**63, -(10**30)])
def test_a_number_larger_than_any_key(asked: Client, name: str, number: int) -> None:
    assert asked.get(f"/admin/auth/user/?{name}={number}").status_code in (200, 302, 400)
