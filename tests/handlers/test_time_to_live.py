"""Time to live: ingest refuses a value that DynamoDB would ignore, and process does not."""

import json
import time
from typing import Any

import pytest

from ingest import handler
from local.events import ENVIRONMENT, record, request
from process import handler as process
from shared import orders, settings
from tests.support import child
from tests.support.fakes import FakeDynamoDB, FakeSqs
from tests.support.runtime import invoke

NOW = 1_800_000_000.75
OLDEST = 1_642_320_000  # five years of 365 days before NOW
LAST = 253_402_300_799  # in the year 9999
NOT_A_NUMBER = "must be a number of whole seconds since 1970, or be left out"
FRACTION = "must be whole seconds since 1970, without a fraction"
LATE = "is after the year 9999"
OLD = "is more than five years ago"


@pytest.fixture(autouse=True)
def _checked(sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ingest as with TTL_ATTRIBUTE set to "expires_at"."""
    for name in ("TABLE_KEYS", "ACCEPTED_AT_ATTRIBUTE"):
        monkeypatch.setenv(name, ENVIRONMENT[name])
    monkeypatch.setenv("TTL_ATTRIBUTE", "expires_at")
    monkeypatch.setattr(handler, "SCHEMA", settings.schema_with_expiry())
    monkeypatch.setattr(time, "time", lambda: NOW)


def order(literal: str, order_id: str = "1") -> str:
    return f'{{"order_id":"{order_id}","item":"a","expires_at":{literal}}}'


def post(body: str) -> tuple[int, dict[str, Any]]:
    answer = invoke(handler.handle, request(body)).answer
    return answer["statusCode"], json.loads(answer["body"])


@pytest.mark.parametrize(
    "literal",
    [
        *("1900000000", "1800000000", "1900000000.000", "1.9e9", "190E7", "19000000000e-1"),
        *(f"{OLDEST}", f"{OLDEST}.0", f"{LAST}", "253402300799000E-3"),
    ],
)
def test_an_expiry_that_dynamodb_uses_is_accepted(sqs: FakeSqs, literal: str) -> None:
    assert post(order(literal))[0] == 202
    assert sqs.sent[0]["MessageBody"] == order(literal)


@pytest.mark.parametrize(
    ("literal", "fault"),
    [
        *((literal, NOT_A_NUMBER) for literal in ('"1900000000"', "true", "false", "null")),
        *((literal, NOT_A_NUMBER) for literal in ("[1900000000]", '{"N":"1900000000"}', '""')),
        *((literal, FRACTION) for literal in ("1900000000.5", "0.1", "1E-130", "-1.5", "19e-1")),
        *((literal, OLD) for literal in (f"{OLDEST - 1}", "0", "-0", "0E99", "-1", "1900000")),
        *((literal, OLD) for literal in ("-1900000000", "-1E13", "-1E125")),
        *((literal, LATE) for literal in (f"{LAST + 1}", "1900000000000", "1E12")),
        *((literal, LATE) for literal in ("1E125", "9" * 38)),
    ],
)
def test_an_expiry_that_dynamodb_ignores_is_refused(sqs: FakeSqs, literal: str, fault: str) -> None:
    status, problem = post(order(literal))

    assert (status, problem["type"]) == (400, "urn:async-ingest:problem:invalid-order")
    (error,) = problem["errors"]
    assert (error["order"], error["attribute"]) == (0, "expires_at")
    assert error["detail"].startswith(fault)
    assert f'order 0: "expires_at" {error["detail"]}' in problem["detail"]
    assert sqs.sent == []


@pytest.mark.parametrize("literal", ["123456", '"123456789"', "1234567.25", "98765432109876"])
def test_a_refusal_shows_no_value(literal: str) -> None:
    status, problem = post(order(literal))

    assert status == 400
    assert literal.strip('"') not in json.dumps(problem)


@pytest.mark.parametrize(
    "literal", ["1E999999999", "-1E999999999", "9" * 100_000, "1" + "0" * 9999]
)
def test_a_huge_number_is_refused_quickly(literal: str) -> None:
    """Converting it to an integer would be slow. That DynamoDB cannot store it is another fault."""
    status, problem = post(order(literal))

    assert status == 400
    details = [error["detail"] for error in problem["errors"]]
    assert details[0].startswith("has a number")
    assert details[1].startswith(OLD if literal.startswith("-") else LATE)


@pytest.mark.parametrize(
    "body",
    [
        '{"order_id":"1","item":"a"}',
        '{"order_id":"1","item":"a","Expires_at":"never","note":{"expires_at":"never"}}',
    ],
    ids=["absent", "elsewhere"],
)
def test_an_order_without_expiry_is_accepted(body: str) -> None:
    assert post(body)[0] == 202


def test_every_order_of_an_array_gets_its_fault(sqs: FakeSqs) -> None:
    literals = ["1900000000", "true", "1900000000000", "1.5", "1", "1900000001", '"x"']
    several = [order(literal, str(number)) for number, literal in enumerate(literals)]
    without_key = '{"item":"a","expires_at":1.5}'

    status, problem = post(f"[{','.join([*several, without_key])}]")

    assert status == 400
    found = [
        (error["order"], error["attribute"], error["detail"].split(":")[0])
        for error in problem["errors"]
    ]
    assert found == [
        (1, "expires_at", NOT_A_NUMBER),
        (2, "expires_at", LATE),
        (3, "expires_at", FRACTION),
        (4, "expires_at", "is more than five years ago, so the item would stay"),
        (6, "expires_at", NOT_A_NUMBER),
        (7, "order_id", "is missing"),
        (7, "expires_at", FRACTION),
    ]
    assert sqs.sent == []


def test_expiry_faults_count_towards_the_maximum() -> None:
    many = [order("true", str(number)) for number in range(orders.MAX_FAULTS + 5)]

    _, problem = post(f"[{','.join(many)}]")

    assert [error["order"] for error in problem["errors"]] == [*range(orders.MAX_FAULTS)]


def test_process_stores_any_expiry(sqs: FakeSqs, dynamodb: FakeDynamoDB) -> None:
    answer = invoke(process.handle, {"Records": [record(order('"never"'))]}).answer

    assert answer == {"batchItemFailures": []}
    assert sqs.sent == []
    assert dynamodb.table["1", "a"]["expires_at"] == {"S": "never"}


# The setting


@pytest.mark.parametrize("environment", [{}, {"TTL_ATTRIBUTE": ""}], ids=["absent", "empty"])
@pytest.mark.parametrize("attribute", ["expires_at", ""])
def test_without_the_setting_nothing_is_checked(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], attribute: str
) -> None:
    monkeypatch.delenv("TTL_ATTRIBUTE")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    schema = settings.schema_with_expiry()

    assert schema == settings.schema()
    if attribute:
        assert orders.read(order('"never"'), schema).orders
    else:  # a fault of the name only
        with pytest.raises(orders.InvalidDocumentError) as error:
            orders.read('{"order_id":"1","item":"a","":"never"}', schema)
        assert len(error.value.faults) == 1


READ = "from {} import handler; print(ascii(handler.SCHEMA.expiry))"


@pytest.mark.parametrize("name", ["expires_at", "läuft ab"])
def test_ingest_reads_the_setting_and_process_does_not(name: str) -> None:
    ingest = child.run(READ.format("ingest"), TTL_ATTRIBUTE=name)
    process = child.run(READ.format("process"), TTL_ATTRIBUTE=name)

    assert ingest.stdout.strip() == ascii(name), ingest.stderr
    assert process.stdout.strip() == "None", process.stderr


def test_accepted_at_cannot_be_the_time_to_live() -> None:
    result = child.run("import ingest.handler", TTL_ATTRIBUTE="accepted_at")

    assert result.returncode != 0
    assert result.stderr.splitlines()[-1] == (
        "shared.settings.SettingsError: TTL_ATTRIBUTE must differ from ACCEPTED_AT_ATTRIBUTE, "
        "which is in microseconds. Got 'accepted_at'."
    )
