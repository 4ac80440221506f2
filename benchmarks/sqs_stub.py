"""A stand-in for SQS that confirms every SendMessage at once, and for Secrets Manager."""

import hashlib
import json
from typing import Any

from benchmarks.stub import Stub, serve
from shared.queues import md5_of_attributes

KEY_ID, SECRET = "shop", "s" * 32


class SqsStub(Stub):
    def answer(self, operation: str, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if operation == "GetSecretValue":
            return 200, {"SecretString": json.dumps({KEY_ID: SECRET})}
        body = parameters["MessageBody"].encode()
        digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
        output = {"MessageId": digest, "MD5OfMessageBody": digest}
        if attributes := parameters.get("MessageAttributes"):
            output["MD5OfMessageAttributes"] = md5_of_attributes(attributes)
        return 200, output


if __name__ == "__main__":
    serve(SqsStub)
