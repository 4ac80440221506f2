"""A request of Terraform's provider that is sent again takes effect once."""

import asyncio
from typing import Any

import pytest

from local.repeats import KEPT, Message, OncePerInvocation

PROVIDER = b"APN/1.0 HashiCorp/1.0 Terraform/1.11.4 terraform-provider-aws/5.100.0"


class Creating:
    """Creates something at each request, with the statuses that it is told."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.calls = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.calls += 1
        status = self.statuses.pop(0)
        await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"%d" % self.calls})


async def ask(app: OncePerInvocation, invocation: bytes = b"1", client: bytes = PROVIDER) -> Any:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"user-agent", client), (b"amz-sdk-invocation-id", invocation)]
    await app({"type": "http", "headers": headers}, asyncio.Event().wait, send)  # type: ignore[arg-type]
    return sent[0]["status"], sent[1]["body"]


def test_another_attempt_gets_the_first_answer() -> None:
    async def run() -> list[Any]:
        app = OncePerInvocation(creating)
        return [
            await ask(app),
            *await asyncio.gather(ask(app, b"2"), ask(app, b"2")),
            await ask(app),
        ]

    creating = Creating(200, 200)
    assert asyncio.run(run()) == [(200, b"1"), (200, b"2"), (200, b"2"), (200, b"1")]
    assert creating.calls == 2


@pytest.mark.parametrize("client", [b"Boto3/1.43", b"async-ingest"])
def test_other_clients_are_left_alone(client: bytes) -> None:
    async def run() -> list[Any]:
        app = OncePerInvocation(Creating(200, 400))
        return [await ask(app, client=client) for _ in range(2)]

    assert asyncio.run(run()) == [(200, b"1"), (400, b"2")]


def test_what_failed_is_tried_again() -> None:
    async def run() -> list[Any]:
        app = OncePerInvocation(Creating(503, 200))
        return [await ask(app) for _ in range(3)]

    assert asyncio.run(run()) == [(503, b"1"), (200, b"2"), (200, b"2")]


def test_old_answers_are_forgotten() -> None:
    async def run() -> Any:
        app = OncePerInvocation(Creating(*[200] * (KEPT + 2)))
        for number in range(KEPT + 1):
            await ask(app, b"%d" % number)
        return await ask(app, b"0")

    assert asyncio.run(run()) == (200, b"%d" % (KEPT + 2))
