"""Both clients against servers of others, which check signatures where they can."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from local import engines
from local.emulator import Emulator
from shared import aws
from shared.queues import Attributes, Queue
from tests.support import clients
from tests.support.engines import or_skip
from tests.support.policies import allowing, trust

pytestmark = pytest.mark.usefixtures("implementation")

STATEMENT = "INSERT INTO \"orders\" VALUE {'id':?,'note':?}"
ATTRIBUTES: Attributes = {
    "accepted_at": {"DataType": "Number", "StringValue": "1700000000000000"},
    "request_id": {"DataType": "String", "StringValue": "é ☃ \n"},
    "custom": {"DataType": "String.json", "StringValue": "{}"},
    "bytes": {"DataType": "Binary.x", "BinaryValue": "AAEC/w=="},
}


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Enforces IAM, and so checks signatures, and uses TLS."""
    with Emulator(tmp_path_factory.mktemp("emulator"), auth=True, tls=True) as running:
        yield running


@pytest.fixture(scope="session")
def dynamodb_local() -> Iterator[engines.Engine]:
    with or_skip(engines.dynamodb_local()) as engine:
        yield engine


@pytest.fixture(scope="session")
def elasticmq() -> Iterator[str]:
    with or_skip(engines.elasticmq()) as url:
        yield url


POLICY = allowing(["dynamodb:*", "secretsmanager:*", "sqs:*", "sts:AssumeRole"])


@pytest.fixture(scope="session")
def key(emulator: Emulator) -> dict[str, str]:
    """A user's key: the emulator does not check signatures of the root user."""
    iam = emulator.client("iam")
    iam.create_user(UserName="client")
    iam.put_user_policy(UserName="client", PolicyName="all", PolicyDocument=POLICY)
    created: dict[str, str] = iam.create_access_key(UserName="client")["AccessKey"]
    return created


@pytest.fixture
def signed(emulator: Emulator, key: dict[str, str], environment: pytest.MonkeyPatch) -> Emulator:
    """The emulator, called in a function's environment."""
    environment.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    environment.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    environment.setenv("AWS_CA_BUNDLE", str(emulator.ca_bundle))
    return emulator


@pytest.fixture(params=["emulator", "dynamodb-local"])
def table(request: pytest.FixtureRequest) -> tuple[aws.Client, engines.Engine]:
    """A client of the functions and one of the operator, for the same server."""
    if request.param == "emulator":
        running: Emulator = request.getfixturevalue("signed")
        engine = engines.Engine("emulator", running.client("dynamodb", region_name=clients.REGION))
        client = clients.client(running.endpoint_url)
    else:
        engine = request.getfixturevalue("dynamodb_local")
        patch: pytest.MonkeyPatch = request.getfixturevalue("environment")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        # It keeps tables by region and key, and takes any secret.
        engine = engines.Engine(
            engine.name,
            boto3.client(
                "dynamodb",
                region_name=clients.REGION,
                endpoint_url=engine.endpoint_url,
                aws_access_key_id="test",
                aws_secret_access_key="test",
            ),
        )
        client = clients.client(engine.endpoint_url)
    engine.create_table("orders", id="S")
    return client, engine


@pytest.fixture(params=["emulator", "elasticmq"])
def queue(request: pytest.FixtureRequest) -> Iterator[tuple[aws.Client, Any, str]]:
    """The same two clients, and the URL of an empty queue."""
    if request.param == "emulator":
        running: Emulator = request.getfixturevalue("signed")
        operator = running.client("sqs", region_name=clients.REGION)
        client = clients.client(running.endpoint_url, "sqs")
    else:
        url: str = request.getfixturevalue("elasticmq")
        operator = boto3.client("sqs", region_name=clients.REGION, endpoint_url=url)
        client = clients.client(url, "sqs")
    queue_url = operator.create_queue(QueueName="client")["QueueUrl"]
    yield client, operator, queue_url
    operator.delete_queue(QueueUrl=queue_url)


