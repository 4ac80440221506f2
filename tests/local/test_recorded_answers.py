"""Compares the local stack with answers that others have recorded on AWS: recorded/*.toml.

A row is one call: what AWS answers, and the source. Most rows hold for the stack as well. Where it
answers differently, `here` is its answer: either just another text, or a difference, and then `why`
says why it is accepted. Such a row also fails if the stack starts to answer in a third way, or like
AWS. So run this to assess a new version of the emulator. The calls have the form of boto3's, except
for those in `Emulators.CALLS`.

Sources begin with a letter: L for LocalStack's tests validated on AWS, P for the suite
dynamodb-conformance of paritysuite (run on AWS in 2026), D for dynalite, S for the tests of
ScyllaDB's Alternator, M for moto's aws_verified tests, Q for an answer of AWS quoted in an issue,
DL for AWS's own DynamoDB Local (measured, not recorded), and doc for AWS's documentation.
"""

import functools
import itertools
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from string import Template
from typing import Any, ClassVar

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.emulator import Emulator
from tests.local.support import deploy, processed, queue_arn, trace_header
from tests.support.policies import allowing
from tests.support.stack import new_user
from tests.support.tables import create_table

Json = dict[str, Any]

LISTS = sorted((Path(__file__).parent / "recorded").glob("*.toml"))
SOURCE = re.compile(r"(L|P|D|S|M|Q|DL|doc)( \S|$|,)")
ITEM_BYTES = 409_600

# Sends each event to the queue `seen`. Returns the reply in its first message, if there is one.
WITNESS = """
import json
import boto3

sqs = boto3.client("sqs")
seen = sqs.get_queue_url(QueueName="seen")["QueueUrl"]


def handle(event, context):
    print("called")
    sqs.send_message(QueueUrl=seen, MessageBody=json.dumps(event))
    record = event["Records"][0]
    if record["body"] == "raise":
        raise ValueError("as told")
    if not record["body"].startswith("reply "):
        return None
    return json.loads(record["body"].removeprefix("reply ").replace("ID", record["messageId"]))
"""


class Case:
    """One row, with the settings that its group has for all rows."""

    def __init__(self, path: Path, group: Json, row: Json) -> None:
        shared = {name: value for name, value in group.items() if name != "rows"}
        both = shared | row
        self.id = f"{path.stem}: {row['name']}"
        self.call: str = both["call"]
        self.service: str = both.get("service", "sqs")
        self.arguments: Json = shared.get("arguments", {}) | row.get("arguments", {})
        self.before: list[Json] = both.get("before", [])
        self.queue: Json | None = both.get("queue")
        self.table: Json | None = both.get("table")
        self.mapping: Json = both.get("mapping", {})
        self.header: str = both.get("header", "")
        self.allowed: list[str] | None = both.get("allowed")
        self.enforced: bool = both.get("enforced", False) or self.allowed is not None
        self.aws: Json = both["aws"]
        self.here: Json | None = both.get("here")
        self.why: str = both.get("why", "")
        self.source: str = both["source"]


CASES = [
    Case(path, group, row)
    for path in LISTS
    for group in tomllib.loads(path.read_text())["groups"]
    for row in group["rows"]
]


def expand(value: Any, names: Json) -> Any:
    """Returns the value with `$name` replaced, `«text*count»` repeated, {DEEP = n} as n maps."""
    if isinstance(value, list):
        return [expand(part, names) for part in value]
    if isinstance(value, dict):
        if "DEEP" in value:
            leaf: Json = {"S": "leaf"}
            return functools.reduce(
                lambda inner, _: {"M": {"n": inner}}, range(value["DEEP"]), leaf
            )
        return {expand(key, names): expand(part, names) for key, part in value.items()}
    if not isinstance(value, str):
        return value
    text = Template(value).safe_substitute(names)
    return re.sub(r"«(.*?)\*(\d+)»", lambda found: found[1] * int(found[2]), text)


