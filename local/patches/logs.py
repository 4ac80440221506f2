"""What the emulator's CloudWatch Logs lacks that an operator uses."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from local.patches import around, internal, patch

JsonObject = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]

MAX_DEFINITIONS = 1000  # of a page, and by default


@patch
def queries_can_be_saved() -> None:
    """AWS: a query of Logs Insights is saved, listed and deleted by its definition.

    "PutQueryDefinition", "DescribeQueryDefinitions" and "DeleteQueryDefinition", Amazon CloudWatch
    Logs API Reference. The emulator knows none of the three actions.
    """
    answer = internal("services.cloudwatch_logs", "json_response")
    refuse = internal("services.cloudwatch_logs", "error_response_json")
    kept: JsonObject = internal("services.cloudwatch_logs", "AccountRegionScopedDict")()

    def put(data: JsonObject) -> Response:
        if not data.get("name") or not data.get("queryString"):
            return refuse("InvalidParameterException", "name and queryString are required", 400)  # type: ignore[no-any-return]
        name_of_id = data.get("queryDefinitionId") or str(uuid.uuid4())
        if data.get("queryDefinitionId") and name_of_id not in kept:
            return refuse("ResourceNotFoundException", "There is no such query definition.", 400)  # type: ignore[no-any-return]
        members = ("name", "queryString", "logGroupNames", "queryLanguage")
        kept[name_of_id] = {name: data[name] for name in members if data.get(name)} | {
            "queryDefinitionId": name_of_id,
            "lastModified": int(time.time() * 1000),
        }
        return answer({"queryDefinitionId": name_of_id})  # type: ignore[no-any-return]

    def describe(data: JsonObject) -> Response:
        prefix = data.get("queryDefinitionNamePrefix") or ""
        found = [one for one in kept.values() if one["name"].startswith(prefix)]
        found.sort(key=lambda one: one["name"])
        first = int(data.get("nextToken") or 0)
        after = first + int(data.get("maxResults") or MAX_DEFINITIONS)
        more = {"nextToken": str(after)} if after < len(found) else {}
        return answer({"queryDefinitions": found[first:after], **more})  # type: ignore[no-any-return]

    def delete(data: JsonObject) -> Response:
        if kept.pop(str(data.get("queryDefinitionId")), None) is None:
            return refuse("ResourceNotFoundException", "There is no such query definition.", 400)  # type: ignore[no-any-return]
        return answer({"success": True})  # type: ignore[no-any-return]

    actions = {
        "PutQueryDefinition": put,
        "DescribeQueryDefinitions": describe,
        "DeleteQueryDefinition": delete,
    }

    @around("services.cloudwatch_logs", "handle_request")
    async def handle(  # noqa: PLR0917 - as the emulator has it
        original: Any, method: Any, path: Any, headers: Any, body: Any, query_params: Any
    ) -> Response:
        action = actions.get(headers.get("x-amz-target", "").rpartition(".")[2])
        if action is None:
            unchanged: Response = await original(method, path, headers, body, query_params)
            return unchanged
        return action(json.loads(body))

    @around("services.cloudwatch_logs", "reset")
    def reset(original: Any) -> None:
        original()
        kept.clear()
