"""The alternative implementation of the functions' calls: botocore, from Lambda's Python runtime.

Imported only if CLIENT_IMPLEMENTATION asks for it.
"""

import base64
import json
import zlib
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

from shared import aws

CONNECT_SECONDS = 1.0


class BotocoreClient:
    def __init__(self, service: str, region: str, read_timeout_seconds: float) -> None:
        self.client = botocore.session.Session().create_client(
            service,
            region_name=region,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=read_timeout_seconds,
                # aws.py retries. The SDK's own policy knows no deadline.
                retries={"mode": "standard", "total_max_attempts": 1},
                # The endpoint's policy is not meant for <account>.ddb.<region>.amazonaws.com.
                account_id_endpoint_mode="disabled",
                user_agent="async-ingest",
            ),
        )
        self.client.meta.events.register("response-received", _check)
        # An attempt cannot be cut short, so none starts that could last too long.
        self._longest_seconds = CONNECT_SECONDS + read_timeout_seconds

    def call(self, operation: str, parameters: str, deadline: aws.Deadline) -> dict[str, Any]:
        """See aws.Client."""
        arguments = json.loads(parameters)
        for attribute in arguments.get("MessageAttributes", {}).values():
            if "BinaryValue" in attribute:
                attribute["BinaryValue"] = base64.b64decode(attribute["BinaryValue"])
        return aws.with_retries(
            lambda: self.attempt(operation, arguments), deadline, self._longest_seconds
        )

    def attempt(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Makes one attempt at a call.

        Raises:
            aws.CallError: It failed.
        """
        try:
            output: dict[str, Any] = getattr(self.client, xform_name(operation))(**arguments)
        except ClientError as error:
            raise _call_error(error.response) from None
        except aws.CallError:
            raise
        except Exception as error:
            is_transient = not isinstance(error, ParamValidationError)
            raise aws.CallError(type(error).__name__, is_transient=is_transient) from None
        return output


def _check(response_dict: dict[str, Any] | None = None, **_: Any) -> None:
    """Checks what botocore does not check in an answer: its checksum, and that it is JSON.

    Raises:
        aws.CallError: The answer is damaged.
    """
    if not response_dict:
        return
    headers, body = response_dict["headers"], response_dict["body"]
    checksum = headers.get("x-amz-crc32", str(zlib.crc32(body)))
    reason = "" if checksum == str(zlib.crc32(body)) else "ChecksumMismatch"
    if response_dict["status_code"] == 200 and not isinstance(aws.parsed(body), dict):
        reason = reason or "MalformedAnswer"
    if reason:
        request_id = headers.get("x-amzn-requestid", "")
        raise aws.CallError(reason, status=response_dict["status_code"], request_id=request_id)


def _call_error(response: dict[str, Any]) -> aws.CallError:
    metadata = response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode", 0))
    code = str(response.get("Error", {}).get("Code") or status)
    return aws.CallError(
        code,
        status=status,
        request_id=str(metadata.get("RequestId", "")),
        is_transient=aws.is_transient(status, code),
        pause_seconds=aws.retry_after(metadata.get("HTTPHeaders", {})),
    )
