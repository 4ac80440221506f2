"""local/patches/policies.py: policies that AWS manages."""

from local.emulator import Emulator
from tests.local.patches.checks import Checks, code_of

check = Checks("policies")

(
    test_every_patch_has_a_check,
    test_the_check_passes_with_the_patch,
    test_the_check_fails_without_the_patch,
) = check.tests()


@check()
def functions_in_a_vpc_have_a_managed_policy(emulator: Emulator) -> None:
    iam = emulator.client("iam")
    arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaENIManagementAccess"
    assert code_of(iam.get_policy, PolicyArn=arn) is None
    version = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    [statement] = version["Document"]["Statement"]

    assert "ec2:CreateNetworkInterface" in statement["Action"]
