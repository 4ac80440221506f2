"""Figures that others published from AWS, and what the simulator may say.

Each row says what was published where, and what the simulator may say: within the published range,
or why it differs.
"""

from collections.abc import Callable
from typing import NamedTuple

from async_ingest.capacity import aws, cost
from async_ingest.capacity.calibration import Calibration
from async_ingest.capacity.functions import Pollers
from async_ingest.capacity.load import Load
from async_ingest.capacity.results import Result
from async_ingest.capacity.settings import Settings
from async_ingest.capacity.simulator import simulate
from async_ingest.capacity.table import Table

NOTHING_ELSE = {
    "load_balancer_seconds": 0,
    "ingest_cpu_seconds": 0,
    "poll_seconds": 0,
    "process_cpu_seconds_per_batch": 0,
    "process_cpu_seconds_per_order": 0,
    "put_seconds": 0,
    "batch_call_seconds": 0,
}
UNLIMITED = Settings(
    process_maximum_concurrency=aws.POLLERS_QUOTA,
    process_batch_size=1,
    account_concurrency_quota=10_000,
    table_peak_write_units=100_000,
    table_write_quota=10**6,
)


class Figure(NamedTuple):
    says: str
    source: str
    lowest: float
    highest: float
    simulated: Callable[[], float]
    difference: str = ""


def consumer(duration: float, seconds: float, rate: float = 5000) -> Result:
    """One message an invocation, more of them than pollers, for some seconds."""
    known = Calibration(**NOTHING_ELSE, process_seconds_per_batch=duration, ingest_seconds=0.01)
    return simulate(UNLIMITED, Load(rate, seconds), known, drain_seconds=0)


def consumer_starts(duration: float, seconds: float) -> float:
    result = consumer(duration, seconds)
    return result.cold_starts - result.usage.ingest_cold_starts


def seconds_to_grow(settings: Settings, concurrency: float) -> float:
    pollers, seconds = Pollers(settings), 0
    while pollers.limit(1, 0, waits=True, ingest=0) < concurrency:
        seconds += 1
    return seconds


def ingest(seconds: float, quota: int = 100_000, rate: float = 20_000, lasts: float = 1) -> Result:
    known = Calibration(**{**NOTHING_ELSE, "ingest_seconds": lasts, "cold_start_seconds": 0})  # type: ignore[arg-type]
    system = Settings(account_concurrency_quota=quota)
    return simulate(system, Load(rate, seconds), known, drain_seconds=0)


def throttled_share(minutes: int, rate: float) -> float:
    """Of a new table's writes, while their rate rises steadily."""
    table, throttled = Table(aws.UNITS_OF_A_NEW_TABLE / 2, 10**6), 0.0
    seconds = 60 * minutes
    for second in range(seconds):
        units = rate * second / seconds
        if table.delay(second) > 1:
            throttled += units
        else:
            table.write(second, units)
    return throttled / (rate * seconds / 2)


def capacity_after_a_peak(peak: float, written: float, minutes: int) -> float:
    table = Table(peak, 10**6)
    for second in range(60 * minutes):
        table.write(second, written)
    table.delay(60 * minutes)
    return table.capacity


def lambda_month() -> float:
    """3 million requests of a second with 512 MB, without the free tier's share."""
    known = Calibration(**{**NOTHING_ELSE, "ingest_seconds": 1, "cold_start_seconds": 0})
    system, load = Settings(architecture="x86_64"), Load(3_000_000 / (cost.HOURS * 3600))
    paid = cost.monthly(system, load, simulate(system, load, known), cost.read_prices())
    prices = cost.read_prices()
    free = prices.of("gb_second_x86_64", 400_000) + prices.of("invocation", 1_000_000)
    return paid["ingest"] - free


