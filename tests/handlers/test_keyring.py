"""The clients' secrets: when they are fetched, how long they hold, what rotations do."""

import itertools
import json
from typing import Any

import pytest

from ingest import keyring
from ingest.keyring import EARLY_SECONDS, FRESH_SECONDS, RETRY_SECONDS, USABLE_SECONDS, Keyring
from shared import aws
from tests.support import clients
from tests.support.secrets import Clock, FakeSecretsManager
from tests.support.signatures import ARN, OLD_TILL, SHOP, TILL

BOTH = ["AWSCURRENT", "AWSPREVIOUS"]
DENIED = aws.CallError("AccessDeniedException", status=400, is_transient=False)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(keyring, "time", clock)
    return clock


@pytest.fixture
def manager() -> FakeSecretsManager:
    return FakeSecretsManager({"shop": SHOP})


@pytest.fixture
def ring(manager: FakeSecretsManager, clock: Clock) -> Keyring:
    return Keyring(manager, ARN)


def held(ring: Keyring) -> dict[str, tuple[bytes, ...]]:
    return ring.secrets(clients.deadline()).by_key_id


def newer(ring: Keyring) -> bool:
    return ring.newer_secrets(clients.deadline()) is not None


def refusal(ring: Keyring) -> str:
    with pytest.raises(aws.CallError) as raised:
        held(ring)
    return raised.value.code


# Contents ---------------------------------------------------------------------------------------


def test_current_and_previous_both_hold(manager: FakeSecretsManager, ring: Keyring) -> None:
    manager.put("AWSPREVIOUS", {"shop": [OLD_TILL, SHOP], "gone": TILL})

    assert held(ring) == {"shop": (SHOP.encode(), OLD_TILL.encode()), "gone": (TILL.encode(),)}
    assert manager.calls == BOTH


def test_a_secret_may_never_have_been_rotated(manager: FakeSecretsManager, ring: Keyring) -> None:
    assert held(ring) == {"shop": (SHOP.encode(),)}
    assert manager.calls == BOTH


