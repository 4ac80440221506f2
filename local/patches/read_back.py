"""What the emulator reads back incompletely, so that Terraform's second plan would not be empty."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.sax.saxutils import escape

from local.patches import around, insert_after, internal, patch

Response = tuple[int, dict[str, str], bytes]


@patch
def lambda_target_groups_have_no_network() -> None:
    """AWS: a target group of type lambda has no protocol, port or VPC, and no health checks.

    "TargetGroup" and "CreateTargetGroup", Elastic Load Balancing API Reference: health checks are
    off unless requested. The emulator answers HTTP, 80 and an empty VPC, and turns them on.
    """
    parameter = internal("services.alb", "_p")

    @around("services.alb", "_ACTION_MAP[CreateTargetGroup]")
    def create(original: Any, params: Any) -> Response:
        if parameter(params, "TargetType") == "lambda" and "HealthCheckEnabled" not in params:
            params = {**params, "HealthCheckEnabled": ["false"]}
        response: Response = original(params)
        return response

    @around("services.alb", "_tg_xml")
    def target_group_xml(original: Any, tg: dict[str, Any]) -> str:
        xml: str = original(tg)
        if tg.get("TargetType") != "lambda":
            return xml
        network = "Protocol|Port|VpcId|HealthCheckProtocol|HealthCheckPort"
        return re.sub(rf"<({network})>[^<]*</\1>", "", xml)


@patch
def mappings_keep_their_metrics_config() -> None:
    """AWS: an event source mapping returns the MetricsConfig that it was given.

    "EventSourceMappingConfiguration", AWS Lambda API Reference. The emulator drops it.
    """
    _mappings_keep("MetricsConfig")


@patch
def mappings_keep_their_pollers() -> None:
    """AWS: an event source mapping returns the ProvisionedPollerConfig that it was given.

    "EventSourceMappingConfiguration", AWS Lambda API Reference. The emulator drops it.
    """
    _mappings_keep("ProvisionedPollerConfig")


@patch
def mappings_lose_their_maximum_concurrency() -> None:
    """AWS: an update with an empty ScalingConfig removes the maximum concurrency.

    This is how terraform-provider-aws removes a scaling_config (resourceEventSourceMappingUpdate).
    The emulator returns an empty one.
    """
    _mappings_keep("ScalingConfig")


def _mappings_keep(member: str) -> None:
    """Keeps a member of a mapping; an empty one, as Terraform sends it, removes it."""
    mappings = internal("services.lambda_svc", "_esms")
    public_members = internal("services.lambda_svc", "_esm_response")
    json_response = internal("services.lambda_svc", "json_response")

    def keep(response: Response, data: dict[str, Any]) -> Response:
        if response[0] >= 300 or member not in data:
            return response
        mapping = mappings[json.loads(response[2])["UUID"]]
        mapping[member] = data[member]
        if not data[member]:
            del mapping[member]
        return json_response(public_members(mapping), response[0])  # type: ignore[no-any-return]

    @around("services.lambda_svc", "_create_esm")
    def create(original: Any, data: dict[str, Any]) -> Response:
        return keep(original(data), data)

    @around("services.lambda_svc", "_update_esm")
    def update(original: Any, esm_id: str, data: dict[str, Any]) -> Response:
        return keep(original(esm_id, data), data)


@patch
def vpc_endpoints_keep_policy_dns_and_groups() -> None:
    """AWS: an endpoint returns its policy, whether private DNS is on, and its security groups.

    "VpcEndpoint" and "ModifyVpcEndpoint", Amazon EC2 API Reference: without a policy, and after
    ResetPolicy, it has one that allows everything. The emulator forgets all three.
    """
    full_access = (
        '{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}],'
        '"Version":"2008-10-17"}'
    )
    endpoints = internal("services.ec2", "_vpc_endpoints")
    parameter = internal("services.ec2", "_p")
    parameters = internal("services.ec2", "_parse_member_list")
    xml_response = internal("services.ec2", "_xml")

    @around("services.ec2", "_vpce_fields_xml")
    def endpoint_xml(original: Any, ep: dict[str, Any], tag: str = "item") -> str:
        groups = "".join(
            f"<item><groupId>{group}</groupId></item>" for group in ep.get("Groups", [])
        )
        return insert_after(
            original(ep, tag),
            "</ownerId>",
            f"<policyDocument>{escape(ep.get('PolicyDocument') or '')}</policyDocument>"
            f"<privateDnsEnabled>{ep.get('PrivateDnsEnabled', 'false')}</privateDnsEnabled>"
            f"<groupSet>{groups}</groupSet>",
        )

    @around("services.ec2", "_ACTION_MAP[CreateVpcEndpoint]")
    def create(original: Any, p: Any) -> Response:
        known = set(endpoints)
        original(p)
        (endpoint_id,) = set(endpoints) - known
        endpoint = endpoints[endpoint_id]
        endpoint["PolicyDocument"] = parameter(p, "PolicyDocument") or full_access
        endpoint["PrivateDnsEnabled"] = parameter(p, "PrivateDnsEnabled") or "false"
        endpoint["Groups"] = parameters(p, "SecurityGroupId")
        # Looked up in the module, where it is the function above.
        fields = internal("services.ec2", "_vpce_fields_xml")(endpoint, tag="vpcEndpoint")
        return xml_response(200, "CreateVpcEndpointResponse", fields)  # type: ignore[no-any-return]

    @around("services.ec2", "_ACTION_MAP[ModifyVpcEndpoint]")
    def modify(original: Any, p: Any) -> Response:
        response: Response = original(p)
        endpoint = endpoints.get(parameter(p, "VpcEndpointId"))
        if endpoint:
            if parameter(p, "ResetPolicy").lower() == "true":
                endpoint["PolicyDocument"] = full_access
            if private_dns := parameter(p, "PrivateDnsEnabled"):
                endpoint["PrivateDnsEnabled"] = private_dns
            removed = parameters(p, "RemoveSecurityGroupId")
            kept = [group for group in endpoint.get("Groups", []) if group not in removed]
            endpoint["Groups"] = kept + parameters(p, "AddSecurityGroupId")
        return response


@patch
def flow_logs_keep_role_interval_and_format() -> None:
    """AWS: a flow log returns its role, its aggregation interval and its format.

    "FlowLog", Amazon EC2 API Reference; the default format from "Flow log records", Amazon VPC User
    Guide. The emulator forgets all three, and the tags: it looks for them under another resource
    type.
    """
    flow_logs = internal("services.ec2", "_flow_logs")
    parameter = internal("services.ec2", "_p")
    parse_tags = internal("services.ec2", "_parse_tag_specs")
    default_format = (
        "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} "
        "${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}"
    )

    @around("services.ec2", "_ACTION_MAP[CreateFlowLogs]")
    def create(original: Any, params: Any) -> Response:
        known = set(flow_logs)
        response: Response = original(params)
        for flow_log_id in set(flow_logs) - known:
            flow_logs[flow_log_id]["DeliverLogsPermissionArn"] = parameter(
                params, "DeliverLogsPermissionArn"
            )
            flow_logs[flow_log_id]["MaxAggregationInterval"] = (
                parameter(params, "MaxAggregationInterval") or "600"
            )
            flow_logs[flow_log_id]["LogFormat"] = parameter(params, "LogFormat") or default_format
            parse_tags(params, "vpc-flow-log", flow_log_id)
        return response

    @around("services.ec2", "_ACTION_MAP[DescribeFlowLogs]")
    def describe(original: Any, params: Any) -> Response:
        status, headers, body = original(params)
        xml = body.decode()
        for flow_log_id, flow_log in flow_logs.items():
            tag = f"<flowLogId>{flow_log_id}</flowLogId>"
            if tag not in xml:
                continue
            members = ("DeliverLogsPermissionArn", "MaxAggregationInterval", "LogFormat")
            values = {name: flow_log.get(name) for name in members}
            kept = "".join(
                f"<{name[0].lower()}{name[1:]}>{escape(value)}</{name[0].lower()}{name[1:]}>"
                for name, value in values.items()
                if value
            )
            xml = insert_after(xml, tag, kept)
        return status, headers, xml.encode()


@patch
def security_group_rules_keep_prefix_lists() -> None:
    """AWS: a rule may name a prefix list instead of an address range, and returns it.

    "SecurityGroupRule" and "IpPermission", Amazon EC2 API Reference. The emulator neither reads it
    from the request nor writes it into the rule.
    """
    parameter = internal("services.ec2", "_p")

    @around("services.ec2", "_parse_ip_permissions")
    def parse(original: Any, params: Any, prefix: str) -> list[dict[str, Any]]:
        rules: list[dict[str, Any]] = original(params, prefix)
        for number, rule in enumerate(rules, 1):
            entry, position = f"{prefix}.{number}.PrefixListIds", 1
            while prefix_list_id := parameter(params, f"{entry}.{position}.PrefixListId"):
                prefix_list = {"PrefixListId": prefix_list_id}
                if description := parameter(params, f"{entry}.{position}.Description"):
                    prefix_list["Description"] = description
                rule["PrefixListIds"].append(prefix_list)
                position += 1
        return rules

    @around("services.ec2", "_sg_rule_xml")
    def rule_xml(original: Any, sg_id: str, rule: dict[str, Any], is_egress: bool = False) -> str:
        xml: str = original(sg_id, rule, is_egress)
        for prefix_list in rule.get("PrefixListIds", []):
            addition = f"<prefixListId>{prefix_list['PrefixListId']}</prefixListId>"
            xml = insert_after(xml, "</toPort>", addition)
        return xml


@patch
def log_groups_change_their_key() -> None:
    """AWS: AssociateKmsKey sets the key of a log group, DisassociateKmsKey removes it.

    "AssociateKmsKey", Amazon CloudWatch Logs API Reference. The emulator only accepts a key at
    creation.
    """
    groups = internal("services.cloudwatch_logs", "_log_groups")
    json_response = internal("services.cloudwatch_logs", "json_response")
    error = internal("services.cloudwatch_logs", "error_response_json")

    @around("services.cloudwatch_logs", "handle_request")
    async def handle(  # noqa: PLR0917 - as the emulator has it
        original: Any,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: Any,
    ) -> Response:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action not in {"AssociateKmsKey", "DisassociateKmsKey"}:
            response: Response = await original(method, path, headers, body, query_params)
            return response
        data = json.loads(body)
        group = groups.get(data.get("logGroupName"))
        if group is None:
            text = "The specified log group does not exist."
            return error("ResourceNotFoundException", text, 400)  # type: ignore[no-any-return]
        group["kmsKeyId"] = data.get("kmsKeyId")
        return json_response({})  # type: ignore[no-any-return]


@patch
def listeners_keep_mutual_authentication() -> None:
    """AWS: a listener keeps how it verifies the certificates of clients.

    "MutualAuthenticationAttributes", Elastic Load Balancing API Reference. The emulator drops it.
    No certificate is verified here either.
    """
    listeners = internal("services.alb", "_listeners")
    parameter = internal("services.alb", "_p")
    xml_response = internal("services.alb", "_xml")
    members = ("Mode", "TrustStoreArn", "IgnoreClientCertificateExpiry")

    @around("services.alb", "_listener_xml")
    def listener_xml(original: Any, l: dict[str, Any]) -> str:  # noqa: E741 - as the emulator has it
        kept = l.get("MutualAuthentication", {})
        inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in kept.items())
        xml: str = original(l)
        addition = f"<MutualAuthentication>{inner}</MutualAuthentication>" if kept else ""
        return insert_after(xml, "<member>", addition)

    def keep_after(action: str) -> None:
        @around("services.alb", f"_ACTION_MAP[{action}]")
        def change(original: Any, params: Any) -> Response:
            answer: Response = original(params)
            found = re.search(rb"<ListenerArn>([^<]+)<", answer[2])
            given = {one: parameter(params, f"MutualAuthentication.{one}") for one in members}
            if answer[0] != 200 or not found or not given["Mode"]:
                return answer
            listener = listeners[found[1].decode()]
            listener["MutualAuthentication"] = {k: value for k, value in given.items() if value}
            xml = internal("services.alb", "_listener_xml")(listener)
            return xml_response(200, action, f"<Listeners>{xml}</Listeners>")  # type: ignore[no-any-return]

    keep_after("CreateListener")
    keep_after("ModifyListener")
