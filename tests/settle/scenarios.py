"""Scenarios: which messages arrive, in which batches, and how slow and faulty the table is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.settle import model as invocation
from tests.settle import workloads
from tests.settle.workloads import Workload, arrays

DAY = 86400.0
HOOK_SECONDS = 1  # the default of order_hooks.timeout_seconds
DERIVED_RECEIVE_COUNT = 485  # modules/queue, for an outage of a day and a timeout of 30 s


@dataclass(frozen=True)
class Period:
    """A change of the table's behaviour at a time on the queue's clock."""

    begins: float
    settings: dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    messages: Workload
    put_ms: float = 8  # median
    batch_ms: float = 15
    known_share: float = 0.0  # share of the keys that have a row beforehand
    batch_size: int = 10
    receive_count: int = 5
    timeout_seconds: int = 30
    memory_size: int = 512
    visibility_seconds: float | None = None  # by default as modules/queue derives it
    table: dict[str, Any] = field(default_factory=dict)
    periods: tuple[Period, ...] = ()
    # Whether the clock advances by what the model says that an order takes, and by pauses.
    is_virtual: bool = False
    slowness: float = 1.0  # duration of an order, as a multiple of the model's
    ends_until: float = 0.0  # on the queue's clock; messages that end invocations do so until then
    has_versions: bool = False  # the highest "revision" stays, not the latest order
    has_hooks: bool = False  # a hook that returns its order, within the default of a second

    @property
    def visibility(self) -> float:
        if self.visibility_seconds is not None:
            return self.visibility_seconds
        return 6.0 * self.timeout_seconds


def within_the_model(
    messages: int,
    workload: Callable[[int, int], Workload] = workloads.mixed,
    load: float = 1,
    **configuration: Any,
) -> Scenario:
    """Returns messages with ``load`` times as many orders as a request may have, in total.

    Failed messages are visible again immediately, so batches mix all delivery counts. Most keys
    exist, but not so many that INSERT is skipped: nearly all orders cost both calls.
    """
    scenario = Scenario(arrays(0, 0), **configuration)
    most = invocation.max_orders_per_request(
        timeout_seconds=scenario.timeout_seconds,
        memory_size=scenario.memory_size,
        batch_size=scenario.batch_size,
        max_receive_count=scenario.receive_count,
    )
    return Scenario(
        workload(messages, int(load * most / scenario.slowness)),
        put_ms=1000 * invocation.PUT_SECONDS,
        batch_ms=1000 * invocation.BATCH_CALL_SECONDS,
        known_share=0.85,
        visibility_seconds=0,
        **configuration,
    )


ON_A_CLOCK: dict[str, Any] = {"is_virtual": True, "slowness": 10}
IN_AN_OUTAGE: dict[str, Any] = {"receive_count": DERIVED_RECEIVE_COUNT, "is_virtual": True}

SCENARIOS = {
    # In which earlier versions dead-lettered good orders.
    "1000_known_in_batches_of_10": Scenario(arrays(20, 1000), 8, 15, known_share=1),
    "1000_known_at_20_ms": Scenario(arrays(20, 1000), 20, 30, known_share=1),
    "200_known_in_batches_of_100": Scenario(
        arrays(100, 200), 10, 20, known_share=1, batch_size=100
    ),
    "1000_new_in_batches_of_100": Scenario(arrays(100, 1000), 10, 30, batch_size=100),
    "1000_known_in_one_message": Scenario(arrays(1, 1000), 20, 30, known_share=1, batch_size=1),
    "10_bodies_of_small_numbers": Scenario(workloads.number_lists(10, 240_000)),
    # Any batch within the model.
    "any_batch_of_10": within_the_model(20),
    "any_batch_of_100": within_the_model(200, batch_size=100),
    "any_batch_within_6_seconds": within_the_model(40, timeout_seconds=6),
    "any_batch_on_a_core": within_the_model(40, timeout_seconds=15, memory_size=1769),
    "any_batch_on_a_seventh_of_a_core": within_the_model(20, memory_size=256),
    "most_orders_of_a_message": within_the_model(1, arrays, batch_size=1, timeout_seconds=6),
    "largest_batches_of_10": within_the_model(400, arrays, timeout_seconds=10, **ON_A_CLOCK),
    "a_third_above_the_model": within_the_model(
        400, arrays, load=1.3, timeout_seconds=10, **ON_A_CLOCK
    ),
    "largest_batches_of_30": within_the_model(400, arrays, batch_size=30, **ON_A_CLOCK),
    "largest_batches_of_100": within_the_model(1500, arrays, batch_size=100, **ON_A_CLOCK),
    "backlog_in_batches_of_100": within_the_model(
        150, arrays, batch_size=100, receive_count=DERIVED_RECEIVE_COUNT, **ON_A_CLOCK
    ),
    # Tables and producers of other kinds.
    "half_of_the_keys_known": Scenario(arrays(20, 1000), known_share=0.5),
    "backlog_of_updates": Scenario(workloads.updates(60, 300, 1000), known_share=1, batch_size=100),
    "versions_out_of_order": Scenario(
        workloads.versions_out_of_order(100, 100, 300),
        known_share=0.5,
        table={"stalled_share": 0.02, "stalled_seconds": 5.0},
        visibility_seconds=0,
        receive_count=DERIVED_RECEIVE_COUNT,
        has_versions=True,
    ),
    "6_mb_of_number_lists": Scenario(workloads.number_lists(30, 255_000), batch_size=100),
    "6_mb_of_messages_of_1_mib": Scenario(workloads.largest_messages(12), batch_size=10),
    "messages_of_1_mib_in_the_least_time": Scenario(
        workloads.largest_messages(12),
        known_share=1,
        timeout_seconds=invocation.timeout_for_two_messages(2**20),
    ),
    "messages_of_1_mib_with_hooks_in_the_least_time": Scenario(
        workloads.largest_messages(12),
        known_share=1,
        timeout_seconds=invocation.timeout_for_two_messages(2**20, HOOK_SECONDS),
        has_hooks=True,
    ),
    # The plan allows a batch of 25 such messages.
    "6_mb_of_256_kib_within_11_seconds": Scenario(
        workloads.number_lists(24, 255_000), known_share=1, batch_size=100, timeout_seconds=11
    ),
    "6_mb_of_256_kib_with_hooks_within_18_seconds": Scenario(
        workloads.number_lists(24, 255_000),
        known_share=1,
        batch_size=100,
        timeout_seconds=18,
        has_hooks=True,
    ),
    "6_mb_of_small_orders": Scenario(
        arrays(250, 1000, {}), batch_size=1000, receive_count=DERIVED_RECEIVE_COUNT
    ),
    "1000_sort_keys_of_one_partition": Scenario(
        workloads.one_partition(1, 1000), table={"units_per_second": 1000}
    ),
    "throttled_partition": Scenario(
        workloads.one_partition(60, 1000),
        table={"units_per_second": 1000},
        receive_count=DERIVED_RECEIVE_COUNT,
    ),
    "slow_endpoint": Scenario(
        arrays(20, 200),
        known_share=0.5,
        table={"stalled_share": 0.02, "stalled_seconds": 5.0},
        receive_count=DERIVED_RECEIVE_COUNT,
    ),
    # Long ones.
    "throttled_for_an_hour": Scenario(
        arrays(20, 100),
        periods=(Period(0, {"failure": "ThrottlingException"}), Period(3600, {"failure": ""})),
        **IN_AN_OUTAGE,
    ),
    "outage_of_a_day": Scenario(
        arrays(30, 20),
        known_share=0.5,
        periods=(
            Period(0, {"failure": "InternalServerError"}),
            Period(DAY / 3, {"failure": "closed"}),
            Period(2 * DAY / 3, {"failure": "ThrottlingException"}),
            Period(DAY, {"failure": ""}),
        ),
        **IN_AN_OUTAGE,
    ),
    "one_in_100_exhausts_the_memory": Scenario(
        workloads.some_end_their_invocation(500, 100, "memory", DAY / 2),
        ends_until=DAY,
        **IN_AN_OUTAGE,
    ),
    "one_in_100_exhausts_the_time": Scenario(
        workloads.some_end_their_invocation(500, 100, "time", DAY / 2),
        ends_until=DAY,
        **IN_AN_OUTAGE,
    ),
}
