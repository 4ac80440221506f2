"""A stand-in for SQS that confirms every SendMessage at once."""

import hashlib
from typing import Any

from benchmarks.stub import Stub, serve
from shared.queues import md5_of_attributes


class SqsStub(Stub):
    def answer(self, _operation: str, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        body = parameters["MessageBody"].encode()
        digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
        output = {"MessageId": digest, "MD5OfMessageBody": digest}
        if attributes := parameters.get("MessageAttributes"):
            output["MD5OfMessageAttributes"] = md5_of_attributes(attributes)
        return 200, output


if __name__ == "__main__":
    serve(SqsStub)