def difference(expected: Json, answer: Json) -> str | None:
    """Returns how an answer differs from the expected one, or None.

    `…` stands for any text, additional members are ignored, `has` and `lacks` are parts of the
    answer's JSON.
    """
    if answer.get("code") != expected.get("code"):
        return f"{answer} is not {expected}"
    if "text" in expected and not like(expected["text"], answer["text"]):
        return f"{answer['text']!r} is not {expected['text']!r}"
    written = json.dumps(answer.get("gives"), default=str)
    if expected.get("has", "") not in written:
        return f"{written} does not have {expected['has']}"
    if "lacks" in expected and expected["lacks"] in written:
        return f"{written} has {expected['lacks']}"
    if not contains(answer.get("gives"), expected.get("gives", {})):
        return f"{answer.get('gives')} does not contain {expected['gives']}"
    return None


def contains(found: Any, expected: Any) -> bool:
    if isinstance(expected, dict):
        return all(
            name in (found or {}) and contains(found[name], part) for name, part in expected.items()
        )
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(contains, found, expected))
    if isinstance(expected, str):
        return isinstance(found, str) and like(expected, found)
    return bool(found == expected)


def like(pattern: str, text: str) -> bool:
    return bool(re.fullmatch(".*".join(map(re.escape, pattern.split("…"))), text, re.DOTALL))


