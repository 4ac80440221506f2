"""The CPU and memory of functions. Only with --function-limits."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from local.limits import ARE_POSSIBLE, CpuShare, Limit, MemoryLimit, Watch
from local.patches import PatchError, around, patch

MEGABYTES_OF_A_CORE = 1769
DEFAULT_MEGABYTES = 128


@patch
def functions_have_the_cpu_of_their_memory_size() -> None:
    """AWS: a function has CPU in proportion to its memory size, one core at 1,769 MB.

    "Configure Lambda function memory", AWS Lambda Developer Guide. A cold start has more, so the
    limit begins after it. The emulator lets each worker use every core.
    """

    def share(process: Any, megabytes: int) -> Limit:
        return CpuShare(process, megabytes / MEGABYTES_OF_A_CORE)

    _limit_workers(share)


@patch
def functions_end_with_the_memory_of_their_size() -> None:
    """AWS: an invocation that needs more memory than the function's memory size is ended.

    "Configure Lambda function memory" and "Troubleshoot execution issues in Lambda", AWS Lambda
    Developer Guide. The emulator lets each worker use all memory of the machine.
    """
    _limit_workers(MemoryLimit)


_watch = Watch()


def _limit_workers(limit: Callable[[Any, int], Limit]) -> None:
    if not ARE_POSSIBLE:
        raise PatchError("limits need Linux: leave out --function-limits")

    @functools.cache
    def limited(worker: Any) -> Any:
        class Limited(worker):  # type: ignore[misc] # the class is known only at run time
            def _spawn(self, *args: Any, **kwargs: Any) -> None:
                super()._spawn(*args, **kwargs)
                size = self.config.get("MemorySize", DEFAULT_MEGABYTES)
                _watch.add(limit(self._proc, size))

        return Limited

    @around("core.lambda_runtime", "_worker_class_for")
    def worker_class(original: Any, config: dict[str, Any]) -> Any:
        return limited(original(config))
