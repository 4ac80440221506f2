"""A system whose inputs change: its configuration, its surroundings, and its traffic."""

import itertools
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from local.archive import zipped
from local.emulator import ACCOUNT, REGION, ROOT, Emulator
from local.stack import PATH, Stack
from local.terraform import Terraform, TerraformError, by_short_address
from tests.support.mutation import package
from tests.support.policies import EVERYTHING, allow, document, trust
from tests.support.stack import new_order
from tests.support.tables import create_table

LOGS = f"logs.{REGION}.amazonaws.com"
EXISTING = "existing"  # the name of each resource that exists before the system
REQUESTS_PER_SECOND = 10


class Surroundings:
    """Existing resources, created when a row of the table names them, such as "$kms_key"."""

    def __init__(self, emulator: Emulator, work: Path) -> None:
        self._emulator = emulator
        self._work = work

    def resolve(self, value: Any) -> Any:
        """Returns the value with every "$name" in it replaced."""
        if isinstance(value, dict):
            return {name: self.resolve(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.resolve(element) for element in value]
        if isinstance(value, str) and re.fullmatch(r"\$\w+", value):
            return getattr(self, value[1:])
        return None if value == "null" else value

    @cached_property
    def kms_key(self) -> str:
        return self._new_key()

    @cached_property
    def other_kms_key(self) -> str:
        return self._new_key()

    def _new_key(self) -> str:
        """Creates a key that IAM policies decide on, and that CloudWatch Logs may use."""
        principals = ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, {"Service": LOGS})
        policy = document(*(allow("kms:*", Principal=principal) for principal in principals))
        return str(self._emulator.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"])

    @cached_property
    def certificate(self) -> str:
        arn = self._emulator.client("acm").request_certificate(DomainName="orders.example")
        return str(arn["CertificateArn"])

    @cached_property
    def boundary(self) -> str:
        policy = self._emulator.client("iam").create_policy(
            PolicyName="boundary", PolicyDocument=document(EVERYTHING)
        )
        return str(policy["Policy"]["Arn"])

    @cached_property
    def role(self) -> str:
        iam = self._emulator.client("iam")
        role = iam.create_role(
            RoleName=EXISTING, AssumeRolePolicyDocument=trust(Service="lambda.amazonaws.com")
        )
        iam.put_role_policy(
            RoleName=EXISTING, PolicyName="everything", PolicyDocument=document(EVERYTHING)
        )
        return str(role["Role"]["Arn"])

    @cached_property
    def bucket(self) -> str:
        self._emulator.client("s3").create_bucket(Bucket=EXISTING)
        return EXISTING

    @cached_property
    def object_key(self) -> str:
        """A custom package of ingest, as an object in the bucket."""
        self._emulator.client("s3").put_object(
            Bucket=self.bucket, Key="ingest.zip", Body=_custom_package("ingest")
        )
        return "ingest.zip"

    @cached_property
    def secret(self) -> str:
        """A secret with the keys of one client."""
        secret = self._emulator.client("secretsmanager").create_secret(
            Name=EXISTING, SecretString='{"shop": "a secret of 32 characters or more"}'
        )
        return str(secret["ARN"])

    @cached_property
    def layer(self) -> str:
        version = self._emulator.client("lambda").publish_layer_version(
            LayerName=EXISTING,
            Content={"ZipFile": zipped({"python/agent.py": "from ingest.own import handle"})},
        )
        return str(version["LayerVersionArn"])

    @cached_property
    def web_acl(self) -> str:
        summary = self._emulator.client("wafv2").create_web_acl(
            Name=EXISTING,
            Scope="REGIONAL",
            DefaultAction={"Allow": {}},
            VisibilityConfig={
                "SampledRequestsEnabled": False,
                "CloudWatchMetricsEnabled": False,
                "MetricName": EXISTING,
            },
        )["Summary"]
        return str(summary["ARN"])

    @cached_property
    def table(self) -> dict[str, str]:
        """A table with the default keys of the module."""
        arn = create_table(self._emulator.client("dynamodb"), EXISTING)
        return {"name": EXISTING, "arn": arn}

    @cached_property
    def listener(self) -> str:
        """A listener of a load balancer that others share."""
        ec2 = self._emulator.client("ec2")
        vpc_id = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(
                VpcId=vpc_id, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=f"us-east-1{zone}"
            )["Subnet"]["SubnetId"]
            for n, zone in enumerate("ab")
        ]
        elb = self._emulator.client("elbv2")
        [balancer] = elb.create_load_balancer(Name=EXISTING, Subnets=subnets, Scheme="internal")[
            "LoadBalancers"
        ]
        [listener] = elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[
                {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
            ],
        )["Listeners"]
        return str(listener["ListenerArn"])

    @cached_property
    def layered_zip(self) -> str:
        """A custom package of ingest whose handler is in the layer."""
        files = package("ingest")
        layered = {"ingest/own.py": files["ingest/handler.py"]}
        path = self._work / "layered.zip"
        path.write_bytes(
            zipped({**files, **layered, "ingest/handler.py": "from agent import handle"})
        )
        return str(path)

    @cached_property
    def hooks(self) -> str:
        """The hooks of the example, which accept the orders that are sent."""
        return str(ROOT / "examples" / "hooks" / "hooks")

    @cached_property
    def process_zip(self) -> str:
        """A custom package of process, as a file."""
        path = self._work / "process.zip"
        path.write_bytes(_custom_package("process"))
        return str(path)


