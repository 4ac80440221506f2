"""A pair on the local stack, created by boto3 in half a second: queue, table and both functions."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks import sides
from local.emulator import Emulator
from local.engines import Engine

BATCH_SIZE = 10
CLIENTS = 4  # that load the queue
DEADLINE_SECONDS = 60
POLL_SECONDS = 0.02


class Deployment:
    def __init__(self, emulator: Emulator, side: sides.Side) -> None:
        self._side = side
        self._lambda = emulator.client("lambda")
        self._dynamodb = emulator.client("dynamodb")
        Engine("emulator", self._dynamodb).create_table(side.name, order_id="S", item="S")
        sqs = emulator.client("sqs")
        queue_url = sqs.create_queue(QueueName=side.name, Attributes={"VisibilityTimeout": "180"})[
            "QueueUrl"
        ]
        settings = {k: v for k, v in sides.ENVIRONMENT.items() if not k.startswith("AWS_")}
        settings |= {"TABLE_NAME": side.name, "QUEUE_URL": queue_url}
        for function in ("ingest", "process"):
            self._lambda.create_function(
                FunctionName=f"{side.name}-{function}",
                Runtime="python3.13",
                Role="arn:aws:iam::000000000000:role/any",  # IAM is not enforced here
                Handler=f"{side.module.format(function)}.handle",
                Code={"ZipFile": side.zip(function)},
                Timeout=30,
                MemorySize=256,
                Environment={"Variables": settings},
            )
        queue = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
        self._mapping = self._lambda.create_event_source_mapping(
            EventSourceArn=queue["Attributes"]["QueueArn"],
            FunctionName=f"{side.name}-process",
            BatchSize=BATCH_SIZE,
            Enabled=False,
            FunctionResponseTypes=list(side.response_types),
        )["UUID"]

    def fill(self, messages: int) -> None:
        """Puts new orders on the queue, each through the pair's own ingest."""

        def send(_: int) -> None:
            answer = self._lambda.invoke(
                FunctionName=f"{self._side.name}-ingest", Payload=json.dumps(sides.request())
            )
            sides.check(json.load(answer["Payload"]))

        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(send, range(messages)))

    def drain(self, messages: int) -> float:
        """Lets process drain the queue, and returns the messages per second.

        Timing starts when the first ones are found stored: the emulator's poller takes up to a
        second to notice an enabled mapping, which is longer than our side needs for the rest.
        """
        before = self._stored()
        deadline = time.monotonic() + DEADLINE_SECONDS
        looks: list[tuple[float, int]] = []
        self._lambda.update_event_source_mapping(UUID=self._mapping, Enabled=True)
        while not looks or looks[-1][1] < messages:
            if time.monotonic() > deadline:
                raise RuntimeError(f"process of {self._side.name} does not drain its queue.")
            time.sleep(POLL_SECONDS)
            if stored := self._stored() - before:
                looks.append((time.monotonic(), stored))
        self._lambda.update_event_source_mapping(UUID=self._mapping, Enabled=False)
        (began, first), *_, (ended, last) = looks
        return (last - first) / (ended - began)

    def _stored(self) -> int:
        """Returns the number of items, which the emulator, unlike AWS, knows at any time."""
        table = self._dynamodb.describe_table(TableName=self._side.name)["Table"]
        return int(table["ItemCount"])
