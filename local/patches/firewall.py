"""What the emulator's AWS WAF lacks that a configuration of a web ACL needs."""

from __future__ import annotations

import json
from typing import Any

from local.patches import around, internal, patch

Response = tuple[int, dict[str, str], bytes]


@patch
def web_acls_keep_their_logging() -> None:
    """AWS: a web ACL has a logging configuration, to be put, read and deleted.

    "PutLoggingConfiguration", AWS WAFV2 API Reference. The emulator knows none of these actions.
    Here a configuration is kept as it was sent, and nothing is logged.
    """
    answer = internal("services.waf", "json_response")
    refusal = internal("services.waf", "error_response_json")
    kept: dict[str, dict[str, Any]] = internal("services.waf", "AccountRegionScopedDict")()

    @around("services.waf", "handle_request")
    async def handle(  # noqa: PLR0917 - as the emulator has it
        original: Any, method: Any, path: Any, headers: Any, body: Any, query_params: Any
    ) -> Response:
        action = headers.get("x-amz-target", "").split(".")[-1]
        data = json.loads(body) if action.endswith("LoggingConfiguration") else {}
        if action == "PutLoggingConfiguration":
            kept[data["LoggingConfiguration"]["ResourceArn"]] = data["LoggingConfiguration"]
            response: Response = answer(data)
        elif action in ("GetLoggingConfiguration", "DeleteLoggingConfiguration"):
            found = kept.get(data["ResourceArn"])
            if action.startswith("Delete"):
                kept.pop(data["ResourceArn"], None)
            response = (
                answer({"LoggingConfiguration": found} if action.startswith("Get") else {})
                if found
                else refusal("WAFNonexistentItemException", "There is no logging.", 400)
            )
        else:
            response = await original(method, path, headers, body, query_params)
        return response
