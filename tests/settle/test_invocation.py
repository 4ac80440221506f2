"""The model of an invocation is the same in Terraform and in Python."""

import itertools
from pathlib import Path

from tests.settle import model
from tests.support import invocation_model

CASES = {
    f"{timeout}-{memory}-{batch}-{count}-{size}-{hook}": {
        "timeout_seconds": timeout,
        "memory_size": memory,
        "batch_size": batch,
        "max_receive_count": count,
        "max_message_bytes": size,
        "hook_seconds": hook,
    }
    for timeout, memory, batch, count, size, hook in itertools.product(
        *((6, 10, 30, 900), (256, 1769, 10240), (1, 100, 10_000), (5, 485)),
        *((4096, 262_144, 1_048_576), (0, 2)),
    )
}


def test_terraform_and_python_have_the_same_model(tmp_path: Path) -> None:
    models = invocation_model.evaluate(tmp_path, CASES)

    for name, case in CASES.items():
        orders = model.max_orders_per_request(**case)
        assert models[name]["max_orders_per_request"] == orders, name
        messages = model.largest_messages_read(
            timeout_seconds=case["timeout_seconds"],
            max_receive_count=case["max_receive_count"],
            max_message_bytes=case["max_message_bytes"],
            hook_seconds=case["hook_seconds"],
        )
        assert models[name]["largest_messages_read"] == messages, name
    numbers = models[next(iter(CASES))]["invocation"]
    assert numbers == {name: getattr(model, name.upper()) for name in numbers}
