"""Figures that others published from AWS, and what the simulator may say.

Each row has what the source states, as one figure or as a range. Where the simulator says something
else, the row has the reason, and the figure that follows from it.
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


# What another run, or a rounded figure, may differ by without a reason.
SAME = 0.02


class Figure(NamedTuple):
    says: str
    source: str
    lowest: float
    highest: float
    simulated: Callable[[], float]
    difference: str = ""
    explained: float = 0

    def is_met_by(self, simulated: float) -> bool:
        return (1 - SAME) * self.lowest <= simulated <= (1 + SAME) * self.highest


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
    "so fast while messages wait. In the experiment they grew more slowly: by 281 cold starts a "
    "minute at 400 ms, 265 at 200 ms, 157 at 100 ms."
)
GROWTH_A_SECOND = 300 / 60


def grown(seconds: float) -> float:
    """Concurrency, by what AWS publishes: from 5, by 300 a minute."""
    return 5 + GROWTH_A_SECOND * seconds


def invoked(duration: float, seconds: float) -> float:
    """Invocations until then, one after the other on each."""
    return (5 + grown(seconds)) / 2 * seconds / duration


def uneven(invocations: int, starts: int, duration: float, seconds: float) -> str:
    busy = invocations * duration / seconds
    return (
        f"The published number keeps {busy:.0f} busy on average, {busy / starts:.0%} of the cold "
        "starts; growth that is even, as the simulator's is, gives half. Whether it was not even, "
        "or what else a poller waited for, the table there does not say; the simulator counts the "
        "function's duration only here."
    )


PROVISIONED = Settings(
    process_provisioned_pollers={"minimum": 2, "maximum": 2000}, account_concurrency_quota=100_000
)
FIGURES = [
    Figure(
        "a consumer of 600 ms has 1,060 cold starts when it has grown for 3 min 30 s",
        EXPERIMENTS, 1060, 1060,
        lambda: consumer_starts(0.6, 210),
    ),
    Figure(
        "… and 163,997 invocations until then",
        EXPERIMENTS, 163_997, 163_997,
        lambda: consumer(0.6, 210).usage.process_invocations,
        uneven(163_997, 1060, 0.6, 210), invoked(0.6, 210),
    ),
    Figure(
        "a consumer of 400 ms has 795 cold starts when it has grown for 2 min 50 s",
        EXPERIMENTS, 795, 795,
        lambda: consumer_starts(0.4, 170),
        SLOWER, grown(170),
    ),
    Figure(
        "… and 128,758 invocations until then",
        EXPERIMENTS, 128_758, 128_758,
        lambda: consumer(0.4, 170).usage.process_invocations,
        f"They grew more slowly, as in the row above. {uneven(128_758, 795, 0.4, 170)}",
        invoked(0.4, 170),
    ),
    Figure(
        "a consumer of 200 ms has 358 cold starts when it has grown for 1 min 20 s",
        EXPERIMENTS, 358, 358,
        lambda: consumer_starts(0.2, 80),
        SLOWER, grown(80),
    ),
    Figure(
        "a consumer of 100 ms has 195 cold starts when it has grown for 1 min 10 s",
        EXPERIMENTS, 195, 195,
        lambda: consumer_starts(0.1, 70),
        SLOWER, grown(70),
    ),
    Figure(
        "pollers reach 1,250 five times faster than in about 20 minutes, here in seconds",
        "“Introducing faster polling scale-up for AWS Lambda functions configured with Amazon SQS”",
        240, 240,
        lambda: seconds_to_grow(UNLIMITED, 1250),
        "“About 20 minutes” is rounded: from 5 to 1,250 by 60 a minute, as the article has it, "
        "takes 20 min 45 s.",
        (1250 - 5) / GROWTH_A_SECOND,
    ),
    Figure(
        "provisioned pollers add up to 1,000 of concurrency a minute, to 20,000, here in seconds",
        "“AWS Lambda enhances event processing with provisioned mode for SQS event-source mapping”",
        1200, 1200,
        lambda: seconds_to_grow(PROVISIONED, 20_000),
    ),
    Figure(
        "100 requests a second of 500 ms are a concurrency of 50",
        "“Understanding Lambda function scaling”", 50, 50,
        lambda: ingest(60, rate=100, lasts=0.5).usage.ingest_seconds / 60,
    ),
    Figure(
        "a function grows by 1,000 every 10 seconds: after a minute it has 6,000, or 7,000 if the "
        "first 1,000 come at once",
        "“AWS Lambda functions now scale 12 times faster when handling high-volume requests”",
        6000, 7000,
        lambda: ingest(60).ingest_concurrency,
    ),
    Figure(
        "an account with the quota of 1,000 takes 10,000 requests a second",
        "“Understanding Lambda function scaling”", 10_000, 10_000,
        lambda: ingest(60, quota=1000, lasts=0.01).requests["accepted"] / 60,
    ),
    Figure(
        "a new on-demand table takes 0 to 4,000 writes a second within a minute",
        "Yan Cui, “Understanding the scaling behaviour of DynamoDB OnDemand tables”", 0, 0,
        lambda: throttled_share(1, 4000),
    ),
    Figure(
        "a peak of 50,000 is doubled at once, and 100,000 sustained makes it 200,000",
        "“DynamoDB on-demand capacity mode”", 200_000, 200_000,
        lambda: capacity_after_a_peak(50_000, 100_000, 31),
    ),
    Figure(
        "3 million executions of 1 s with 512 MB are 18.74 USD after the free tier",
        "“AWS Lambda Pricing”, example 1", 18.74, 18.74,
        lambda_month,
    ),
]  # fmt: skip
