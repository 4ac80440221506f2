"""Goes into process's package: a consumer that takes a while for each message, as a hook may."""

import os
import time
from typing import Any

from process import handler


def handle(event: dict[str, Any], context: Any) -> Any:
    time.sleep(len(event["Records"]) * float(os.environ["SECONDS_PER_MESSAGE"]))
    return handler.handle(event, context)
