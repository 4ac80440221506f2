"""What modules/observability refuses."""

from tests.terraform.refused.rows import Row, each, text

SQS = "arn:aws:sqs:eu-central-1:123456789012"
BASE = {
    "name": '"orders"',
    "listener_arn": '"arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/a/1/2"',
    "target_group_arn": '"arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/a/1"',
    "ingest_function": '{ name = "in", log_group_name = "/in", timeout_seconds = 10 }',
    "queue": f'{{ arn = "{SQS}:q", visibility_timeout_seconds = 180, retention_seconds = 345600 }}',
    "dead_letter_queue": f'{{ arn = "{SQS}:d", retention_seconds = 1209600 }}',
    "process_function": '{ name = "out", log_group_name = "/out", timeout_seconds = 30 }',
    "table_name": '"orders"',
}
TOPIC = '"arn:aws:sns:eu-central-1:123456789012:on-call"'
ACTIONS = f"[{', '.join([TOPIC] * 6)}]"
QUOTA = "but must be a whole number of at least 10"
OBJECTIVE = "but must be 95 to 99.99: below"

OBSERVABILITY = (
    *each("name", "the characters of a dashboard's name", '"no spaces"', '""', text(101)),
    *each(
        "listener_arn",
        "but must be the ARN of an Application Load Balancer's listener",
        '"orders"',
        BASE["target_group_arn"],
        BASE["listener_arn"].replace("/app/", "/net/"),
    ),
    *each(
        "target_group_arn",
        "but must be the ARN of a target group",
        '"orders"',
        BASE["listener_arn"],
    ),
    *(
        Row(queue, BASE[queue].replace(SQS, "orders"), f"{queue}.arn is")
        for queue in ("queue", "dead_letter_queue")
    ),
    Row(
        "dead_letter_queue",
        f'{{ arn = "{SQS}:d", retention_seconds = 518399 }}',
        "dead_letter_queue.retention_seconds is 518399, but must be at least two days",
    ),
    Row("alarm_actions", ACTIONS, "alarm_actions has 6 actions, but CloudWatch allows 5"),
    Row("ok_actions", ACTIONS, "ok_actions has 6 actions, but CloudWatch allows 5"),
    *each("alarm_actions", "but each must be an ARN", '["on-call"]', "[null]"),
    *each("ok_actions", "but each must be an ARN", '["on-call"]', "[null]"),
    *each(
        "disabled_alarms",
        "but no alarm has such a name: account-concurrency, availability",
        '["load-balancer-error"]',
        '["availability-1h"]',  # a window of an objective
        "[null]",
    ),
    *each("runbook", "but must have 1 to 200", '""', text(201)),
    *each(
        "oldest_message_age_seconds",
        "but must be at least 60 and below the queue's retention of 345600 s",
        "59",
        "345600",
    ),
    *each("duration_percent", "but must be 10 to 99 percent of the timeout", "9", "100"),
    *each("concurrency_percent", "but must be 10 to 99 percent of the limit", "9", "100"),
    *each("account_concurrency_quota", QUOTA, "9", "10.5"),
    *each("rejected_percent", "rejected_percent is", "0", "101"),
    *each("minimum_events", "minimum_events is", "0", "1000001", "1.5"),
    *each("availability_objective_percent", OBJECTIVE, "94.9", "99.999"),
    *each("freshness_objective_percent", OBJECTIVE, "94.9", "99.999"),
    *each("freshness_target_seconds", "but must be above 0, or null", "0", "-1"),
)
