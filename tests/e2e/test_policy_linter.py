"""Every policy passes a linter, and stays within AWS's limits at the largest inputs.

The emulator's evaluator, which test_policies.py uses, accepts any action name. parliament knows
AWS's "Service Authorization Reference" and reports unknown actions, condition keys and forms of
resources.
"""

import copy
import json
import os
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from parliament import analyze_policy_string

from local.emulator import ACCOUNT, REGION, ROOT
from local.stack import Stack
from local.terraform import Terraform, by_short_address
from tests.e2e.policies import Policy, documents

pytestmark = pytest.mark.stack

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
INGEST, PROCESS = (f"{name}.aws_iam_role_policy.this" for name in ("ingest", "process"))
INVOKE = "load_balancer.aws_lambda_permission.this"

LONGEST_NAME = "a23456789-123456789-1234"
LONGEST_PATH = f"/{'p' * 510}/"
LONGEST_TABLE = "t" * 255
LONGEST_REGION, LONGEST_PARTITION = "ap-southeast-1", "aws-us-gov"


class Known(NamedTuple):
    """A false finding."""

    issue: str
    where: str  # the end of the resource's address
    about: str  # a pattern for what the finding is about
    reason: str


KNOWN = [
    Known(
        "RESOURCE_MISMATCH",
        "aws_iam_role_policy.this",
        r"ec2:\w+ arn:\*:ec2:\*:\*:(network-interface|subnet)/\*",
        "arn:…:ec2:REGION:ACCOUNT:*/* covers both; parliament takes the first * for a type's name",
    ),
    Known(
        "RESOURCE_STAR",
        "aws_kms_key.this",
        r"kms:\w+",
        'in a key\'s own policy, "*" means this key ("Key policies in AWS KMS")',
    ),
    Known(
        "MISMATCHED_TYPE",
        "aws_kms_key.this",
        "Type mismatch: ArnEquals requires a value of type Arn but given String",
        "the encryption context is a string that holds an ARN, and AWS's own example compares it so"
        ' ("Encrypt log data in CloudWatch Logs using AWS Key Management Service")',
    ),
    Known(
        "RESOURCE_MISMATCH",
        "aws_iam_role_policy.flow_logs",
        r"logs:DescribeLogGroups \*",
        "AWS checks it on ARNs that end with log-group::log-stream: (terraform-provider-aws#8804)",
    ),
    Known(
        "INVALID_SID",
        INVOKE,
        "load-balancer",
        "Lambda takes hyphens in a statement's ID (AddPermission), IAM does not",
    ),
]


class Limit(NamedTuple):
    kind: str
    characters: int
    document: str


IAM = '"IAM and AWS STS quotas", IAM User Guide'
LIMITS = [
    # Of a managed policy, which may be created from an output for an existing role; inline: 10,240.
    Limit("aws_iam_role_policy", 6_144, IAM),
    Limit("aws_iam_role", 2_048, IAM),
    Limit("aws_sqs_queue", 8_192, '"Amazon SQS policy quotas", Amazon SQS Developer Guide'),
    Limit("aws_kms_key", 32_768, '"Resource quotas", AWS KMS Developer Guide'),
    Limit("aws_vpc_endpoint_policy", 20_480, '"AWS PrivateLink quotas", AWS PrivateLink Guide'),
    Limit("aws_lambda_permission", 20_480, '"Lambda quotas", AWS Lambda Developer Guide'),
]


def lint(address: str, policy: Policy) -> list[str]:
    """Returns the findings that are not known to be false."""
    read = copy.deepcopy(policy)
    for statement in read["Statement"]:
        if ".aws_iam_role." in f".{address}":  # a trust policy names none
            statement["Resource"] = f"arn:aws:iam::{ACCOUNT}:role/it"
    return [
        f"{finding.issue}: {named}"
        for finding in analyze_policy_string(json.dumps(read)).findings
        for named in names(finding.issue, finding.detail, policy)
        if not any(
            finding.issue == known.issue
            and f".{address}".endswith(f".{known.where}")
            and re.fullmatch(known.about, named)
            for known in KNOWN
        )
    ]


def names(issue: str, detail: Any, policy: Policy) -> list[str]:
    """Returns what a finding is about."""
    if issue == "INVALID_SID":  # the finding does not say which
        return [str(statement.get("Sid")) for statement in policy["Statement"]]
    if isinstance(detail, list):
        return [
            f"{one['action']} {one['required_format']}" if isinstance(one, dict) else str(one)
            for one in detail
        ]
    return [str(detail)]


