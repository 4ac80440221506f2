"""The second implementation of the functions' calls: botocore, as Lambda's Python brings it.

Loaded only where CLIENT_IMPLEMENTATION asks for it.
"""

import base64
import json
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from shared import aws


class BotocoreClient:
    def __init__(self, service: str, region: str, read_timeout_seconds: float) -> None:
        self.client = botocore.session.Session().create_client(
            service,
            region_name=region,
            config=Config(
                connect_timeout=1,
                read_timeout=read_timeout_seconds,
                # The retry policy is aws.py's. That of the SDK knows no deadline.
                retries={"mode": "standard", "total_max_attempts": 1},
                # <account>.ddb.<region>.amazonaws.com is not what the endpoint's policy is for.
                account_id_endpoint_mode="disabled",
                user_agent="async-ingest",
            ),
        )

    def call(self, operation: str, parameters: str, deadline: aws.Deadline) -> dict[str, Any]:
        """See aws.Client."""
        arguments = json.loads(parameters)
        for attribute in arguments.get("MessageAttributes", {}).values():
            if "BinaryValue" in attribute:
                attribute["BinaryValue"] = base64.b64decode(attribute["BinaryValue"])
        return aws.with_retries(lambda: self.attempt(operation, arguments), deadline)

    def attempt(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Makes one attempt at a call.

        Raises:
            aws.CallError: It did not succeed.
        """
        try:
            output: dict[str, Any] = getattr(self.client, xform_name(operation))(**arguments)
        except ClientError as error:
            raise _call_error(error.response) from None
        except Exception as error:
            raise aws.CallError(type(error).__name__) from None
        return output


def _call_error(response: dict[str, Any]) -> aws.CallError:
    metadata = response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode", 0))
    code = str(response.get("Error", {}).get("Code") or status)
    return aws.CallError(
        code,
        status=status,
        request_id=str(metadata.get("RequestId", "")),
        is_transient=status >= 500 or status == 429 or aws.is_throttling(code),
        pause_seconds=aws.retry_after(metadata.get("HTTPHeaders", {})),
    )
