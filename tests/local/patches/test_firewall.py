"""local/patches/firewall.py: what a configuration of a web ACL needs."""

from local.emulator import Emulator
from tests.local.patches.checks import Checks, code_of

check = Checks("firewall")

(
    test_every_patch_has_a_check,
    test_the_check_passes_with_the_patch,
    test_the_check_fails_without_the_patch,
) = check.tests()


@check()
def web_acls_keep_their_logging(emulator: Emulator) -> None:
    wafv2 = emulator.client("wafv2")
    visibility = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False}
    arn = wafv2.create_web_acl(
        Name="a",
        Scope="REGIONAL",
        DefaultAction={"Allow": {}},
        VisibilityConfig={**visibility, "MetricName": "a"},
    )["Summary"]["ARN"]
    group = "arn:aws:logs:us-east-1:000000000000:log-group:aws-waf-logs-a"
    given = {
        "ResourceArn": arn,
        "LogDestinationConfigs": [group],
        "RedactedFields": [{"SingleHeader": {"Name": "authorization"}}],
    }

    assert code_of(wafv2.put_logging_configuration, LoggingConfiguration=given) is None

    found = wafv2.get_logging_configuration(ResourceArn=arn)["LoggingConfiguration"]
    assert found == given
    wafv2.delete_logging_configuration(ResourceArn=arn)
    for call in (wafv2.get_logging_configuration, wafv2.delete_logging_configuration):
        assert code_of(call, ResourceArn=arn) == "WAFNonexistentItemException"