@pytest.fixture(scope="module")
def planned(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Policy]:
    work = tmp_path_factory.mktemp("linter")
    root = os.path.relpath(ROOT, work.resolve())  # Terraform would copy an absolute path
    example = {"domain_name": "orders.example.com", "zone_id": "Z1", "access_logs_bucket": "logs"}
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{LONGEST_TABLE}"
    largest = {
        "source": root,
        "name": LONGEST_NAME,
        "role_path": LONGEST_PATH,
        "kms_key": {"arn": KEY},
        "existing_table": {"name": LONGEST_TABLE, "arn": table},
    }
    # Existing roles are known at plan, and so are the policies that name them.
    roles = {name: {"arn": longest_role(name)} for name in ("ingest", "process")}
    modules = {
        "complete": {"source": f"{root}/examples/complete", "name": LONGEST_NAME, **example},
        "largest": largest,
        "roles": {**largest, "existing_roles": roles},
    }
    (work / "main.tf.json").write_text(json.dumps({"provider": {"aws": {}}, "module": modules}))
    terraform = Terraform(work, work, stack.emulator.environment())
    terraform.init()
    return documents(by_short_address(terraform.planned_resources()))


@pytest.fixture(scope="module")
def applied(stack: Stack) -> dict[str, Policy]:
    invoke = stack.lambda_.get_policy(FunctionName="e2e-ingest", Qualifier="live")["Policy"]
    return {**documents(by_short_address(stack.terraform.resources())), INVOKE: json.loads(invoke)}


def longest_role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role{LONGEST_PATH}{name:r<64}"


def test_the_linter_finds_nothing(applied: dict[str, Policy], planned: dict[str, Policy]) -> None:
    for policies in (applied, planned):
        found = {address: lint(address, policy) for address, policy in policies.items()}

        assert {address: said for address, said in found.items() if said} == {}


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.issue)
def test_a_known_finding_still_occurs(
    applied: dict[str, Policy],
    planned: dict[str, Policy],
    monkeypatch: pytest.MonkeyPatch,
    known: Known,
) -> None:
    """Otherwise its row can be removed."""
    monkeypatch.setattr("tests.e2e.test_policy_linter.KNOWN", [])
    policies = {**planned, **applied}
    found = [
        said
        for address, policy in policies.items()
        if f".{address}".endswith(f".{known.where}")
        for said in lint(address, policy)
    ]

    assert any(said.startswith(known.issue) for said in found)


def misspelled_action(policy: Policy) -> None:
    policy["Statement"][0]["Action"] = ["logs:PutLogEvent"]


def unknown_service(policy: Policy) -> None:
    policy["Statement"][0]["Action"] = ["log:PutLogEvents"]


def condition_key_of_another_service(policy: Policy) -> None:
    policy["Statement"][0]["Condition"] = {"StringEquals": {"s3:prefix": "x"}}


def unknown_operator(policy: Policy) -> None:
    policy["Statement"][0]["Condition"] = {"StringIs": {"aws:SourceAccount": ACCOUNT}}


def resource_of_another_service(policy: Policy) -> None:
    policy["Statement"][0]["Resource"] = f"arn:aws:sqs:{REGION}:{ACCOUNT}:e2e"


def resource_of_another_form(policy: Policy) -> None:
    policy["Statement"][0]["Resource"] = f"arn:aws:logs:{REGION}:{ACCOUNT}:group/e2e"


@pytest.mark.parametrize(
    "mistake",
    [
        misspelled_action,
        unknown_service,
        condition_key_of_another_service,
        unknown_operator,
        resource_of_another_service,
        resource_of_another_form,
    ],
    ids=lambda mistake: mistake.__name__,
)
@pytest.mark.parametrize("address", [INGEST, PROCESS])
def test_the_linter_detects(
    applied: dict[str, Policy], address: str, mistake: Callable[[Policy], None]
) -> None:
    policy = copy.deepcopy(applied[address])
    statements = policy["Statement"]
    statements.sort(key=lambda one: one["Sid"] != "WriteLogs")
    mistake(policy)

    assert lint(address, policy)


def test_policies_fit_at_the_largest_inputs(
    applied: dict[str, Policy], planned: dict[str, Policy]
) -> None:
    looked_at = set()
    for address, policy in {**planned, **applied}.items():
        [limit] = [one for one in LIMITS if f".{one.kind}." in f".{address}"]
        looked_at.add(limit)
        size = len(largest(json.dumps(policy, separators=(",", ":"))))

        assert size <= limit.characters, f"{address} has {size} characters: {limit.document}"

    assert looked_at == set(LIMITS)


def largest(policy: str) -> str:
    """Returns the policy with the longest region, partition and names."""
    for name in ("ingest", "process"):
        policy = re.sub(
            rf"arn:aws:iam::{ACCOUNT}:role/e2e-{name}[^\"]*", longest_role(name), policy
        )
    return (
        policy.replace(":e2e", f":{LONGEST_NAME}")
        .replace(REGION, LONGEST_REGION)
        .replace("arn:aws:", f"arn:{LONGEST_PARTITION}:")
    )
