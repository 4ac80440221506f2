mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  name                      = "orders"
  vpc_id                    = "vpc-1"
  subnet_ids                = ["subnet-1", "subnet-2"]
  route_table_ids           = ["rtb-1", "rtb-2"]
  client_security_group_ids = { ingest = "sg-1", process = "sg-2" }
  client_cidr_blocks        = { others = "10.9.0.0/16" }
  queue_arns                = ["arn:aws:sqs:eu-central-1:123456789012:orders", "arn:aws:sqs:eu-central-1:123456789012:orders-dead-letter"]
  table_arns                = ["arn:aws:dynamodb:eu-central-1:123456789012:table/orders"]
  sqs_policy_documents      = ["{\"Id\":\"sqs\",\"Statement\":[]}"]
  dynamodb_policy_documents = ["{\"Id\":\"dynamodb\",\"Statement\":[]}"]
  tags                      = { team = "orders" }
}

run "wiring" {
  module { source = "./modules/vpc_endpoints" }

  assert {
    condition     = aws_vpc_endpoint.interface["sqs"].vpc_endpoint_type == "Interface" && aws_vpc_endpoint.interface["sqs"].service_name == data.aws_vpc_endpoint_service.interface["sqs"].service_name && aws_vpc_endpoint.interface["sqs"].private_dns_enabled && aws_vpc_endpoint.interface["sqs"].subnet_ids == toset(var.subnet_ids) && aws_vpc_endpoint.interface["sqs"].vpc_id == "vpc-1"
    error_message = "SQS must have a private name in the functions' subnets."
  }
  assert {
    condition     = aws_vpc_endpoint.interface["sqs"].security_group_ids == toset([aws_security_group.interface["sqs"].id]) && output.sqs_security_group_id == aws_security_group.interface["sqs"].id && aws_security_group.interface["sqs"].vpc_id == "vpc-1"
    error_message = "The SQS endpoint must be behind its security group."
  }
  assert {
    condition     = { for name, rule in aws_vpc_security_group_ingress_rule.interface : name => jsonencode([rule.referenced_security_group_id, rule.cidr_ipv4, rule.from_port, rule.to_port, rule.ip_protocol]) } == { "sqs ingest" = jsonencode(["sg-1", null, 443, 443, "tcp"]), "sqs process" = jsonencode(["sg-2", null, 443, 443, "tcp"]), "sqs others" = jsonencode([null, "10.9.0.0/16", 443, 443, "tcp"]) }
    error_message = "Only the named clients may reach the SQS endpoint, over HTTPS."
  }
  assert {
    condition = { for name, service in { sqs = data.aws_vpc_endpoint_service.interface["sqs"], dynamodb = data.aws_vpc_endpoint_service.dynamodb } : name => [service.service_type, one(service.filter).name, one(one(service.filter).values)] } == {
      sqs      = ["Interface", "service-name", "*.sqs"]
      dynamodb = ["Gateway", "service-name", "*.dynamodb"]
    }
    error_message = "The services must be found regardless of their prefix."
  }
  assert {
    condition     = aws_vpc_endpoint.dynamodb.vpc_endpoint_type == "Gateway" && aws_vpc_endpoint.dynamodb.service_name == data.aws_vpc_endpoint_service.dynamodb.service_name && aws_vpc_endpoint.dynamodb.route_table_ids == toset(var.route_table_ids) && aws_vpc_endpoint.dynamodb.vpc_id == "vpc-1"
    error_message = "DynamoDB must have a route from the functions' subnets."
  }
  assert {
    condition     = [aws_vpc_endpoint_policy.interface["sqs"].vpc_endpoint_id, aws_vpc_endpoint_policy.interface["sqs"].policy, aws_vpc_endpoint_policy.dynamodb.vpc_endpoint_id, aws_vpc_endpoint_policy.dynamodb.policy] == [aws_vpc_endpoint.interface["sqs"].id, data.aws_iam_policy_document.interface_merged["sqs"].json, aws_vpc_endpoint.dynamodb.id, data.aws_iam_policy_document.dynamodb_merged.json]
    error_message = "The endpoints must have their policies."
  }
  assert {
    condition     = data.aws_iam_policy_document.interface_merged["sqs"].source_policy_documents == tolist(concat([data.aws_iam_policy_document.interface["sqs"].json], var.sqs_policy_documents)) && data.aws_iam_policy_document.dynamodb_merged.source_policy_documents == tolist(concat([data.aws_iam_policy_document.dynamodb.json], var.dynamodb_policy_documents))
    error_message = "The policies must contain the further statements."
  }
  assert {
    condition     = alltrue([for resource in concat([aws_security_group.interface["sqs"], aws_vpc_endpoint.interface["sqs"], aws_vpc_endpoint.dynamodb], values(aws_vpc_security_group_ingress_rule.interface)) : resource.tags.team == "orders"])
    error_message = "Tags must reach every resource."
  }
  assert {
    condition     = aws_security_group.interface["sqs"].name_prefix == "orders-sqs-endpoint-"
    error_message = "Names must start with the given prefix."
  }
  assert {
    condition     = aws_security_group.interface["sqs"].description == "SQS endpoint of orders: HTTPS in from the functions, nothing out" && aws_vpc_security_group_ingress_rule.interface["sqs ingest"].description == "HTTPS from ingest" && alltrue([for rule in aws_vpc_security_group_ingress_rule.interface : rule.security_group_id == aws_security_group.interface["sqs"].id])
    error_message = "The security group and its rules must describe their purpose."
  }
  assert {
    condition     = [for resource in [aws_security_group.interface["sqs"], aws_vpc_endpoint.interface["sqs"], aws_vpc_endpoint.dynamodb] : resource.tags.Name] == ["orders-sqs-endpoint", "orders-sqs", "orders-dynamodb"]
    error_message = "Resources that the console lists by name must have a Name tag."
  }
  assert {
    condition     = [output.sqs_endpoint_id, output.sqs_security_group_id, output.dynamodb_endpoint_id, output.dynamodb_prefix_list_id] == [aws_vpc_endpoint.interface["sqs"].id, aws_security_group.interface["sqs"].id, aws_vpc_endpoint.dynamodb.id, aws_vpc_endpoint.dynamodb.prefix_list_id]
    error_message = "The outputs must describe what was created."
  }
  assert {
    condition     = output.subnet_ids == tolist(var.subnet_ids)
    error_message = "The output must return the subnets."
  }
}

