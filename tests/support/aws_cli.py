"""Commands of the AWS CLI as calls of boto3, whose model says what the options are."""

import json
import re
import shlex
from collections.abc import Callable, Mapping
from string import Template
from typing import Any

from botocore import xform_name

COMMAND = re.compile(r"\baws [a-z0-9]+ [a-z0-9-]+(?: [^`\n]*)?")


def commands_in(text: str) -> list[str]:
    """Returns the commands in the code of a page of Markdown, in order."""
    return COMMAND.findall(text)


def run(client: Callable[[str], Any], command: str, variables: Mapping[str, str]) -> Any:
    """Runs a command such as `aws sqs purge-queue --queue-url "$URL"`. Raises ClientError."""
    _, service, name, *words = shlex.split(Template(command).substitute(variables))
    api = client(service)
    method = name.replace("-", "_")
    operation = next(
        one for one in api.meta.service_model.operation_names if xform_name(one) == method
    )
    members = api.meta.service_model.operation_model(operation).input_shape.members
    known = {member.lower(): (member, shape) for member, shape in members.items()}
    arguments: dict[str, Any] = {}
    while words:
        option = words.pop(0).removeprefix("--")
        is_off = option.startswith("no-")
        member, shape = known[option.removeprefix("no-").replace("-", "")]
        arguments[member] = (
            not is_off if shape.type_name == "boolean" else _value(words.pop(0), shape)
        )
    return getattr(api, method)(**arguments)


def _value(text: str, shape: Any) -> Any:
    if shape.type_name in ("integer", "long"):
        return int(text)
    if shape.type_name in ("structure", "map"):
        return json.loads(text)
    return [text] if shape.type_name == "list" else text