def put(key: str, condition: str = "NOT #id = :id") -> str:
    parameters = {
        "TableName": "orders",
        "Item": {"id": {"S": key}, "note": {"M": {"a": {"L": [{"N": "1.5"}, {"NULL": True}]}}}},
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#id": "id"},
        "ExpressionAttributeValues": {":id": {"S": key}},
    }
    return json.dumps(parameters)


def test_put_item_stores_or_fails_its_condition(table: tuple[aws.Client, engines.Engine]) -> None:
    client, engine = table
    client.call("PutItem", put("é ☃ \x7f"), clients.deadline())
    with pytest.raises(aws.CallError) as raised:
        client.call("PutItem", put("é ☃ \x7f"), clients.deadline())
    assert raised.value.code == "ConditionalCheckFailedException"
    assert raised.value.status == 400
    assert not raised.value.is_transient
    (item,) = engine.items("orders")
    assert item == json.loads(put("é ☃ \x7f"))["Item"]


def test_batch_execute_statement_answers_for_each(table: tuple[aws.Client, engines.Engine]) -> None:
    client, engine = table
    statements = [
        {"Statement": STATEMENT, "Parameters": [{"S": str(number)}, {"BOOL": True}]}
        for number in range(25)
    ]
    request = json.dumps({"Statements": statements})
    output = client.call("BatchExecuteStatement", request, clients.deadline())
    assert [answer.get("Error") for answer in output["Responses"]] == [None] * 25
    output = client.call("BatchExecuteStatement", request, clients.deadline())
    codes = {answer["Error"]["Code"] for answer in output["Responses"]}
    assert codes == {"DuplicateItem"}
    assert len(engine.items("orders")) == 25


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        (put("1").replace('"orders"', '"nothing"'), "ResourceNotFoundException"),
        (put("1").replace('"orders"', '"orders-elsewhere"'), "ResourceNotFoundException"),
        (put("1", condition="NOT"), "ValidationException"),
    ],
    ids=["no table", "no table of this name", "invalid condition"],
)
def test_an_invalid_put_item_is_refused(
    parameters: str, code: str, table: tuple[aws.Client, engines.Engine]
) -> None:
    client, _ = table
    with pytest.raises(aws.CallError) as raised:
        client.call("PutItem", parameters, clients.deadline())
    assert (raised.value.code, raised.value.is_transient) == (code, False)
    assert raised.value.request_id


@pytest.mark.parametrize("body", ["[]", 'é ☃ 😀 \t\r\n " \\ </>', "x" * 250_000], ids=len)
@pytest.mark.parametrize("attributes", [{}, ATTRIBUTES], ids=len)
def test_send_message_is_received_unchanged(
    body: str, attributes: Attributes, queue: tuple[aws.Client, Any, str]
) -> None:
    client, operator, url = queue
    message_id = Queue(client, url).send(body, attributes, None, clients.deadline())
    (message,) = operator.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert message["MessageId"] == message_id
    assert message["Body"] == body
    found = message.get("MessageAttributes", {})
    assert found.keys() == attributes.keys()
    for name, attribute in attributes.items():
        assert found[name]["DataType"] == attribute["DataType"]
        assert found[name].get("StringValue") == attribute.get("StringValue")
    if attributes:
        assert found["bytes"]["BinaryValue"] == b"\x00\x01\x02\xff"


def test_send_message_passes_the_trace_on(queue: tuple[aws.Client, Any, str]) -> None:
    client, operator, url = queue
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793"
    Queue(client, url).send("body", {}, trace, clients.deadline())
    (message,) = operator.receive_message(
        QueueUrl=url, MessageSystemAttributeNames=["AWSTraceHeader"]
    )["Messages"]
    assert message["Attributes"]["AWSTraceHeader"] == trace


