"""Fair queueing: which MessageGroupId the message of a request has, and that it keeps it."""

import hashlib
import json
import re
from typing import Any

import pytest

from ingest import fair_queue, handler
from local.engines import Engine, client
from local.events import record
from process import handler as process_handler
from shared.queues import Queue
from tests.support import child, engines
from tests.support.fakes import FakeSqs
from tests.support.ingest import ORDER, post
from tests.support.process import failures, process

pytestmark = pytest.mark.usefixtures("quick_calls")

# "SendMessage" (Amazon SQS API Reference).
GROUP_ID = re.compile(r"""[a-zA-Z0-9!"#$%&'()*+,./:;<=>?@\[\\\]^_`{|}~-]{1,128}""")
PUNCTUATION = """!"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"""


@pytest.fixture(autouse=True)
def _on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ingest as with FAIR_QUEUE_ATTRIBUTE set to "tenant"."""
    monkeypatch.setattr(handler, "FAIR_QUEUE_ATTRIBUTE", "tenant")
    monkeypatch.setattr(handler, "fair_queue", fair_queue, raising=False)


def group(sqs: FakeSqs, *tenants: str) -> str | None:
    """Sends an order for each tenant, as JSON or "" for none, in one request."""
    orders = [
        f'{{"order_id":"{n}","item":"a"{f",{chr(34)}tenant{chr(34)}:{tenant}" if tenant else ""}}}'
        for n, tenant in enumerate(tenants)
    ]
    del sqs.sent[:]
    status, _, _ = post(orders[0] if len(orders) == 1 else f"[{','.join(orders)}]")
    assert status == 202
    (message,) = sqs.sent
    found: str | None = message.get("MessageGroupId")
    assert found is None or GROUP_ID.fullmatch(found)
    return found


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("tenant", "expected"),
    [
        ('"acme"', "acme"),
        ('"42"', "42"),
        (json.dumps(PUNCTUATION), PUNCTUATION),
        (f'"{"x" * 128}"', "x" * 128),
        ("42", "42"),
        ("42.0", "42"),
        ("4.2E1", "42"),
        ("420E-1", "42"),
        ("4200", "4200"),
        ("-7", "-7"),
        ("1.5", "15E-1"),
        ("-0.0", "0"),
        ("9" * 38, "9" * 38),
        ("1E38", "1" + "0" * 38),
        ("1E39", "1E39"),
        ("1E-130", "1E-130"),
        ("true", "true"),
        ("false", "false"),
    ],
)
def test_a_value_that_fits_is_the_group(sqs: FakeSqs, tenant: str, expected: str) -> None:
    assert group(sqs, tenant) == expected


@pytest.mark.parametrize(
    "tenant",
    [
        "x" * 129,
        "two words",
        "é",
        "😀",
        "\t",
        "a\n",
        "\0",
        " ",
        "x" * 10_000,
        "ü" * 10_000,
        "x\x7f",
    ],
    ids=lambda text: ascii(text[:10]),
)
def test_a_value_that_does_not_fit_is_hashed(sqs: FakeSqs, tenant: str) -> None:
    assert group(sqs, json.dumps(tenant)) == hashed(tenant)


@pytest.mark.parametrize("tenant", ["", "null", '""', "[]", '["acme"]', "{}", '{"id":"acme"}'])
def test_what_names_no_tenant_has_no_group(sqs: FakeSqs, tenant: str) -> None:
    assert group(sqs, tenant) is None


@pytest.mark.parametrize(
    ("tenants", "expected"),
    [
        (['"acme"', '"acme"'], "acme"),
        (["42", "42.0", '"42"'], "42"),
        (['"two words"', '"two words"'], hashed("two words")),
        (['"acme"', '"other"'], None),
        (['"acme"', ""], None),
        (["", '"acme"'], None),
        (["", "null"], None),
        (["1", "true"], None),
    ],
    ids=str,
)
def test_an_array_has_a_group_if_all_of_it_is_of_one_tenant(
    sqs: FakeSqs, tenants: list[str], expected: str | None
) -> None:
    assert group(sqs, *tenants) == expected


def test_the_order_and_its_answer_stay_as_they_are(sqs: FakeSqs) -> None:
    order = '{"order_id":"1","item":"a","tenant":"two words"}'

    status, content, _ = post(order)

    assert (status, content["orders"]) == (202, 1)
    assert sqs.sent[0]["MessageBody"] == order
    assert set(sqs.sent[0]["MessageAttributes"]) == {"accepted_at", "request_id"}


def test_nothing_of_the_tenant_is_logged(
    sqs: FakeSqs, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    group(sqs, '"acme"')

    logged = [str(vars(line)) for line in caplog.records]
    assert "acme" not in "".join([*logged, *capsys.readouterr()])


def test_without_the_attribute_there_is_no_group(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "FAIR_QUEUE_ATTRIBUTE", None)

    assert group(sqs, '"acme"') is None


READ = """
import sys
from ingest import handler
print(handler.FAIR_QUEUE_ATTRIBUTE, "ingest.fair_queue" in sys.modules)
"""


@pytest.mark.parametrize(
    ("environment", "printed"),
    [
        ({}, "None False"),
        ({"FAIR_QUEUE_ATTRIBUTE": ""}, "None False"),
        ({"FAIR_QUEUE_ATTRIBUTE": "tenant"}, "tenant True"),
    ],
    ids=["absent", "empty", "set"],
)
def test_it_is_imported_only_if_it_is_on(environment: dict[str, str], printed: str) -> None:
    assert child.run(READ, **environment).stdout.strip() == printed


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("implementation", ["builtin", "botocore"])
@pytest.mark.parametrize("tenant", [PUNCTUATION, "x" * 128, "x" * 10_000, "é"], ids=range(4))
def test_a_real_queue_takes_the_group_to_the_dead_letter_queue(
    emulator: Engine, implementation: str, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the request to the event, and from there to the dead letter."""
    sqs = client(emulator.endpoint_url, "sqs")
    urls = [
        sqs.create_queue(QueueName=f"{name}-{implementation}")["QueueUrl"]
        for name in ("fair", "fair-dead-letter")
    ]
    functions_client = engines.functions_client(emulator, "sqs", implementation)
    for one, name, url in zip(
        (handler, process_handler), ("QUEUE", "DEAD_LETTER_QUEUE"), urls, strict=True
    ):
        monkeypatch.setattr(one, name, Queue(functions_client, url))

    def received(url: str) -> Any:
        (message,) = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return message["Attributes"]

    assert post(ORDER.replace("}", f',"tenant":{json.dumps(tenant)}}}'))[0] == 202
    attributes = received(urls[0])
    assert attributes["MessageGroupId"] == (
        tenant if len(tenant) == 128 or tenant == PUNCTUATION else hashed(tenant)
    )

    assert failures(process(record("no JSON", attributes=attributes))) == []
    assert received(urls[1])["MessageGroupId"] == attributes["MessageGroupId"]
