"""A system whose inputs change: its configuration, its surroundings, and the traffic meanwhile."""

import json
import shutil
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from local.emulator import ROOT, Emulator
from tests.e2e.stack import Stack, Terraform, new_order, short

REGION = "us-east-1"
ACCOUNT = "000000000000"
REQUESTS_A_SECOND = 10
SETTLED_SECONDS = 240  # within which what was accepted must be in a table or in a queue


class Surroundings:
    """What a team brings along, made when a row of the table names it, such as "$kms_key"."""

    def __init__(self, emulator: Emulator, work: Path) -> None:
        self._emulator = emulator
        self._work = work

    def resolve(self, value: Any) -> Any:
        """The value with every "$name" in it replaced."""
        if isinstance(value, dict):
            return {name: self.resolve(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.resolve(element) for element in value]
        if isinstance(value, str) and value.startswith("$"):
            return getattr(self, value[1:])
        return None if value == "null" else value

    @cached_property
    def kms_key(self) -> str:
        return str(self._emulator.client("kms").create_key()["KeyMetadata"]["Arn"])

    @cached_property
    def certificate(self) -> str:
        arn = self._emulator.client("acm").request_certificate(DomainName="orders.example")
        return str(arn["CertificateArn"])

    @cached_property
    def boundary(self) -> str:
        document = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        policy = self._emulator.client("iam").create_policy(
            PolicyName="boundary",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": document}),
        )
        return str(policy["Policy"]["Arn"])

    @cached_property
    def role(self) -> str:
        iam = self._emulator.client("iam")
        trust = {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"},
        }
        role = iam.create_role(
            RoleName="brought-along",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trust}),
        )
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        iam.put_role_policy(
            RoleName="brought-along",
            PolicyName="everything",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": everything}),
        )
        return str(role["Role"]["Arn"])

    @cached_property
    def bucket(self) -> str:
        self._emulator.client("s3").create_bucket(Bucket="brought-along")
        return "brought-along"

    @cached_property
    def process_zip(self) -> str:
        """A package of the team's own: the module's, with one more file."""
        path = self._work / "process.zip"
        source = ROOT / "lambda_src"
        with zipfile.ZipFile(path, "w") as archive:
            for package in ("process", "shared"):
                for file in sorted((source / package).glob("*.py")):
                    archive.write(file, file.relative_to(source))
            archive.writestr("own.py", "")
        return str(path)


@dataclass
class Traffic:
    """Orders sent at a steady rate while something is changed."""

    send: Callable[[dict[str, Any]], int]  # returns the status, 0 without an answer
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
        while not self._done.is_set():
            order = new_order(table_key=len(self.accepted))
            status = self.send(order)
            if status == 202:
                self.accepted.append(order)
            else:
                self.refused.append((time.time(), status))
            due = max(due + 1 / REQUESTS_A_SECOND, time.monotonic())
            self._done.wait(due - time.monotonic())

    @property
    def gap_seconds(self) -> float:
        """From the first request that was not accepted to the last."""
        return self.refused[-1][0] - self.refused[0][0] if self.refused else 0.0


class ChangingSystem:
    """One system, made of this checkout by a consumer whose inputs are exchanged."""

    def __init__(self, emulator: Emulator, work: Path, name: str, **common: Any) -> None:
        self.emulator = emulator
        self._common = {"name": name, "deletion_protection_enabled": False, **common}
        self._work = work
        self._directory = work / "configuration"
        self._directory.mkdir(parents=True, exist_ok=True)
        self.surroundings = Surroundings(emulator, work)
        self.terraform = Terraform(self._directory, work, emulator)
        self.configure({})
        self.terraform.init()

    def adopt(self, state: Path) -> None:
        """Goes on with a copy of another configuration's state of the same system."""
        shutil.copy(state, self._work / "terraform.tfstate")

    def configure(self, inputs: dict[str, Any]) -> None:
        """Writes the configuration with these inputs, beside those that all have."""
        module = {"source": str(ROOT), **self._common, **self.surroundings.resolve(inputs)}
        configuration = {
            "provider": {"aws": {}},
            "module": {"async_ingest": module},
            "output": {"all": {"value": "${module.async_ingest}"}},
        }
        (self._directory / "main.tf.json").write_text(json.dumps(configuration))

    def planned(self, *options: str) -> tuple[dict[str, list[str]], str]:
        """What an apply would do by short addresses, and the output if the plan was refused."""
        plan = self._work / "plan"
        code, output = self.terraform._on_state("plan", f"-out={plan}", *options, accept=(0, 1))
        if code:
            return {}, output
        _, document = self.terraform.run("show", "-json", str(plan))
        changes = {
            change["address"]: {"actions": change["change"]["actions"]}
            for change in json.loads(document)["resource_changes"]
            if change["mode"] == "managed" and change["change"]["actions"] != ["no-op"]
        }
        return {address: c["actions"] for address, c in short(changes).items()}, ""

    def stack(self) -> Stack:
        """The system as a client and as an operator see it now."""
        return Stack(self.emulator, self.terraform, module="all")