def test_an_invalid_send_message_is_refused(queue: tuple[aws.Client, Any, str]) -> None:
    client, _, url = queue
    with pytest.raises(aws.CallError) as raised:
        Queue(client, f"{url}-of-another").send("body", {}, None, clients.deadline())
    assert raised.value.status == 400
    assert not raised.value.is_transient


REFUSED = {
    ("dynamodb", "AWS_ACCESS_KEY_ID"): "UnrecognizedClientException",
    ("dynamodb", "AWS_SECRET_ACCESS_KEY"): "InvalidSignatureException",
    ("dynamodb", "AWS_SESSION_TOKEN"): "UnrecognizedClientException",
    ("sqs", "AWS_ACCESS_KEY_ID"): "InvalidClientTokenId",
    ("sqs", "AWS_SECRET_ACCESS_KEY"): "SignatureDoesNotMatch",
    ("sqs", "AWS_SESSION_TOKEN"): "InvalidClientTokenId",
    ("secretsmanager", "AWS_ACCESS_KEY_ID"): "UnrecognizedClientException",
    ("secretsmanager", "AWS_SECRET_ACCESS_KEY"): "InvalidSignatureException",
    ("secretsmanager", "AWS_SESSION_TOKEN"): "UnrecognizedClientException",
}


def call(emulator: Emulator, service: str) -> None:
    """Makes a call that succeeds if its signature is right."""
    client = clients.client(emulator.endpoint_url, service)
    if service == "dynamodb":
        engine = engines.Engine("emulator", emulator.client(service, region_name=clients.REGION))
        engine.create_table("orders", id="S")
        client.call("PutItem", put("1"), clients.deadline())
    elif service == "secretsmanager":
        operator = emulator.client(service, region_name=clients.REGION)
        with contextlib.suppress(operator.exceptions.ResourceExistsException):
            operator.create_secret(Name="signed", SecretString="text")
        answer = client.call("GetSecretValue", '{"SecretId":"signed"}', clients.deadline())
        assert answer["SecretString"] == "text"
    else:
        operator = emulator.client(service, region_name=clients.REGION)
        url = operator.create_queue(QueueName="signed")["QueueUrl"]
        Queue(client, url).send("body", ATTRIBUTES, None, clients.deadline())


@pytest.mark.parametrize(("service", "name"), REFUSED)
def test_a_wrong_signature_is_refused(
    service: str, name: str, signed: Emulator, environment: pytest.MonkeyPatch
) -> None:
    """Otherwise the emulator would not check signatures, and the other tests prove nothing."""
    call(signed, service)
    environment.setenv(name, "another")
    with pytest.raises(aws.CallError) as raised:
        call(signed, service)
    assert raised.value.code == REFUSED[service, name]
    assert not raised.value.is_transient


@pytest.fixture(scope="session")
def session(emulator: Emulator, key: dict[str, str]) -> dict[str, str]:
    """A role's credentials, as functions have them: with a token, which is signed too."""
    user = emulator.client("sts").get_caller_identity()["Account"]
    trusted = trust(AWS=f"arn:aws:iam::{user}:root")
    iam = emulator.client("iam")
    role = iam.create_role(RoleName="client", AssumeRolePolicyDocument=trusted)["Role"]
    iam.put_role_policy(RoleName="client", PolicyName="all", PolicyDocument=POLICY)
    sts = emulator.client(
        "sts",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    assumed = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="client")
    credentials: dict[str, str] = assumed["Credentials"]
    return credentials


@pytest.mark.parametrize("service", ["sqs", "dynamodb", "secretsmanager"])
def test_a_session_is_signed_with_its_token(
    service: str,
    session: dict[str, str],
    signed: Emulator,
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("AWS_ACCESS_KEY_ID", session["AccessKeyId"])
    environment.setenv("AWS_SECRET_ACCESS_KEY", session["SecretAccessKey"])
    environment.setenv("AWS_SESSION_TOKEN", session["SessionToken"])
    call(signed, service)
    environment.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with pytest.raises(aws.CallError) as raised:
        call(signed, service)
    assert "Signature" in raised.value.code
