"""Every action that a policy allows is needed by a named caller, and every denial denies.

On the policies as applied, and those with a customer's key as planned. test_permissions.py and
test_attacker.py observe what the emulator enforces; here all of it is simulated.
"""

import json
import os
from typing import Any

import pytest

from local.emulator import ACCOUNT, REGION, ROOT
from local.stack import Stack
from local.terraform import Terraform, by_short_address
from tests.e2e.denials import DENIALS, REFUSALS, Denial, Refusal
from tests.e2e.needs import (
    INGEST,
    INVOKE,
    KEY,
    KEY_POLICY,
    LOG_KEYS,
    NEEDS,
    ROLES,
    SECRET,
    SECRETS_ENDPOINT,
    TABLE,
    TARGET_GROUP,
    Need,
)
from tests.e2e.policies import (
    Call,
    Policy,
    allows,
    decision,
    documents,
    every_action,
    role,
    without,
)
from tests.support.policies import EVERYTHING

pytestmark = pytest.mark.stack

# A grant to an AWS service needs a condition on its source. The exceptions:
NO_SOURCE = {
    (KEY_POLICY, "EncryptLogs"): (
        "CloudWatch Logs names the log group in the encryption context instead: " + LOG_KEYS
    )
}


@pytest.fixture(scope="module")
def planned(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Plans examples/complete, and the root with an existing key and table.

    Policies are unknown at plan if they name resources that the plan creates. The names are those
    of the applied system.
    """
    work = tmp_path_factory.mktemp("policies")
    example = {"domain_name": "orders.example.com", "zone_id": "Z1", "access_logs_bucket": "logs"}
    signed = {"request_signature": {"secret_arn": SECRET}}
    existing = {"kms_key": {"arn": KEY}, "existing_table": {"name": "e2e", "arn": TABLE}}
    root = os.path.relpath(ROOT, work.resolve())  # Terraform would copy an absolute path
    modules = {
        "complete": {"source": f"{root}/examples/complete", "name": "e2e", **example},
        "keyed": {"source": root, "name": "e2e", **existing},
        "signed": {"source": root, "name": "e2e", **existing, **signed},
    }
    configuration = {"provider": {"aws": {}}, "module": modules}
    (work / "main.tf.json").write_text(json.dumps(configuration))
    terraform = Terraform(work, work, stack.emulator.environment())
    terraform.init()
    return by_short_address(terraform.planned_resources())


@pytest.fixture(scope="module")
def applied(stack: Stack) -> dict[str, Policy]:
    """The applied policies, without the generated suffixes of roles and target groups."""
    found = documents(by_short_address(stack.terraform.resources()))
    for address, document in found.items():
        text = json.dumps(document)
        for function in ROLES:
            text = text.replace(stack.role_of(f"e2e-{function}"), role(f"e2e-{function}"))
        found[address] = json.loads(text)
    policy = stack.lambda_.get_policy(FunctionName="e2e-ingest", Qualifier="live")["Policy"]
    [group] = stack.emulator.client("elbv2").describe_target_groups(Names=["e2e-ingest"])[
        "TargetGroups"
    ]
    found[INVOKE] = json.loads(policy.replace(group["TargetGroupArn"], TARGET_GROUP))
    return found


@pytest.fixture(scope="module")
def policies(applied: dict[str, Policy], planned: dict[str, dict[str, Any]]) -> dict[str, Policy]:
    """All policies of a system with a customer managed key, and with signed requests."""
    found = documents(planned)
    signed = {name: found[f"signed.{name}"] for name in (INGEST, SECRETS_ENDPOINT)}
    return {**applied, **signed, KEY_POLICY: found[f"complete.{KEY_POLICY}"]}


def name_of(case: Need | Denial) -> str:
    return "-".join([case.policy.split(".")[0], case.sid, case.call.action.replace(":", "-")])


def test_every_allowed_action_has_a_need(policies: dict[str, Policy]) -> None:
    needed = {(need.policy, need.sid, need.action) for need in NEEDS}

    assert every_action(policies, "Allow") == needed


@pytest.mark.parametrize("need", NEEDS, ids=name_of)
def test_only_the_calls_that_need_an_action_fail_without_it(
    policies: dict[str, Policy], need: Need
) -> None:
    policy = policies[need.policy]
    assert allows(policy, need.call)

    rest = without(policy, need.sid, need.action)
    lost = [
        one
        for one in NEEDS
        if one.policy == need.policy and allows(policy, one.call) and not allows(rest, one.call)
    ]
    assert lost == [one for one in NEEDS if one[:3] == need[:3]]


def test_a_customer_managed_key_changes_no_role(
    applied: dict[str, Policy], planned: dict[str, dict[str, Any]]
) -> None:
    keyed = documents(planned)
    for name in ROLES.values():
        assert normalized(keyed[f"keyed.{name}"]["Statement"]) == normalized(
            applied[name]["Statement"]
        )


def test_signed_requests_add_only_the_right_to_read_the_secret(
    applied: dict[str, Policy], planned: dict[str, dict[str, Any]]
) -> None:
    policy = documents(planned)[f"signed.{INGEST}"]

    added = [
        sid for sid in normalized(policy["Statement"]) if sid in ("ReadSecret", "DecryptSecret")
    ]
    for sid in added:
        policy = without(policy, sid)
    assert len(added) == 2
    assert normalized(policy["Statement"]) == normalized(applied[INGEST]["Statement"])


def normalized(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        one["Sid"]: {
            key: sorted(value) if isinstance(value, list) else value for key, value in one.items()
        }
        for one in statements
    }


def test_every_denied_action_has_a_case(policies: dict[str, Policy]) -> None:
    tried = {(denial.policy, denial.sid, denial.action) for denial in DENIALS}

    assert every_action(policies, "Deny") == tried


@pytest.mark.parametrize("denial", DENIALS, ids=name_of)
def test_a_denial_overrides_any_permission_and_denies_nothing_else(
    policies: dict[str, Policy], denial: Denial
) -> None:
    everything = dict(EVERYTHING)
    if "Principal" in policies[denial.policy]["Statement"][0]:
        everything |= {"Principal": "*"}

    def decided(policy: Policy, call: Call) -> str:
        return decision({**policy, "Statement": [*policy["Statement"], everything]}, call)

    policy = policies[denial.policy]
    assert decided(policy, denial.call) == "Deny"
    assert decided(policy, denial.otherwise) == "Allow"
    assert decided(without(policy, denial.sid, denial.action), denial.call) == "Allow"


@pytest.mark.parametrize(
    "refusal", REFUSALS, ids=lambda one: f"{one.policy.split('.')[0]}-{one.refused.action}"
)
def test_a_call_that_differs_from_a_need_is_refused(
    policies: dict[str, Policy], refusal: Refusal
) -> None:
    assert allows(policies[refusal.policy], refusal.needed)
    assert not allows(policies[refusal.policy], refusal.refused)


def test_grants_to_services_and_to_everybody_have_conditions(
    policies: dict[str, Policy], planned: dict[str, dict[str, Any]]
) -> None:
    """No AWS service acts for another account, and "*" is restricted to this account."""
    everywhere = policies | documents(planned)
    services, without_source = set(), set()
    for name, policy in everywhere.items():
        for statement in policy["Statement"]:
            principal = statement.get("Principal")
            if principal is None or statement["Effect"] == "Deny":
                continue
            required = {
                key.lower(): values
                for operator in ("StringEquals", "ArnEquals", "ArnLike")
                for key, values in statement.get("Condition", {}).get(operator, {}).items()
            }
            if principal in ("*", {"AWS": "*"}):
                assert required["aws:principalaccount"] == ACCOUNT
            elif "Service" not in principal:
                assert principal == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
            else:
                services.add(principal["Service"])
                sources = [required[key] for key in required if key.startswith("aws:source")]
                assert all(ACCOUNT in source for source in sources)
                if not sources:
                    without_source.add((name.removeprefix("complete."), statement["Sid"]))

    assert without_source == NO_SOURCE.keys()
    assert services == {
        "elasticloadbalancing.amazonaws.com",
        "lambda.amazonaws.com",
        f"logs.{REGION}.amazonaws.com",
        "vpc-flow-logs.amazonaws.com",
    }


def test_no_other_resource_grants_permissions(
    stack: Stack, planned: dict[str, dict[str, Any]]
) -> None:
    """If this fails, these tests have to read a new kind of resource."""
    for resources in (by_short_address(stack.terraform.resources()), planned):
        types = {address.split(".aws_")[-1].split(".")[0] for address in resources}
        assert {name for name in types if name.startswith("iam_")} == {
            "iam_role",
            "iam_role_policy",
        }
        assert {name for name in types if "permission" in name or "grant" in name} == {
            "lambda_permission"
        }
        attributes = {
            name
            for values in resources.values()
            for name, value in values.items()
            if "polic" in name and value
        }
        assert attributes <= {
            *("policy", "assume_role_policy"),
            "inline_policy",  # of a role: the same as its aws_iam_role_policy
            *("redrive_policy", "redrive_allow_policy", "ssl_policy"),
        }
