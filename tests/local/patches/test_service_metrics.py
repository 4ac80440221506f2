"""local/patches/service_metrics.py: what AWS's services publish."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import eq
from typing import Any

from local.emulator import Emulator
from local.waiting import eventually
from tests.local.patches.checks import Checks
from tests.local.support import balance, deploy, enqueue, map_queue, processed

check = Checks("service_metrics")

(
    test_every_patch_has_a_check,
    test_the_check_passes_with_the_patch,
    test_the_check_fails_without_the_patch,
) = check.tests()

# Fails if the path or the message says so, and otherwise reports the first message as failed.
FUNCTION = """
def handle(event, context):
    print("called")
    if event.get("path") == "/fail":
        raise ValueError
    if "Records" in event:
        return {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}
    return {"statusCode": int(event["path"][1:] or 200), "body": ""}
"""


def statistic(
    emulator: Emulator, namespace: str, name: str, statistic: str, **dimensions: str
) -> float | None:
    """Returns a statistic of the last and the next day, as CloudWatch's clock may be moved."""
    now = datetime.now(UTC)
    points = emulator.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        Period=86400,
        StartTime=now - timedelta(days=1),
        EndTime=now + timedelta(days=1),
        Statistics=[statistic],
    )["Datapoints"]
    return sum(point[statistic] for point in points) if points else None


def sums(
    emulator: Emulator, namespace: str, names: Mapping[str, float | None], **dimensions: str
) -> None:
    """Waits until the sums are as expected; None is no data."""
    for name, expected in names.items():
        eventually(
            partial(statistic, emulator, namespace, name, "Sum", **dimensions),
            f"{name} of {dimensions} to be {expected}",
            10,
            until=partial(eq, expected),
        )


@check()
def functions_have_their_metrics(emulator: Emulator) -> None:
    arn = deploy(emulator, "process", FUNCTION)
    functions = emulator.client("lambda")
    functions.invoke(FunctionName="process", Payload=b'{"path": "/"}')
    functions.invoke(FunctionName="process", Payload=b'{"path": "/fail"}')
    mapping = map_queue(emulator, arn, FunctionResponseTypes=["ReportBatchItemFailures"])
    enqueue(emulator, "orders", "a")
    processed(emulator, mapping)

    counts = {"Invocations": 3, "Errors": 1, "Throttles": 0}
    sums(emulator, "AWS/Lambda", counts, FunctionName="process")
    sums(emulator, "AWS/Lambda", counts, FunctionName="process", Resource="process")
    sums(emulator, "AWS/Lambda", counts)
    assert statistic(emulator, "AWS/Lambda", "Duration", "Minimum", FunctionName="process")
    most = statistic(emulator, "AWS/Lambda", "ConcurrentExecutions", "Maximum")
    assert most == 1


@check()
def mappings_have_their_metrics(emulator: Emulator) -> None:
    arn = deploy(emulator, "process", FUNCTION)
    mapping = map_queue(
        emulator,
        arn,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        MetricsConfig={"Metrics": ["EventCount"]},
    )
    enqueue(emulator, "orders", "a")
    processed(emulator, mapping)

    counts = {"PolledEventCount": 1, "FailedInvokeEventCount": 1, "DeletedEventCount": 0}
    sums(emulator, "AWS/Lambda", counts, EventSourceMappingUUID=mapping["UUID"])


@check()
def queues_have_their_metrics(emulator: Emulator) -> None:
    sqs = emulator.client("sqs")
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    enqueue(emulator, "orders", "a", "b", "c")
    for _ in range(3):  # b and c are left; one of them has been received three times
        [message] = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    [hidden] = sqs.receive_message(QueueUrl=url, VisibilityTimeout=600)["Messages"]

    emulator.request("/_ministack/cloudwatch/clock?seconds=120", method="POST")

    def greatest(name: str) -> float | None:
        return statistic(emulator, "AWS/SQS", name, "Maximum", QueueName="orders")

    assert hidden
    assert greatest("ApproximateNumberOfMessagesVisible") == 1
    assert greatest("ApproximateNumberOfMessagesNotVisible") == 1
    assert 0 < (greatest("ApproximateAgeOfOldestMessage") or 0) <= 180
    counts = {
        "NumberOfMessagesSent": 3,
        "NumberOfMessagesReceived": 4,
        "NumberOfMessagesDeleted": 1,
    }
    sums(emulator, "AWS/SQS", counts, QueueName="orders")


@check()
def load_balancers_have_their_metrics(emulator: Emulator) -> None:
    balancer = balance(emulator, "ingest", FUNCTION)
    statuses = [balancer.send(path).status for path in ("/", "/503", "/400", "/fail")]
    too_large = balancer.send("/", b"x" * (1024 * 1024 + 1)).status
    elb = emulator.client("elbv2")
    arn = elb.describe_load_balancers(Names=["ingest"])["LoadBalancers"][0]["LoadBalancerArn"]
    of_balancer = {"LoadBalancer": arn.partition(":loadbalancer/")[2]}
    of_target = of_balancer | {"TargetGroup": balancer.target_group_arn.rpartition(":")[2]}

    assert (*statuses, too_large) == (200, 503, 400, 502, 413)
    of_both: dict[str, Any] = {
        "RequestCount": 5,
        "HTTPCode_Target_2XX_Count": 1,
        "HTTPCode_Target_4XX_Count": 1,
        "HTTPCode_Target_5XX_Count": 1,
    }
    sums(emulator, "AWS/ApplicationELB", of_both, **of_balancer)
    sums(emulator, "AWS/ApplicationELB", of_both | {"LambdaUserError": 1}, **of_target)
    own = {"HTTPCode_ELB_5XX_Count": 1, "HTTPCode_ELB_4XX_Count": 1, "LambdaInternalError": None}
    sums(emulator, "AWS/ApplicationELB", own, **of_balancer)
    sums(emulator, "AWS/ApplicationELB", {"HTTPCode_ELB_5XX_Count": None}, **of_target)
