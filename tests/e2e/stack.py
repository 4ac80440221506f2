"""The applied system, as Terraform, a client and an operator see it."""

import json
import ssl
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from local.emulator import HOST, ROOT, Emulator
from local.screen import Screen

EXAMPLE = ROOT / "examples" / "minimal"
PATH = "/lambda/api"


class Terraform:
    """Terraform on one directory, its data and state elsewhere, against one emulator."""

    def __init__(
        self,
        directory: Path,
        work: Path,
        emulator: Emulator,
        credentials: dict[str, str] | None = None,
        **variables: str,
    ) -> None:
        self.directory = directory
        self.state = work / "terraform.tfstate"
        self._variables = [f"-var={name}={value}" for name, value in variables.items()]
        self._environment = {
            **emulator.environment(),
            **(credentials or {}),
            "TF_CLI_CONFIG_FILE": str(ROOT / ".cache" / "terraform.rc"),
            "TF_DATA_DIR": str(work / "terraform"),
            "TF_IN_AUTOMATION": "1",
        }

    def run(self, *arguments: str, accept: tuple[int, ...] = (0,)) -> tuple[int, str]:
        """The exit code and the output; fails with the output on any other exit code."""
        result = subprocess.run(
            ["terraform", f"-chdir={self.directory}", *arguments],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert result.returncode in accept, f"terraform {arguments[0]}:\n{result.stdout}"
        return result.returncode, result.stdout

    def init(self) -> None:
        self.run("init", "-input=false", "-no-color")

    def plan_changes(self) -> str:
        """What another apply would change, "" for nothing."""
        code, output = self._on_state("plan", "-detailed-exitcode", accept=(0, 2))
        return output if code == 2 else ""

    def apply(self, *options: str) -> None:
        self._on_state("apply", "-auto-approve", *options)

    def destroy(self) -> None:
        self._on_state("destroy", "-auto-approve")

    def outputs(self) -> dict[str, Any]:
        _, output = self.run("output", "-json", f"-state={self.state}")
        return {name: value["value"] for name, value in json.loads(output).items()}

    def resources(self) -> dict[str, dict[str, Any]]:
        """The attributes of every managed resource, by its address."""
        _, output = self.run("show", "-json", str(self.state))
        return managed(json.loads(output).get("values", {}))

    def planned(self) -> dict[str, dict[str, Any]]:
        """The attributes, as far as they are known, that an apply would give each resource."""
        return managed(self._plan()["planned_values"])

    def planned_actions(self) -> dict[str, list[str]]:
        """What an apply would do, such as ["update"], to each resource that it would change."""
        changes = {c["address"]: c["change"]["actions"] for c in self._plan()["resource_changes"]}
        return {address: actions for address, actions in changes.items() if actions != ["no-op"]}

    def _plan(self) -> dict[str, Any]:
        plan = self.state.with_name("plan")
        self._on_state("plan", f"-out={plan}")
        _, output = self.run("show", "-json", str(plan))
        document: dict[str, Any] = json.loads(output)
        return document

    def _on_state(self, *command: str, accept: tuple[int, ...] = (0,)) -> tuple[int, str]:
        common = ("-input=false", "-no-color", f"-state={self.state}", *self._variables)
        return self.run(*command, *common, accept=accept)


def managed(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Terraform's values representation, flat: module.a.module.b[0].type.name -> attributes."""
    found: dict[str, dict[str, Any]] = {}
    modules = [values.get("root_module", {})]
    while modules:
        module = modules.pop()
        modules += module.get("child_modules", [])
        for resource in module.get("resources", []):
            if resource["mode"] == "managed":
                found[resource["address"]] = resource["values"]
    return found


def short(resources: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By addresses without the module that has all of it, and without [0]."""
    return {
        address.replace("module.async_ingest.", "")
        .replace("module.", "")
        .replace("[0]", ""): values
        for address, values in resources.items()
    }


class Answer:
    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Stay(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Stack:
    """The applied system, as a client and as an operator see it."""

    def __init__(
        self,
        emulator: Emulator,
        terraform: Terraform,
        path: str = PATH,
        port: int = 80,
        module: str | None = None,
    ) -> None:
        """`module` names the output that holds the outputs of the module, if one does."""
        self._path = path
        self._port = port
        self.emulator = emulator
        self.terraform = terraform
        outputs = terraform.outputs()
        self.outputs: dict[str, Any] = outputs[module] if module else outputs
        self.sqs = emulator.client("sqs")
        self.dynamodb = emulator.client("dynamodb")
        self.iam = emulator.client("iam")
        self.lambda_ = emulator.client("lambda")
        self._tls = ssl.create_default_context(cafile=emulator.ca_bundle)

    def send(
        self,
        body: bytes | str,
        *,
        method: str = "POST",
        path: str | None = None,
        content_type: str = "application/json",
        port: int | None = None,
    ) -> Answer:
        """A request through the load balancer, to the listener at `port`, as `Host` tells it."""
        request = urllib.request.Request(
            self.emulator.alb_url(self.outputs["load_balancer_name"]) + (path or self._path),
            data=body.encode() if isinstance(body, str) else body,
            method=method,
            headers={"Content-Type": content_type, "Host": f"{HOST}:{port or self._port}"},
        )
        opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=self._tls), urllib.request.ProxyHandler({}), Stay()
        )
        try:
            with opener.open(request, timeout=30) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def post(self, order: Any) -> Answer:
        return self.send(json.dumps(order))

    def row(self, order_id: str, item: str) -> dict[str, Any] | None:
        """The stored item in wire format."""
        answer = self.dynamodb.get_item(
            TableName=self.outputs["table_name"],
            Key={"order_id": {"S": order_id}, "item": {"S": item}},
            ConsistentRead=True,
        )
        item_found: dict[str, Any] | None = answer.get("Item")
        return item_found

    def role_of(self, function: str) -> str:
        """The ARN of the role of the function with this name."""
        answer = self.lambda_.get_function_configuration(FunctionName=function, Qualifier="live")
        return str(answer["Role"])

    def queued(self) -> int:
        """Messages on the queue, visible or in work."""
        answer = self.sqs.get_queue_attributes(
            QueueUrl=self.outputs["queue_url"],
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        return sum(int(value) for value in answer["Attributes"].values())

    def take_dead_letters(self) -> list[dict[str, Any]]:
        """As `take`, from the dead-letter queue."""
        return self.take(self.outputs["dead_letter_queue_url"])

    def take(self, url: str) -> list[dict[str, Any]]:
        """Receive and delete at most 10 messages that are on the queue of this URL now."""
        taken = self.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            WaitTimeSeconds=0,
        ).get("Messages", [])
        for message in taken:
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return list(taken)

    @contextmanager
    def paused_mapping(self) -> Iterator[None]:
        """The queue is not read meanwhile."""
        mapping = self.outputs["event_source_mapping_id"]
        self.lambda_.update_event_source_mapping(UUID=mapping, Enabled=False)
        try:
            yield
        finally:
            self.lambda_.update_event_source_mapping(UUID=mapping, Enabled=True)

    @contextmanager
    def no_permission_to_call(self, function: str) -> Iterator[None]:
        """The load balancer may not invoke the function meanwhile."""
        alias = {"FunctionName": function, "Qualifier": "live"}
        [statement] = json.loads(self.lambda_.get_policy(**alias)["Policy"])["Statement"]
        self.lambda_.remove_permission(**alias, StatementId=statement["Sid"])
        try:
            yield
        finally:
            self.lambda_.add_permission(
                **alias,
                StatementId=statement["Sid"],
                Action=statement["Action"],
                Principal=statement["Principal"]["Service"],
                SourceArn=statement["Condition"]["ArnLike"]["AWS:SourceArn"],
                SourceAccount=statement["Condition"]["StringEquals"]["AWS:SourceAccount"],
            )

    @contextmanager
    def quick_retries(self, seconds: int = 1, deliveries: int = 1000) -> Iterator[None]:
        """A failed message is delivered again after seconds instead of minutes, and more often."""
        url = self.outputs["queue_url"]
        before = self.sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=["VisibilityTimeout", "RedrivePolicy"]
        )["Attributes"]
        policy = json.loads(before["RedrivePolicy"]) | {"maxReceiveCount": deliveries}
        self.sqs.set_queue_attributes(
            QueueUrl=url,
            Attributes={
                "VisibilityTimeout": str(seconds),
                "RedrivePolicy": json.dumps(policy),
            },
        )
        try:
            yield
        finally:
            self.sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def apply_minimal(emulator: Emulator, work: Path, name: str) -> Stack:
    """examples/minimal, as everybody applies it, and unprotected."""
    terraform = Terraform(EXAMPLE, work, emulator, name=name, deletion_protection="false")
    terraform.init()
    terraform.apply()
    return Stack(emulator, terraform)


@contextmanager
def stack_of_its_own(name: str, screen: Screen, **options: Any) -> Iterator[Stack]:
    """examples/minimal on an emulator that nobody else uses, IAM enforced and TLS on."""
    with (
        TemporaryDirectory() as directory,
        Emulator(Path(directory) / "emulator", auth=True, tls=True, **options) as emulator,
    ):
        with screen.stage("apply examples/minimal, IAM enforced and TLS on"):
            stack = apply_minimal(emulator, Path(directory), name)
        yield stack


def new_user(emulator: Emulator, name: str) -> dict[str, str]:
    """Credentials, as clients take them, of a new user who may do nothing yet."""
    iam = emulator.client("iam")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }


def new_order(**attributes: Any) -> dict[str, Any]:
    return {"order_id": uuid.uuid4().hex, "item": "Kopi Susu", "qty": 2, **attributes}


def eventually(condition: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """The first true value of the condition."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)
    return value
