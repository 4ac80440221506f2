"""Answers a repeated request of Terraform's provider as the first time.

On a busy machine, an answer of the local stack is now and then lost on its way. The provider's SDK
then sends the request again, as another attempt of the same invocation; what the first one has made
"already exists", and an apply fails that would not fail on AWS. Functions and other clients are
left alone: what becomes of their repeated requests is what the tests are about.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

KEPT = 1000  # invocations: the provider repeats a request within seconds
CLIENT = b"terraform-provider-aws"  # in its User-Agent
INVOCATION = b"amz-sdk-invocation-id"  # the same in each attempt of an SDK of AWS


class OncePerInvocation:
    """An ASGI application in front of another, which sees each successful invocation once."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._answers: OrderedDict[bytes, asyncio.Future[list[Message]]] = OrderedDict()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        invocation = headers.get(INVOCATION)
        if invocation is None or CLIENT not in headers.get(b"user-agent", b""):
            await self._app(scope, receive, send)
            return
        known = self._answers.get(invocation)
        if known is not None and (messages := await known):
            for message in messages:
                await send(message)
            return
        answer = self._answers[invocation] = asyncio.get_running_loop().create_future()
        if len(self._answers) > KEPT:
            self._answers.popitem(last=False)
        messages = []

        async def keep(message: Message) -> None:
            messages.append(message)
            await send(message)

        try:
            await self._app(scope, receive, keep)
        finally:
            is_success = bool(messages) and messages[0].get("status", 500) < 300
            answer.set_result(messages if is_success else [])