def _custom_package(function: str) -> bytes:
    """Returns the module's package with one more file."""
    return zipped({**package(function), "own.py": ""})


@dataclass
class Traffic:
    """Orders sent at a steady rate during a change."""

    send: Callable[[dict[str, Any]], int]  # returns the status, or 0 if there is no answer
    # Further attributes of the orders, in turns.
    forms: list[dict[str, Any]] = field(default_factory=lambda: [{}])
    accepted: list[dict[str, Any]] = field(default_factory=list)
    refused: list[tuple[float, int]] = field(default_factory=list)  # when, and the status

    def __enter__(self) -> Self:
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        due = time.monotonic()
        for form in itertools.cycle(self.forms):
            if self._done.is_set():
                return
            order = new_order(number=time.time_ns(), **form)  # some changes make it a key
            status = self.send(order)
            if status == 202:
                self.accepted.append(order)
            else:
                self.refused.append((time.time(), status))
            due = max(due + 1 / REQUESTS_PER_SECOND, time.monotonic())
            self._done.wait(due - time.monotonic())

    @property
    def gap_seconds(self) -> float:
        """From the first request that was not accepted to the last."""
        return self.refused[-1][0] - self.refused[0][0] if self.refused else 0.0


class ChangingSystem:
    """One system: this checkout, used by a configuration whose inputs are exchanged.

    Args:
        emulator: Where it is applied.
        work: For the configuration, its state and its surroundings.
        name: Of the system.
        source: Of the module, if it is not this checkout.
    """

    def __init__(
        self, emulator: Emulator, work: Path, name: str, *, source: str = str(ROOT)
    ) -> None:
        self.emulator = emulator
        self.name = name
        self.source = source
        self._work = work
        self._directory = work / "configuration"
        self._directory.mkdir(parents=True, exist_ok=True)
        self._inputs: dict[str, Any] | None = {}
        self._applied: dict[str, Any] | None = None
        self.beside: dict[str, dict[str, Any]] = {}  # blocks besides the module call
        self.providers: list[dict[str, Any]] = [{}]
        self.surroundings = Surroundings(emulator, work)
        self.terraform = Terraform(self._directory, work, emulator.environment())
        self.configure({})
        self.terraform.init()

    def become(self, inputs: dict[str, Any]) -> None:
        """Applies these inputs, unless they were applied last."""
        self.configure(inputs)
        if self._applied != inputs:
            self.apply()

    def apply(self) -> None:
        """Applies the current configuration."""
        self._applied = None
        self.terraform.apply()
        self._applied = self._inputs

    def renew(self) -> None:
        """Destroys it, after a change that cannot be reverted."""
        self.configure(self._applied)
        self.terraform.destroy()
        self._applied = None

    @contextmanager
    def old_versions_deleted(self) -> Iterator[None]:
        """Deletes versions that hold subnets of a removed zone, as docs/changing.md says.

        Otherwise the provider would retry the subnet's deletion for 20 minutes.
        """
        outputs = self.stack().outputs
        names = [outputs[f"{function}_function_name"] for function in ("ingest", "process")]
        done = threading.Event()

        def delete() -> None:
            while not done.wait(1):
                for name in names:
                    self._delete_versions(name)

        thread = threading.Thread(target=delete, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _delete_versions(self, function: str) -> None:
        """Deletes versions in subnets that the live version does not use."""
        client = self.emulator.client("lambda")
        live = client.get_alias(FunctionName=function, Name="live")["FunctionVersion"]
        versions = client.list_versions_by_function(FunctionName=function)["Versions"]
        subnets = {one["Version"]: set(one["VpcConfig"]["SubnetIds"]) for one in versions}
        for version in subnets.keys() - {"$LATEST", live}:
            if not subnets[version] <= subnets[live]:
                client.delete_function(FunctionName=function, Qualifier=version)

    def configure(self, inputs: dict[str, Any] | None) -> None:
        """Writes the configuration with these inputs and the common ones, or without the system."""
        self._inputs = inputs
        module = {
            "source": self.source,
            "name": self.name,
            "deletion_protection_enabled": False,
            **self.surroundings.resolve(inputs or {}),
        }
        own = {
            "module": {"async_ingest": module},
            "output": {"all": {"value": "${module.async_ingest}"}},
        }
        configuration = {"provider": {"aws": self.providers}} | ({} if inputs is None else own)
        for kind, blocks in self.surroundings.resolve(self.beside).items():
            configuration[kind] = {**configuration.get(kind, {}), **blocks}
        (self._directory / "main.tf.json").write_text(json.dumps(configuration))

    def planned(self, *options: str) -> tuple[dict[str, str], str]:
        """Plans the current configuration.

        Returns:
            What an apply would do, by short addresses, and Terraform's output if it refused.
        """
        try:
            return by_short_address(self.terraform.planned_actions(*options)), ""
        except TerraformError as error:
            return {}, str(error)

    def stack(self, port: int = 80) -> Stack:
        """Returns the system as a client and an operator see it now."""
        stack = Stack(self.emulator, self.terraform, path=PATH, port=port, module="all")
        stack.outputs["load_balancer_name"] = stack.outputs.get("load_balancer_name") or EXISTING
        return stack