run "secrets_manager" {
  module { source = "./modules/vpc_endpoints" }
  state_key = "secrets"

  variables {
    secret_arns                      = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:keys-AbCdEf"]
    secrets_manager_policy_documents = ["{\"Id\":\"secrets\",\"Statement\":[]}"]
  }

  assert {
    condition     = aws_vpc_endpoint.interface["secrets_manager"].vpc_endpoint_type == "Interface" && aws_vpc_endpoint.interface["secrets_manager"].service_name == data.aws_vpc_endpoint_service.interface["secrets_manager"].service_name && aws_vpc_endpoint.interface["secrets_manager"].private_dns_enabled && aws_vpc_endpoint.interface["secrets_manager"].subnet_ids == toset(var.subnet_ids) && aws_vpc_endpoint.interface["secrets_manager"].vpc_id == "vpc-1" && aws_vpc_endpoint.interface["secrets_manager"].security_group_ids == toset([aws_security_group.interface["secrets_manager"].id])
    error_message = "Secrets Manager must have a private name in the functions' subnets, behind its security group."
  }
  assert {
    condition     = aws_security_group.interface["secrets_manager"].vpc_id == "vpc-1" && aws_security_group.interface["secrets_manager"].name_prefix == "orders-secrets-manager-endpoint-" && aws_security_group.interface["secrets_manager"].description == "Secrets Manager endpoint of orders: HTTPS in from the functions, nothing out"
    error_message = "The security group must be in the VPC, and say what it is for."
  }
  assert {
    condition     = { for name, rule in aws_vpc_security_group_ingress_rule.interface : name => jsonencode([rule.security_group_id == aws_security_group.interface["secrets_manager"].id, rule.description, rule.referenced_security_group_id, rule.cidr_ipv4, rule.from_port, rule.to_port, rule.ip_protocol]) if startswith(name, "secrets_manager ") } == { "secrets_manager ingest" = jsonencode([true, "HTTPS from ingest", "sg-1", null, 443, 443, "tcp"]), "secrets_manager process" = jsonencode([true, "HTTPS from process", "sg-2", null, 443, 443, "tcp"]), "secrets_manager others" = jsonencode([true, "HTTPS from others", null, "10.9.0.0/16", 443, 443, "tcp"]) }
    error_message = "Only the named clients may reach the endpoint, over HTTPS."
  }
  assert {
    condition     = jsonencode([data.aws_vpc_endpoint_service.interface["secrets_manager"].service_type, one(data.aws_vpc_endpoint_service.interface["secrets_manager"].filter).name, one(one(data.aws_vpc_endpoint_service.interface["secrets_manager"].filter).values)]) == jsonencode(["Interface", "service-name", "*.secretsmanager"])
    error_message = "The service must be found regardless of its prefix."
  }
  assert {
    condition     = aws_vpc_endpoint_policy.interface["secrets_manager"].vpc_endpoint_id == aws_vpc_endpoint.interface["secrets_manager"].id && aws_vpc_endpoint_policy.interface["secrets_manager"].policy == data.aws_iam_policy_document.interface_merged["secrets_manager"].json && data.aws_iam_policy_document.interface_merged["secrets_manager"].source_policy_documents == tolist(concat([data.aws_iam_policy_document.interface["secrets_manager"].json], var.secrets_manager_policy_documents))
    error_message = "The endpoint must have its policy, with the further statements."
  }
  assert {
    condition     = jsonencode([data.aws_iam_policy_document.interface["secrets_manager"].statement[0].actions, data.aws_iam_policy_document.interface["secrets_manager"].statement[0].resources, one(data.aws_iam_policy_document.interface["secrets_manager"].statement[0].condition).values]) == jsonencode([["secretsmanager:GetSecretValue"], ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:keys-AbCdEf"], ["123456789012"]])
    error_message = "The policy must admit this account to the secrets alone."
  }
  assert {
    condition     = alltrue([for resource in concat(values(aws_security_group.interface), values(aws_vpc_endpoint.interface), values(aws_vpc_security_group_ingress_rule.interface)) : resource.tags.team == "orders"]) && [aws_security_group.interface["secrets_manager"].tags.Name, aws_vpc_endpoint.interface["secrets_manager"].tags.Name] == ["orders-secrets-manager-endpoint", "orders-secrets-manager"]
    error_message = "Tags must reach every resource."
  }
  assert {
    condition     = [output.secrets_manager_endpoint_id, output.secrets_manager_security_group_id] == [aws_vpc_endpoint.interface["secrets_manager"].id, aws_security_group.interface["secrets_manager"].id]
    error_message = "The outputs must describe what was created."
  }
}

run "no_secrets" {
  module { source = "./modules/vpc_endpoints" }
  state_key = "with"
  command   = plan

  assert {
    condition     = concat(keys(aws_vpc_endpoint.interface), keys(aws_security_group.interface), keys(data.aws_vpc_endpoint_service.interface)) == ["sqs", "sqs", "sqs"] && alltrue([for name in keys(aws_vpc_security_group_ingress_rule.interface) : startswith(name, "sqs ")]) && output.secrets_manager_endpoint_id == null && output.secrets_manager_security_group_id == null
    error_message = "Without secrets there must be no endpoint for them."
  }
}

# Zones are known only in an apply, or once subnets exist; refused/ has the refusals.

run "zones_in_which_sqs_is_offered_are_accepted" {
  module { source = "./modules/vpc_endpoints" }
  state_key = "with"
  command   = plan

  override_data {
    target = data.aws_vpc_endpoint_service.interface["sqs"]
    values = { availability_zones = ["eu-central-1a", "eu-central-1b"] }
  }
  override_data {
    target = data.aws_subnet.function[0]
    values = { availability_zone = "eu-central-1a" }
  }
  override_data {
    target = data.aws_subnet.function[1]
    values = { availability_zone = "eu-central-1b" }
  }

  assert {
    condition     = aws_vpc_endpoint.interface["sqs"].subnet_ids == toset(var.subnet_ids)
    error_message = "Zones in which the service is offered must be accepted."
  }
}
