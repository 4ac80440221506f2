"""The keyring against the emulator's Secrets Manager, with IAM enforced: rights and rotations."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ingest import keyring
from ingest.keyring import EARLY_SECONDS, Keyring
from local.emulator import REGION, Emulator
from shared import aws
from tests.support import clients
from tests.support.policies import allow, document
from tests.support.secrets import Clock
from tests.support.signatures import OLD_TILL, SHOP, TILL
from tests.support.stack import new_user

USER = "ingest"


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator"), auth=True, tls=True) as running:
        credentials = new_user(running, USER)
        with pytest.MonkeyPatch.context() as patch:
            clients.isolate(patch)
            clients.forget_tls()
            for name, value in credentials.items():
                patch.setenv(name.upper(), value)
            patch.setenv("AWS_CA_BUNDLE", str(running.ca_bundle))
            yield running
    clients.forget_tls()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(keyring, "time", clock)
    return clock


class Secret:
    """A secret under a customer's key, and what the user may do with it."""

    def __init__(self, emulator: Emulator, name: str) -> None:
        self.manager = emulator.client("secretsmanager")
        self.iam = emulator.client("iam")
        self.key = emulator.client("kms").create_key()["KeyMetadata"]["Arn"]
        self.arn = self.manager.create_secret(
            Name=name, KmsKeyId=self.key, SecretString=json.dumps({"shop": SHOP})
        )["ARN"]

    def put(self, value: Any) -> None:
        self.manager.put_secret_value(SecretId=self.arn, SecretString=json.dumps(value))

    def grant(self, secret_arn: str = "", encrypted_arn: str = "") -> None:
        """As the module grants it, unless another ARN is given."""
        through = {
            "kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com",
            "kms:EncryptionContext:SecretARN": encrypted_arn or self.arn,
        }
        self.iam.put_user_policy(
            UserName=USER,
            PolicyName="secret",
            PolicyDocument=document(
                allow("secretsmanager:GetSecretValue", secret_arn or self.arn),
                allow("kms:Decrypt", "*", Condition={"StringEquals": through}),
            ),
        )


@pytest.fixture
def secret(enforcing: Emulator, request: pytest.FixtureRequest) -> Secret:
    return Secret(enforcing, str(abs(hash(request.node.name))))


@pytest.fixture(params=clients.IMPLEMENTATIONS)
def ring(enforcing: Emulator, secret: Secret, clock: Clock, request: Any) -> Keyring:
    url = enforcing.endpoint_url
    client = clients.client(url, "secretsmanager", 1.5, region=REGION, implementation=request.param)
    return Keyring(client, secret.arn)


def fetched(ring: Keyring) -> dict[str, tuple[bytes, ...]]:
    return ring.secrets(clients.deadline()).by_key_id


def test_both_rights_are_needed_for_this_very_secret(
    ring: Keyring, secret: Secret, clock: Clock
) -> None:
    for grant in ({"secret_arn": f"{secret.arn}-x"}, {"encrypted_arn": f"{secret.arn}-x"}):
        secret.grant(**grant)
        with pytest.raises(aws.CallError) as raised:
            fetched(ring)
        assert raised.value.code == "AccessDeniedException"
        clock.now += keyring.RETRY_SECONDS

    secret.grant()
    assert fetched(ring) == {"shop": (SHOP.encode(),)}


def test_a_rotation_moves_the_secret_to_the_previous_version(
    ring: Keyring, secret: Secret, clock: Clock
) -> None:
    secret.grant()
    assert fetched(ring) == {"shop": (SHOP.encode(),)}

    secret.put({"shop": TILL})
    clock.now += EARLY_SECONDS
    newer = ring.newer_secrets(clients.deadline())
    assert newer
    assert newer.by_key_id == {"shop": (TILL.encode(), SHOP.encode())}

    secret.put({"shop": [TILL, OLD_TILL]})
    secret.put({"shop": [TILL, OLD_TILL]})
    clock.now += keyring.FRESH_SECONDS
    assert fetched(ring) == {"shop": (TILL.encode(), OLD_TILL.encode())}
