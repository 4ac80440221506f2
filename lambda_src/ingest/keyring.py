"""The clients' secrets, from Secrets Manager: fetched when needed, kept for a while.

The secret is a JSON object that gives each key id a secret, or a list of up to 5 that all hold:
``{"shop": "…", "till": ["new", "old"]}``. What the version AWSPREVIOUS contains holds beside
AWSCURRENT, so that clients may still sign with the former secret after a rotation.

Nothing is fetched during the start, so no snapshot of SnapStart contains a secret.
"""

import json
import logging
import re
import time
from typing import NamedTuple

from shared import aws

FRESH_SECONDS = 300  # then the secrets are fetched again: how long a removed one may still hold
# Between fetches for signatures that match none, which forgers can cause, and after a failed fetch.
EARLY_SECONDS = 60
USABLE_SECONDS = 3600  # how long secrets are used while they cannot be fetched again
RETRY_SECONDS = 2  # between fetches while there are no secrets to use
REFRESH_SECONDS = 3.0  # for a fetch while there are: all of ingest's clients wait for it
# HMAC keys shorter than the hash's output "would decrease the security strength" (RFC 2104, 3).
MIN_CHARACTERS = 32
MAX_SECRETS = 5  # of a key id, each of which costs an HMAC of the body
KEY_ID = r"[A-Za-z0-9._-]{1,64}"

LOG = logging.getLogger()
_KEY_ID = re.compile(KEY_ID)


class Secrets(NamedTuple):
    by_key_id: dict[str, tuple[bytes, ...]]

    @property
    def most(self) -> int:
        """How many secrets the key id with the most of them has."""
        return max(len(secrets) for secrets in self.by_key_id.values())


class _Moment:
    """Now, on two clocks: either may stop while the environment is frozen."""

    def __init__(self) -> None:
        self._monotonic, self._wall = time.monotonic(), time.time()

    @property
    def age(self) -> float:
        return max(time.monotonic() - self._monotonic, time.time() - self._wall)


class Keyring:
    def __init__(self, client: aws.Client, secret_arn: str) -> None:
        self._client = client
        self._secret_arn = secret_arn
        self._secrets: Secrets | None = None
        self._fetched = _Moment()  # when self._secrets were current
        self._tried: _Moment | None = None

    def secrets(self, deadline: aws.Deadline) -> Secrets:
        """Returns the secrets, which are at most USABLE_SECONDS old.

        Raises:
            CallError: There are none.
        """
        secrets, age = self._usable(), self._fetched.age
        if secrets and (age < FRESH_SECONDS or not self._may_fetch(EARLY_SECONDS)):
            return secrets
        if not secrets and not self._may_fetch(RETRY_SECONDS):
            raise aws.CallError("SecretUnavailable")  # as the log already says
        try:
            return self._fetch(deadline)
        except aws.CallError as error:
            LOG.error("The secret cannot be fetched", extra=error.details)  # noqa: TRY400
            if not secrets:
                raise
            return secrets

    def newer_secrets(self, deadline: aws.Deadline) -> Secrets | None:
        """Returns secrets fetched because a signature matches none; None if it is too soon."""
        if not self._may_fetch(EARLY_SECONDS):
            return None
        try:
            return self._fetch(deadline)
        except aws.CallError as error:
            LOG.error("The secret cannot be fetched", extra=error.details)  # noqa: TRY400
            return None

    def _usable(self) -> Secrets | None:
        if self._fetched.age >= USABLE_SECONDS:
            self._secrets = None
        return self._secrets

    def _may_fetch(self, pause_seconds: float) -> bool:
        return self._tried is None or self._tried.age >= pause_seconds

    def _fetch(self, deadline: aws.Deadline) -> Secrets:
        seconds = deadline.remaining() / 2  # the other half is for sending
        if self._secrets:
            seconds = min(seconds, REFRESH_SECONDS)
        end = time.monotonic() + seconds
        own = aws.Deadline(lambda: min(end - time.monotonic(), deadline.remaining()))
        self._tried = fetched = _Moment()
        held = _parsed(self._version("AWSCURRENT", own))
        for key_id, former in self._previous(own).items():
            held[key_id] = tuple(dict.fromkeys(held.get(key_id, ()) + former))
        self._secrets, self._fetched = Secrets(held), fetched
        return self._secrets

    def _previous(self, deadline: aws.Deadline) -> dict[str, tuple[bytes, ...]]:
        """Returns the secrets of the version before, none if there is no such version."""
        try:
            return _parsed(self._version("AWSPREVIOUS", deadline))
        except aws.CallError as error:
            if error.code not in ("ResourceNotFoundException", "SecretMalformed"):
                raise
            return {}

    def _version(self, stage: str, deadline: aws.Deadline) -> object:
        parameters = {"SecretId": self._secret_arn, "VersionStage": stage}
        answer = self._client.call("GetSecretValue", json.dumps(parameters), deadline)
        return answer.get("SecretString")


def _parsed(text: object) -> dict[str, tuple[bytes, ...]]:
    """Returns the secrets by key id.

    Raises:
        CallError: "SecretMalformed"; its text has nothing of the secret.
    """
    try:
        value = json.loads(text) if isinstance(text, str) else None
        if not isinstance(value, dict) or not value:
            raise ValueError
        found = {}
        for key_id, given in value.items():
            secrets = given if isinstance(given, list) else [given]
            is_valid = all(isinstance(one, str) and len(one) >= MIN_CHARACTERS for one in secrets)
            if not (is_valid and 1 <= len(secrets) <= MAX_SECRETS and _KEY_ID.fullmatch(key_id)):
                raise ValueError
            found[key_id] = tuple([one.encode() for one in secrets])
    except (ValueError, RecursionError):
        raise aws.CallError("SecretMalformed", is_transient=False) from None
    return found
