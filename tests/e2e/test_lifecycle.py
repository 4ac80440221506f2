import pytest

from local.stack import Stack

pytestmark = pytest.mark.stack

"""A second plan is empty, and a destroy leaves nothing."""


def test_a_second_plan_changes_nothing(stack: Stack) -> None:
    assert stack.terraform.pending_changes() == ""


@pytest.mark.destroys
def test_destroy_leaves_nothing(stack: Stack) -> None:
    stack.terraform.destroy()

    client = stack.emulator.client
    cloudwatch, logs = client("cloudwatch"), client("logs")
    alarms = cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    left = {
        "functions": client("lambda").list_functions()["Functions"],
        "mappings": client("lambda").list_event_source_mappings()["EventSourceMappings"],
        "queues": client("sqs").list_queues().get("QueueUrls", []),
        "tables": client("dynamodb").list_tables()["TableNames"],
        "load balancers": client("elbv2").describe_load_balancers()["LoadBalancers"],
        "target groups": client("elbv2").describe_target_groups()["TargetGroups"],
        "roles": client("iam").list_roles()["Roles"],
        "log groups": logs.describe_log_groups()["logGroups"],
        "saved queries": logs.describe_query_definitions()["queryDefinitions"],
        "metric alarms": alarms["MetricAlarms"],
        "composite alarms": alarms["CompositeAlarms"],
        "dashboards": cloudwatch.list_dashboards()["DashboardEntries"],
        "VPCs": [v for v in client("ec2").describe_vpcs()["Vpcs"] if not v["IsDefault"]],
        "endpoints": client("ec2").describe_vpc_endpoints()["VpcEndpoints"],
        "flow logs": client("ec2").describe_flow_logs()["FlowLogs"],
    }
    assert {kind: things for kind, things in left.items() if things} == {}
