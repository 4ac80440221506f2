"""The model of an invocation of process in invocation.tf; test_invocation compares the two."""

import math

PARALLEL_CALLS = 8
RESERVE_SECONDS = 3
READ_SECONDS = 1.5
READ_BYTES = 262144
PUT_SECONDS = 0.020
BATCH_CALL_SECONDS = 0.050
ORDERS_PER_BATCH_CALL = 25
CPU_SECONDS_PER_ORDER = 0.0006
MEMORY_SIZE_OF_A_CORE = 1769


def cpu_share(memory_size: int) -> float:
    """Returns the function's share of a core."""
    return min(1.0, memory_size / MEMORY_SIZE_OF_A_CORE)


def orders_per_invocation(
    timeout_seconds: float, memory_size: int, max_message_bytes: int = READ_BYTES
) -> float:
    seconds_per_order = (
        PUT_SECONDS / PARALLEL_CALLS
        + BATCH_CALL_SECONDS / ORDERS_PER_BATCH_CALL / PARALLEL_CALLS
        + CPU_SECONDS_PER_ORDER / cpu_share(memory_size)
    )
    reserve_seconds = RESERVE_SECONDS + READ_SECONDS * max(0, max_message_bytes / READ_BYTES - 1)
    return (timeout_seconds - reserve_seconds) / seconds_per_order


def max_orders_per_request(
    *,
    timeout_seconds: float,
    memory_size: int,
    batch_size: int,
    max_receive_count: int,
    max_message_bytes: int = READ_BYTES,
) -> int:
    orders = orders_per_invocation(timeout_seconds, memory_size, max_message_bytes)
    return max(
        1, math.floor(min(1000, 0.5 * orders, 0.33 * orders * max_receive_count / batch_size))
    )


def read_timeout_seconds(timeout_seconds: float) -> float:
    """Returns how long one attempt at a call waits for its answer."""
    return min(3, (timeout_seconds - RESERVE_SECONDS) / 2 - 1)