MALFORMED = {
    "no JSON": "shop=secret",
    "half": '{"shop": "',
    "empty": "",
    "a list": [SHOP],
    "no clients": {},
    "null": {"shop": None},
    "a number": {"shop": 1},
    "an object": {"shop": {"secret": SHOP}},
    "no secrets": {"shop": []},
    "six secrets": {"shop": [SHOP] * 6},
    "too short": {"shop": "x" * 31},
    "one too short": {"shop": SHOP, "till": [TILL, ""]},
    "a space in a key id": {"the shop": SHOP},
    "an empty key id": {"": SHOP},
    "a long key id": {"k" * 65: SHOP},
    "half a character": '{"shop": "' + r"\ud800" * 40 + '"}',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_secret_is_none(
    manager: FakeSecretsManager, ring: Keyring, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    manager.put("AWSCURRENT", value)

    assert refusal(ring) == "SecretMalformed"
    (entry,) = caplog.records
    assert entry.__dict__["error"] == "SecretMalformed"
    assert SHOP not in str(entry.__dict__)


def test_a_binary_secret_is_malformed(manager: FakeSecretsManager, ring: Keyring) -> None:
    manager.versions["AWSCURRENT"] = None

    assert refusal(ring) == "SecretMalformed"


def test_a_malformed_former_version_counts_as_none(
    manager: FakeSecretsManager, ring: Keyring
) -> None:
    """Such as what a secret was created with, before it had its form."""
    manager.put("AWSPREVIOUS", "to be set")

    assert held(ring) == {"shop": (SHOP.encode(),)}


def test_a_former_version_that_cannot_be_read_is_a_failure(
    manager: FakeSecretsManager, ring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients may still sign with it."""
    real = manager.call

    def call(operation: str, parameters: str, deadline: aws.Deadline) -> Any:
        if json.loads(parameters)["VersionStage"] == "AWSPREVIOUS":
            raise DENIED
        return real(operation, parameters, deadline)

    monkeypatch.setattr(manager, "call", call)
    assert refusal(ring) == "AccessDeniedException"


# Time -------------------------------------------------------------------------------------------


def test_nothing_is_fetched_before_the_first_signature(
    manager: FakeSecretsManager, ring: Keyring
) -> None:
    assert manager.calls == []
    assert ring._secrets is None


def test_secrets_are_kept(manager: FakeSecretsManager, ring: Keyring, clock: Clock) -> None:
    held(ring)
    clock.now += FRESH_SECONDS - 1
    held(ring)
    assert manager.calls == BOTH

    clock.now += 1
    held(ring)
    assert manager.calls == BOTH * 2


def test_a_removed_secret_holds_no_longer_than_that(
    manager: FakeSecretsManager, ring: Keyring, clock: Clock
) -> None:
    held(ring)
    for _ in BOTH:  # so that it is not in the previous version either
        manager.rotate({"till": TILL})
    clock.now += FRESH_SECONDS

    assert held(ring) == {"till": (TILL.encode(),)}


@pytest.mark.parametrize("stopped", ["monotonic_behind", "wall_behind"])
def test_time_counts_if_one_of_the_clocks_stops(
    manager: FakeSecretsManager, ring: Keyring, clock: Clock, stopped: str
) -> None:
    """While the environment is frozen, or when the wall clock is set back."""
    held(ring)
    clock.now += FRESH_SECONDS
    setattr(clock, stopped, FRESH_SECONDS)

    held(ring)
    assert manager.calls == BOTH * 2


def test_new_secrets_are_fetched_early_when_a_signature_matches_none(
    manager: FakeSecretsManager, ring: Keyring, clock: Clock
) -> None:
    held(ring)
    manager.rotate({"till": TILL})
    clock.now += EARLY_SECONDS

    assert newer(ring)
    assert held(ring) == {"till": (TILL.encode(),), "shop": (SHOP.encode(),)}


def test_forgers_cannot_cause_a_call_for_each_request(
    manager: FakeSecretsManager, ring: Keyring, clock: Clock
) -> None:
    held(ring)
    seconds = 3600
    fetches = 0
    for _ in range(seconds):
        clock.now += 1
        held(ring)
        fetches += newer(ring)

    assert fetches == seconds / EARLY_SECONDS
    assert len(manager.calls) == 2 * (1 + fetches)


# Outages ----------------------------------------------------------------------------------------


def test_kept_secrets_are_used_during_an_outage_for_a_while(
    manager: FakeSecretsManager, ring: Keyring, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    start = clock.now
    held(ring)
    manager.trouble = DENIED
    while clock.now < start + USABLE_SECONDS - 1:
        clock.now += 1
        assert held(ring) == {"shop": (SHOP.encode(),)}
    tries = (USABLE_SECONDS - FRESH_SECONDS) // EARLY_SECONDS
    assert len(caplog.records) == tries
    assert manager.calls == BOTH + ["AWSCURRENT"] * tries

    clock.now += 1
    assert refusal(ring) == "AccessDeniedException"
    assert ring._secrets is None


def test_an_outage_that_ends_is_forgotten(
    manager: FakeSecretsManager, ring: Keyring, clock: Clock
) -> None:
    held(ring)
    manager.trouble = DENIED
    clock.now += FRESH_SECONDS
    held(ring)
    manager.trouble = None
    manager.rotate({"till": TILL})
    clock.now += EARLY_SECONDS

    assert set(held(ring)) == {"till", "shop"}


def test_a_new_secret_that_is_malformed_leaves_the_former(
    manager: FakeSecretsManager, ring: Keyring, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    held(ring)
    manager.rotate("oops")
    clock.now += FRESH_SECONDS

    assert held(ring) == {"shop": (SHOP.encode(),)}
    assert [one.__dict__["error"] for one in caplog.records] == ["SecretMalformed"]


def test_without_secrets_not_every_request_makes_a_call(
    manager: FakeSecretsManager, ring: Keyring, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    manager.trouble = DENIED
    assert refusal(ring) == "AccessDeniedException"
    clock.now += RETRY_SECONDS / 2
    assert refusal(ring) == "SecretUnavailable"
    assert len(manager.calls) == len(caplog.records) == 1

    clock.now += RETRY_SECONDS / 2
    manager.trouble = None
    assert held(ring)


@pytest.mark.parametrize("is_held", [True, False])
def test_a_slow_service_leaves_time_to_send(
    manager: FakeSecretsManager,
    ring: Keyring,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    is_held: bool,
) -> None:
    """Half of what is left, and no more than 3 s of the clients' time while there are secrets."""
    if is_held:
        held(ring)
        clock.now += FRESH_SECONDS
    left: list[float] = []

    def call(_operation: str, _parameters: str, deadline: aws.Deadline) -> Any:
        left.append(deadline.remaining())
        clock.now += 1
        left.append(deadline.remaining())
        raise aws.CallError("ReadTimeout")

    monkeypatch.setattr(manager, "call", call)
    end = clock.now + 9.5
    deadline = aws.Deadline(lambda: end - clock.now)
    if is_held:
        ring.secrets(deadline)
    else:
        with pytest.raises(aws.CallError):
            ring.secrets(deadline)

    assert left == ([3.0, 2.0] if is_held else [4.75, 3.75])


def test_the_work_is_bounded() -> None:
    """Two versions of the longest list: ten HMACs of a body, a few milliseconds for the largest."""
    full = {"shop": tuple(itertools.repeat(b"x", 10))}

    assert keyring.Secrets(full).most == 2 * keyring.MAX_SECRETS