class Emulators:
    """Makes the calls, each on its own queue and table."""

    def __init__(self, emulators: dict[bool, Emulator]) -> None:
        self._emulators = emulators
        self._numbers = itertools.count()
        self._functions: dict[bool, str] = {}

    def answer(self, case: Case) -> tuple[Json, Json]:
        """Returns the answer to a row, and the names of the resources that it was made on."""
        emulator = self._emulators[case.enforced]
        number = next(self._numbers)
        names = {
            "name": f"row-{number}",
            "missing": queue_arn("missing"),
            "function": self._function(case.enforced),
        }
        sqs = emulator.client("sqs")
        if case.queue is not None:
            dead = sqs.create_queue(QueueName=f"{names['name']}-dead")["QueueUrl"]
            names |= {"dead": dead, "dead_arn": queue_arn(f"{names['name']}-dead")}
            attributes = expand(case.queue, names)
            queue = sqs.create_queue(QueueName=names["name"], Attributes=attributes)["QueueUrl"]
            names |= {"queue": queue, "queue_arn": queue_arn(names["name"])}
        if case.table is not None:
            create_table(emulator.client("dynamodb"), names["name"], case.table)

        for step in case.before:
            made = self._make(emulator, step | {"mapping": case.mapping}, names, {})
            assert "code" not in made, f"{step} has failed: {made}"
            self._remember(made["gives"], names)
        credentials = {}
        if case.allowed is not None:
            credentials = new_user(emulator, names["name"])
            policy = allowing(case.allowed or ["none:None"], "*")
            emulator.client("iam").put_user_policy(
                UserName=names["name"], PolicyName="policy", PolicyDocument=policy
            )
        step = {"call": case.call, "service": case.service, "arguments": case.arguments}
        step |= {"header": case.header, "mapping": case.mapping}
        return self._make(emulator, step, names, credentials), names

    def _make(self, emulator: Emulator, step: Json, names: Json, credentials: Json) -> Json:
        arguments = expand(step.get("arguments", {}), names)
        unchecked = Config(parameter_validation=False)  # the stack has to refuse, not boto3
        client = emulator.client(step.get("service", "sqs"), config=unchecked, **credentials)
        call = self.CALLS.get(step["call"])
        header = step.get("header")
        with trace_header(client, header) if header else nullcontext():
            try:
                if call:
                    gives = call(self, emulator, client, names, step.get("mapping", {}), arguments)
                else:
                    gives = getattr(client, step["call"])(**arguments)
            except ClientError as error:
                found = error.response["Error"]
                return {"code": found["Code"], "text": found["Message"]}
        if isinstance(gives, dict) and "Error" in gives:  # of one statement
            return {"code": gives["Error"]["Code"], "text": gives["Error"]["Message"]}
        return {"gives": gives}

    @staticmethod
    def _remember(answer: Json, names: Json) -> None:
        for name, member in (("message", "MessageId"), ("mapping", "UUID"), ("task", "TaskHandle")):
            if member in answer:
                names[name] = answer[member]
        for message in answer.get("Messages", []):
            number = sum(name.startswith("receipt") for name in names) + 1
            names[f"receipt{number}"] = message["ReceiptHandle"]

    def _function(self, enforced: bool) -> str:
        if enforced not in self._functions:
            emulator = self._emulators[enforced]
            emulator.client("sqs").create_queue(QueueName="seen")
            self._functions[enforced] = deploy(emulator, "witness", WITNESS)
        return self._functions[enforced]

    # Calls that consist of several

    def _inserts(self, _: Emulator, client: Any, names: Json, __: Json, arguments: Json) -> Json:
        """INSERTs the items in one batch; `more` is added to each statement."""
        statements = []
        for item in arguments["items"]:
            members = ", ".join(f"'{name}': ?" for name in item)
            text = f'INSERT INTO "{names["name"]}" VALUE {{{members}}}'
            text = text.ljust(arguments.get("length", 0))
            more = arguments.get("more", {})
            statements.append({"Statement": text, "Parameters": list(item.values())} | more)
        answer: Json = client.batch_execute_statement(Statements=statements)
        return answer

    def _insert(
        self, emulator: Emulator, client: Any, names: Json, mapping: Json, arguments: Json
    ) -> Json:
        """INSERTs one item in a batch of one. Returns the answer to its statement."""
        items = {"items": [arguments.pop("item")]}
        answer = self._inserts(emulator, client, names, mapping, arguments | items)
        (one,) = answer["Responses"]
        assert isinstance(one, dict)
        return one

    def _measure(self, _: Emulator, client: Any, names: Json, __: Json, arguments: Json) -> Json:
        """Tries items with a number of an assumed size: one at the limit, one above it."""
        taken = []
        for more in (0, 1):
            room = ITEM_BYTES - len("idk") - len("n") - arguments["bytes"] - len("p") + more
            item = {"id": {"S": "k"}, "n": {"N": arguments["number"]}, "p": {"S": "x" * room}}
            try:
                client.put_item(TableName=names["name"], Item=item)
                taken.append(True)
            except ClientError:
                taken.append(False)
        return {"taken": taken}

    def _deliver(
        self, emulator: Emulator, _: Any, names: Json, mapping: Json, arguments: Json
    ) -> Json:
        """Sends messages, maps their queue. Returns the events, and the number of redeliveries."""
        sqs, functions = emulator.client("sqs"), emulator.client("lambda")
        seen = sqs.get_queue_url(QueueName="seen")["QueueUrl"]
        for body in arguments["bodies"]:
            more = arguments.get("message", {})
            sqs.send_message(QueueUrl=names["queue"], MessageBody=body, **more)
        source = {"EventSourceArn": names["queue_arn"], "FunctionName": names["function"]}
        made = functions.create_event_source_mapping(**source, **expand(mapping, names))
        processed(emulator, made)
        functions.update_event_source_mapping(UUID=made["UUID"], Enabled=False)

        events = []
        while found := sqs.receive_message(QueueUrl=seen, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                events.append(json.loads(message["Body"])["Records"])
                sqs.delete_message(QueueUrl=seen, ReceiptHandle=message["ReceiptHandle"])
        left = sqs.get_queue_attributes(QueueUrl=names["queue"], AttributeNames=["All"])
        return {
            "bodies": [sorted(record["body"] for record in event) for event in events],
            "record": events[0][0] if events else {},
            "again": int(left["Attributes"]["ApproximateNumberOfMessagesNotVisible"]),
        }

    CALLS: ClassVar[dict[str, Callable[..., Json]]] = {
        "insert": _insert,
        "inserts": _inserts,
        "measure": _measure,
        "deliver": _deliver,
    }


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:
    with (
        Emulator(tmp_path_factory.mktemp("plain"), port=0) as plain,
        Emulator(tmp_path_factory.mktemp("enforced"), port=0, auth=True, tls=True) as enforced,
    ):
        yield Emulators({False: plain, True: enforced})


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_the_stack_answers_as_recorded(emulators: Emulators, case: Case) -> None:
    answer, names = emulators.answer(case)

    aws = expand(case.aws, names)
    if case.here is None:
        assert difference(aws, answer) is None
        return
    here = expand(case.here, names)
    if here.keys() == {"text"}:
        here["code"] = aws["code"]
    assert difference(here, answer) is None, "neither like AWS nor as noted"
    assert difference(aws, answer), "like AWS now: remove `here` and `why`"


def test_each_row_has_a_source_and_a_reason() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
    for case in CASES:
        assert SOURCE.match(case.source), case.id
        other_text = case.here is not None and case.here.keys() == {"text"}
        assert bool(case.why) == (case.here is not None and not other_text), case.id
