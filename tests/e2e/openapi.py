"""docs/openapi.yaml, and answers checked against it."""

from collections.abc import Iterator
from contextlib import contextmanager

import requests
import schemathesis

from local.emulator import HOST, ROOT
from local.stack import Stack

DOCUMENT = schemathesis.openapi.from_path(ROOT / "docs" / "openapi.yaml")
# Valid by the schema and refused with 400, for what no schema can say and the document tells.
DOCUMENT.config.checks.positive_data_acceptance.expected_statuses += ["400", "413"]
DOCUMENT.config.checks.negative_data_rejection.expected_statuses += ["413"]
OPERATION = DOCUMENT["/lambda/api"]["POST"]
RESPONSES = {
    int(status): DOCUMENT.raw_schema["components"]["responses"][response["$ref"].split("/")[-1]]
    for status, response in OPERATION.definition.raw["responses"].items()
}


@contextmanager
def client(stack: Stack) -> Iterator[requests.Session]:
    """Yields a client of the stack's load balancer."""
    with requests.Session() as session:
        session.trust_env = False  # no proxies
        session.verify = str(stack.emulator.ca_bundle)
        yield session


def checked_answer(stack: Stack, path: str, body: bytes, port: int = 80) -> tuple[int, str]:
    """Posts a body. Returns status and media type of the answer, which is as documented."""
    with client(stack) as session:
        headers = {"Content-Type": "application/json", "Host": f"{HOST}:{port}"}
        answer = session.post(stack.url_of(path), data=body, headers=headers)
    media = answer.headers["Content-Type"]
    assert media in RESPONSES[answer.status_code]["content"]
    OPERATION.validate_response(answer)  # against the schema, if it is in JSON
    return answer.status_code, media
