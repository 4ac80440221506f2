"""What ends a command: one line for a person, and an exit code."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's name
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)

FOUND = 1  # the command has worked, and has found something wrong
USAGE = 2  # click's
INCOMPLETE = 3  # run the same command again
FAILED = 4  # AWS refuses or does not answer, or there is no such system
INTERRUPTED = 130


class OpsError(Exception):
    """The command cannot go on.

    Attributes:
        exit_code: Of the process.
    """

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def is_denied(error: Exception) -> bool:
    return isinstance(error, ClientError) and code_of(error).startswith(
        ("AccessDenied", "UnauthorizedOperation", "UnrecognizedClient", "AuthorizationError")
    )


def described(error: BotoCoreError | ClientError) -> str:
    """Returns one line that says what AWS, or the way to it, objects to, and what to do."""
    if isinstance(error, NoCredentialsError):
        return "No AWS credentials: set AWS_PROFILE, or pass --profile, as for the AWS CLI."
    if isinstance(error, NoRegionError):
        return "No region: pass --region, or set AWS_REGION, as for the AWS CLI."
    if isinstance(error, ProfileNotFound):
        return f"{error}. `aws configure list-profiles` lists them."
    if isinstance(error, ConnectionError | HTTPClientError):
        return f"AWS does not answer: {_line(error)}. Check --region, --endpoint-url and the proxy."
    if isinstance(error, ClientError):
        code, operation = code_of(error), error.operation_name
        text = _line(error.response.get("Error", {}).get("Message", ""))
        if code in ("ExpiredToken", "ExpiredTokenException", "RequestExpired"):
            return f"The credentials have expired ({code}): sign in again."
        hint = " Use credentials that may do it." if is_denied(error) else ""
        return f"{operation}: {code}: {text}{hint}"
    return _line(error)


def _line(text: object) -> str:
    return " ".join(str(text).split())
