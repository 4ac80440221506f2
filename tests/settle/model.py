"""The model of an invocation of process in invocation.tf; test_invocation compares the two."""

import math

PARALLEL_CALLS = 8
RESERVE_SECONDS = 3
READ_SECONDS = 1.5
READ_BYTES = 262144
HOOK_READ_FACTOR = 2
BATCH_BYTES = 6291456
PUT_SECONDS = 0.020
BATCH_CALL_SECONDS = 0.050
ORDERS_PER_BATCH_CALL = 25
CPU_SECONDS_PER_ORDER = 0.0006
MEMORY_SIZE_OF_A_CORE = 1769


def cpu_share(memory_size: int) -> float:
    """Returns the function's share of a core."""
    return min(1.0, memory_size / MEMORY_SIZE_OF_A_CORE)


def orders_per_invocation(
    timeout_seconds: float,
    memory_size: int,
    max_message_bytes: int = READ_BYTES,
    hook_seconds: float = 0,
) -> float:
    seconds_per_order = (
        PUT_SECONDS / PARALLEL_CALLS
        + BATCH_CALL_SECONDS / ORDERS_PER_BATCH_CALL / PARALLEL_CALLS
        + CPU_SECONDS_PER_ORDER / cpu_share(memory_size)
    )
    largest = _message_seconds(max(max_message_bytes, READ_BYTES), hook_seconds)
    reserve_seconds = RESERVE_SECONDS - READ_SECONDS + largest
    return (timeout_seconds - reserve_seconds - hook_seconds) / seconds_per_order


def max_orders_per_request(
    *,
    timeout_seconds: float,
    memory_size: int,
    batch_size: int,
    max_receive_count: int,
    max_message_bytes: int = READ_BYTES,
    hook_seconds: float = 0,
) -> int:
    orders = orders_per_invocation(timeout_seconds, memory_size, max_message_bytes, hook_seconds)
    return max(
        1, math.floor(min(1000, 0.5 * orders, 0.33 * orders * max_receive_count / batch_size))
    )


def timeout_for_two_messages(max_message_bytes: int, hook_seconds: float = 0) -> int:
    """Returns the shortest process_timeout_seconds for queue_max_message_bytes above READ_BYTES."""
    return math.ceil(RESERVE_SECONDS + 2 * _message_seconds(max_message_bytes, hook_seconds))


def largest_messages_read(
    *,
    timeout_seconds: float,
    max_receive_count: int,
    max_message_bytes: int,
    hook_seconds: float = 0,
) -> int:
    """Returns how many of the largest messages all deliveries of a batch have time to read."""
    time = timeout_seconds - RESERVE_SECONDS
    return math.floor(time / _message_seconds(max_message_bytes, hook_seconds)) * max_receive_count


def _message_seconds(max_message_bytes: int, hook_seconds: float) -> float:
    factor = HOOK_READ_FACTOR if hook_seconds else 1
    return factor * READ_SECONDS * max_message_bytes / READ_BYTES


def read_timeout_seconds(timeout_seconds: float) -> float:
    """Returns how long one attempt at a call waits for its answer."""
    return min(3, (timeout_seconds - RESERVE_SECONDS) / 2 - 1)