EXPERIMENTS = (
    "Rehan van der Merwe, “SQS Lambda ESM Scaling Behaviour”, Batch Size vs Processing Time"
)
SLOWER = (
    "AWS publishes the most by which pollers grow, 300 a minute, and the simulator has them grow "
    "so fast while messages wait. In the experiment they grew more slowly, the more so the "
    "shorter the function ran: 100 ms at 157 a minute."
)
PROVISIONED = Settings(
    process_provisioned_pollers={"minimum": 2, "maximum": 2000}, account_concurrency_quota=100_000
)
FIGURES = [
    Figure(
        "a consumer of 600 ms has 1,060 cold starts when it has grown for 3 min 30 s",
        EXPERIMENTS, 0.95 * 1060, 1.05 * 1060,
        lambda: consumer_starts(0.6, 210),
    ),
    Figure(
        "… and 163,997 invocations until then",
        EXPERIMENTS, 0.85 * 163_997, 1.15 * 163_997,
        lambda: consumer(0.6, 210).usage.process_invocations,
    ),
    Figure(
        "a consumer of 400 ms has 795 cold starts when it has grown for 2 min 50 s",
        EXPERIMENTS, 0.9 * 795, 1.1 * 795,
        lambda: consumer_starts(0.4, 170),
    ),
    Figure(
        "… and 128,758 invocations until then",
        EXPERIMENTS, 128_758, 1.5 * 128_758,
        lambda: consumer(0.4, 170).usage.process_invocations,
        SLOWER,
    ),
    Figure(
        "a consumer of 200 ms has 358 cold starts when it has grown for 1 min 20 s",
        EXPERIMENTS, 358, 5 + 400,
        lambda: consumer_starts(0.2, 80),
        SLOWER,
    ),
    Figure(
        "a consumer of 100 ms has 195 cold starts when it has grown for 1 min 10 s",
        EXPERIMENTS, 195, 5 + 350,
        lambda: consumer_starts(0.1, 70),
        SLOWER,
    ),
    Figure(
        "pollers reach 1,250 five times faster than in about 20 minutes",
        "“Introducing faster polling scale-up for AWS Lambda functions configured with Amazon SQS”",
        0.9 * 240, 1.1 * 240,
        lambda: seconds_to_grow(UNLIMITED, 1250),
    ),
    Figure(
        "provisioned pollers add up to 1,000 of concurrency a minute, to 20,000",
        "“AWS Lambda enhances event processing with provisioned mode for SQS event-source mapping”",
        0.95 * 1200, 1.05 * 1200,
        lambda: seconds_to_grow(PROVISIONED, 20_000),
    ),
    Figure(
        "100 requests a second of 500 ms are a concurrency of 50",
        "“Understanding Lambda function scaling”", 49, 51,
        lambda: ingest(60, rate=100, lasts=0.5).usage.ingest_seconds / 60,
    ),
    Figure(
        "a function grows by 1,000 every 10 seconds: after a minute it has 6,000 to 7,000",
        "“AWS Lambda functions now scale 12 times faster when handling high-volume requests”",
        6000, 7000,
        lambda: ingest(60).ingest_concurrency,
    ),
    Figure(
        "an account with the quota of 1,000 takes 10,000 requests a second",
        "“Understanding Lambda function scaling”", 9_900, 10_000,
        lambda: ingest(60, quota=1000, lasts=0.01).requests["accepted"] / 60,
    ),
    Figure(
        "a new on-demand table takes 0 to 4,000 writes a second within a minute",
        "Yan Cui, “Understanding the scaling behaviour of DynamoDB OnDemand tables”", 0, 0,
        lambda: throttled_share(1, 4000),
    ),
    Figure(
        "… but throttles along the way to 40,000 within an hour, here as a share of the writes",
        "Yan Cui, “Understanding the scaling behaviour of DynamoDB OnDemand tables”", 0.05, 0.95,
        lambda: throttled_share(60, 40_000),
    ),
    Figure(
        "a peak of 50,000 is doubled at once, and 100,000 sustained makes it 200,000",
        "“DynamoDB on-demand capacity mode”", 200_000, 200_000,
        lambda: capacity_after_a_peak(50_000, 100_000, 31),
    ),
    Figure(
        "3 million executions of 1 s with 512 MB are 18.74 USD after the free tier",
        "“AWS Lambda Pricing”, example 1", 18.70, 18.78,
        lambda_month,
    ),
]  # fmt: skip
