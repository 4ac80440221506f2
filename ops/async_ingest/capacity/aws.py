"""AWS's published limits and behaviour, with the title of the document; and what is assumed."""

from __future__ import annotations

# Lambda -----------------------------------------------------------------------------------------

# "Lambda quotas": concurrent executions, by default. A new account's may be lower.
CONCURRENCY_QUOTA = 1000
# "Lambda scaling behavior": each function may grow by 1,000 environments every 10 seconds; the rate
# is refilled continuously, and what is not used does not add up.
ENVIRONMENTS_AT_ONCE = 1000
ENVIRONMENTS_PER_SECOND = 100
# "Understanding Lambda function scaling": requests a second, ten times the concurrency.
REQUESTS_PER_CONCURRENCY = 10
# "Configure Lambda function memory": one vCPU at 1,769 MB, and proportionally less below.
MEMORY_OF_A_CORE = 1769

# Event source mapping of SQS --------------------------------------------------------------------

# "Configuring scaling behavior for SQS event source mappings": five concurrent invokes at first,
# up to 300 more a minute while messages wait, at most 1,250, and back to five.
POLLERS_AT_FIRST = 5
POLLERS_PER_SECOND = 300 / 60
POLLERS_QUOTA = 1250
# The same: a provisioned poller handles 10 concurrent invokes, 1 MB/s or 10 polls a second; they
# add up to 1,000 of concurrency a minute.
INVOKES_PER_POLLER = 10
POLLER_BYTES_PER_SECOND = 1_000_000
POLLS_PER_SECOND = 10
PROVISIONED_PER_SECOND = 1000 / 60
# "Lambda event source mappings": the most that a batch may have in bytes.
BATCH_BYTES = 6 * 1024 * 1024

# SQS --------------------------------------------------------------------------------------------

# "Amazon SQS message quotas": messages in flight of a standard queue.
IN_FLIGHT_QUOTA = 120_000
MESSAGES_PER_CALL = 10
# "Amazon SQS pricing": each 64 KB of a request is billed as one.
BILLED_BYTES = 64 * 1024
# "Amazon SQS short and long polling": a receive waits for at most 20 seconds.
LONG_POLL_SECONDS = 20

# DynamoDB ---------------------------------------------------------------------------------------

# "Best practices for designing and using partition keys effectively in DynamoDB".
UNITS_PER_PARTITION = 1000
# "DynamoDB on-demand capacity mode": what a new table takes, and that it takes twice its previous
# peak, but may throttle what exceeds that within 30 minutes.
UNITS_OF_A_NEW_TABLE = 4000
GROWTH = 2
GROWTH_SECONDS = 30 * 60
# "Quotas in Amazon DynamoDB": write request units a second of an on-demand table, by default.
TABLE_QUOTA = 40_000
# "DynamoDB read and write operations": an item's size is rounded up to 1 KB, and a write whose
# condition fails is billed as well.
BYTES_PER_UNIT = 1024

# Load balancer ----------------------------------------------------------------------------------

# "Elastic Load Balancing pricing": a capacity unit (LCU) has 25 new connections a second, 3,000
# active ones a minute, or 0.4 GB an hour with functions as targets.
LCU_CONNECTIONS_PER_SECOND = 25
LCU_BYTES_PER_HOUR = 400_000_000

# X-Ray ------------------------------------------------------------------------------------------

# "Visualize Lambda function invocations using AWS X-Ray": one request a second, and 5 % of others.
TRACES_PER_SECOND = 1
TRACED_SHARE = 0.05

ASSUMPTIONS = (
    "Requests arrive at random (Poisson): a function needs environments for three standard "
    "deviations above its mean concurrency.",
    "The load balancer keeps up: AWS does not publish how fast it grows, but reserves LCUs on "
    "request.",
    "Messages are received in the order of arrival, which a standard queue does not promise.",
    "A message that waits is taken by a free poller at once, alone if pollers suffice; only when "
    "they do not, batches fill.",
    "During a batching window, five pollers gather batches, and share the messages evenly.",
    "Pollers follow the backlog down as fast as up.",
    "An environment stays warm for the whole run.",
    "An on-demand table doubles its peak every 30 minutes, no earlier, and its partitions too.",
    "Keys spread evenly over the partitions, except for the share given as the hot key's.",
    "Clients do not repeat a request that was refused.",
    "Connections are reused for 100 requests.",
)
