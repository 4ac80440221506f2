"""Scenarios in which ingest demands signatures, and Secrets Manager fails or the secret changes.

Besides the usual load, forgers send. None of their orders may be accepted, whatever fails.
"""

import contextlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from local.emulator import REGION
from local.terraform import by_short_address
from local.waiting import eventually
from tests.faults import scenarios
from tests.faults.scenarios import SCENARIOS, SQS_FAILS, Rule, Scenario, scenario
from tests.faults.system import System
from tests.support.history import Attempt, Outcome
from tests.support.policies import allowing
from tests.support.signatures import HEADER, OLD_TILL, SHOP, TILL, signature

SLOW_MS = 3_000  # longer than a call waits for an answer
EVERY = 4  # requests, then a forged one
POLICY = "the-secret-of-the-scenario"


class Clients:
    """Those who send: with a secret that holds, or forgers who have none."""

    def __init__(self, system: System, secret_id: str) -> None:
        self._system = system
        self._manager = system.stack.emulator.client("secretsmanager")
        self._secret_id = secret_id
        self.secret = SHOP

    def headers(self, body: str, attempt: Attempt) -> dict[str, str]:
        secret = self.secret if attempt.is_genuine else OLD_TILL
        return {HEADER: signature(body, key_id="shop", secret=secret, at=int(time.time()))}

    def send(self) -> None:
        """Sends an ordinary load, and forged orders of the same keys in between."""
        self._system.send(self._requests())
        denied = [
            attempt.number
            for attempt in self._system.history.attempts.values()
            if attempt.is_genuine and attempt.is_storable and attempt.outcome is Outcome.REFUSED
        ]
        assert not denied, f"{len(denied)} genuine orders were refused, such as {denied[0]}"

    def _requests(self) -> Iterator[list[Attempt]]:
        for number, attempts in enumerate(scenarios.requests(self._system)):
            yield attempts
            if number % EVERY == 0:
                yield [self._system.history.order(number, is_genuine=False)]

    def rotate(self, new: str) -> None:
        """Puts another secret; clients may go on signing with the former one."""
        text = json.dumps({"shop": new})
        self._manager.put_secret_value(SecretId=self._secret_id, SecretString=text)

    def is_accepted(self) -> bool:
        order = self._system.history.order("again")
        self._system.send([[order]], clients=1)
        return order.outcome is Outcome.ACKNOWLEDGED


@contextlib.contextmanager
def signed(system: System) -> Iterator[Clients]:
    """Lets ingest demand signatures, as request_signature does; no environment has secrets yet."""
    emulator, iam = system.stack.emulator, system.stack.iam
    manager = emulator.client("secretsmanager")
    role = system.stack.role_of(f"{system.name}-ingest").rpartition("/")[2]
    with contextlib.ExitStack() as cleanup:
        arn = manager.create_secret(
            Name=f"{system.name}/{time.time_ns()}", SecretString=json.dumps({"shop": SHOP})
        )["ARN"]
        cleanup.callback(manager.delete_secret, SecretId=arn, ForceDeleteWithoutRecovery=True)
        policy = allowing("secretsmanager:GetSecretValue", arn)
        key = {"RoleName": role, "PolicyName": POLICY}
        iam.put_role_policy(**key, PolicyDocument=policy)
        cleanup.callback(iam.delete_role_policy, **key)
        cleanup.enter_context(_endpoint(system))
        cleanup.enter_context(
            system.settings(
                "ingest",
                {
                    "SIGNATURE_SECRET_ARN": arn,
                    "SIGNATURE_HEADER": HEADER,
                    "SIGNATURE_TOLERANCE_SECONDS": "300",
                },
            )
        )
        clients = Clients(system, arn)
        cleanup.enter_context(system.signed_by(clients.headers))
        yield clients


@contextlib.contextmanager
def _endpoint(system: System) -> Iterator[None]:
    """A way from the functions to Secrets Manager, beside that to SQS."""
    resources = by_short_address(system.stack.terraform.resources())
    beside = resources['vpc_endpoints.aws_vpc_endpoint.interface["sqs"]']
    ec2 = system.stack.emulator.client("ec2")
    endpoint = ec2.create_vpc_endpoint(
        VpcId=beside["vpc_id"],
        ServiceName=f"com.amazonaws.{REGION}.secretsmanager",
        VpcEndpointType="Interface",
        SubnetIds=beside["subnet_ids"],
        SecurityGroupIds=beside["security_group_ids"],
        PrivateDnsEnabled=True,
    )["VpcEndpoint"]["VpcEndpointId"]
    try:
        yield
    finally:
        ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])


def _secrets_manager_fails(fault: Rule) -> Scenario:
    """From the start of all environments: nobody is let in, and all are as soon as it is back."""

    def run(system: System) -> None:
        with signed(system) as clients:
            with system.proxy.rules({"service": "secretsmanager", **fault}):
                clients.send()
            accepted = system.history.count(Outcome.ACKNOWLEDGED)
            assert not accepted, f"{accepted} orders were accepted without a secret to check by"
            assert system.history.count(Outcome.INDETERMINATE), "no order was answered 503"
            eventually(clients.is_accepted, "a signed order to be accepted")
            clients.send()
            system.drain()

    return run


SCENARIOS |= {
    "secret_slow": _secrets_manager_fails({"latency": SLOW_MS}),
    "secret_denied": _secrets_manager_fails(scenarios.AWS_ERRORS["access_denied"]),
    "secret_throttled": _secrets_manager_fails(scenarios.SQS_ERRORS["throttled"]),
}


@scenario
def secret_rotated_under_traffic(system: System) -> None:
    """While environments start, and some fetches fail. Clients notice none of it."""
    fails = {"sequence": SQS_FAILS, **scenarios.AWS_ERRORS["unavailable"]}
    with signed(system) as clients:
        with (
            system.proxy.rules({"service": "secretsmanager", **fails}),
            ThreadPoolExecutor() as pool,
        ):
            traffic = pool.submit(clients.send)
            clients.rotate(TILL)
            with system.settings("ingest", {"ROTATED": "1"}):  # environments with the new secret
                traffic.result()
                clients.send()  # still by the former one
                clients.secret = TILL
                eventually(clients.is_accepted, "an order signed with the new secret")
                clients.send()
        system.drain()
    system.confirm(1)
