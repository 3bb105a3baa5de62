"""The API against its own document: nothing breaks, and no answer is one it does not tell of.

bin/test tests/test_api_schema.py --examples 500
"""

import re
from pathlib import Path

import hypothesis
import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, seed
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from batches.models import Batch, BatchTemplate
from batches.staging import stage_json
from imports.models import ImportExecutionLog
from joblogs.models import JobLog, JobLogDetail
from joblogs.queueing import ring
from joblogs.schedules import place_schedules
from joblogs.states import Trigger
from tests.apis import basic
from tests.conftest import TakeIn, file_of, fill
from trades.models import IntegrityIssue, Position, Trade

ROOT = Path(__file__).resolve().parent.parent
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
DOCUMENT = SchemaGenerator().get_schema(public=True)
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
USERS = st.sampled_from(["adam", "olga", "vera"])  # who may everything, and less
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]


def test_every_call_is_explained() -> None:
    told = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    names = {"{id}": "ID", "{name}": "NAME"}
    called = [re.sub("{id}|{name}", lambda one: names[one[0]], one) for one in DOCUMENT["paths"]]
    assert [
        address for address in called if f"{address}`" not in told and address + "?" not in told
    ] == []


def test_every_code_is_explained() -> None:
    told = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    sources = [
        ROOT / "web" / "api.py",
        *(ROOT / "imports").glob("api*.py"),
        *(ROOT / "batches").glob("api*.py"),
        *(ROOT / "orders").glob("api*.py"),
        *(ROOT / "joblogs").glob("api*.py"),
        *(ROOT / "trades").glob("api*.py"),
        ROOT / "tradelog" / "tokens.py",
    ]
    codes = {
        code for path in sources for code in re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', path.read_text())
    }
    assert len(codes) > 15
    assert [code for code in sorted(codes) if f"`{code}`" not in told] == []


def test_the_document_is_whole() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")


def test_the_document_is_served(client: Client, vera: object) -> None:
    client.force_login(vera)
    assert client.get(reverse("api-schema")).json()["paths"].keys() == DOCUMENT["paths"].keys()


# By the beginning of an address: what stands there with an {id}, and under which names.
KNOWN: dict[str, tuple[type[Model], list[str]]] = {
    "/api/job-logs/": (JobLog, ["pk", "name"]),
    "/api/batch-templates/": (BatchTemplate, ["pk"]),
    "/api/batches/": (Batch, ["pk", "batch_uid"]),
    "/api/trades/": (Trade, ["pk"]),
    "/api/positions/": (Position, ["pk"]),
    "/api/issues/": (IntegrityIssue, ["pk"]),
    "": (ImportExecutionLog, ["pk", "import_batch_id"]),
}


def known_ids(address: str) -> list[str]:
    model, names = next(found for start, found in KNOWN.items() if address.startswith(start))
    return [str(value) for row in model.objects.values_list(*names) for value in row]


def one_of_each(take_in: TakeIn) -> None:
    """Something to find for every address."""
    job = ring("import", trigger=Trigger.MANUAL)
    place_schedules()
    JobLogDetail.objects.create(job_log=job, message="line")
    # The position that the broker states is another, which is an issue.
    take_in(file_of(fill(Position="7 L"), fill(ID="b", Quantity="abc")))
    take_in(file_of(fill(Position="7 L")))
    stage_json([{"account": "Sim101", "instrument": "AAPL", "side": "buy"}, {}])
    BatchTemplate.objects.create(name="Monday")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume async")
def test_no_answer_is_a_surprise(
    operation: object,
    one_connection: None,
    take_in: TakeIn,
    adam: object,
    olga: object,
    vera: object,
    request: pytest.FixtureRequest,
    settings: object,
) -> None:
    one_of_each(take_in)
    settings.TRADELOG_API_PER_MINUTE = 10**6
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    schema.app = WSGIHandler()
    ids = st.sampled_from(known_ids(operation.path))

    @seed(1)
    @hypothesis.settings(
        max_examples=request.config.getoption("examples"),
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), known=st.none() | ids, user=USERS)
    def ask(case: Case, known: str | None, user: str) -> None:
        if known and "id" in (case.path_parameters or {}):
            case.path_parameters["id"] = known
        if known and "name" in (case.path_parameters or {}):
            case.path_parameters["name"] = "scan_inbox"
        headers = {"Authorization": basic(user), "Accept": "application/json"}
        response = case.call(app=schema.app, base_url="http://localhost", headers=headers)
        case.validate_response(response, checks=CHECKS)

    ask()
