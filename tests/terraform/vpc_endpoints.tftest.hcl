mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  name                      = "orders"
  vpc_id                    = "vpc-1"
  subnet_ids                = ["subnet-1", "subnet-2"]
  route_table_ids           = ["rtb-1", "rtb-2"]
  client_security_group_ids = { ingest = "sg-1", process = "sg-2" }
  queue_arns                = ["arn:aws:sqs:eu-central-1:123456789012:orders", "arn:aws:sqs:eu-central-1:123456789012:orders-dead-letter"]
  sqs_role_arns             = ["arn:aws:iam::123456789012:role/ingest", "arn:aws:iam::123456789012:role/process"]
  table_arn                 = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders"
  dynamodb_role_arns        = ["arn:aws:iam::123456789012:role/process"]
  tags                      = { team = "orders" }
}

run "wiring" {
  module { source = "./modules/vpc_endpoints" }

  assert {
    condition     = aws_vpc_endpoint.sqs.vpc_endpoint_type == "Interface" && aws_vpc_endpoint.sqs.service_name == "com.amazonaws.eu-central-1.sqs" && aws_vpc_endpoint.sqs.private_dns_enabled && aws_vpc_endpoint.sqs.subnet_ids == toset(var.subnet_ids) && aws_vpc_endpoint.sqs.vpc_id == "vpc-1"
    error_message = "SQS must have a private name in the functions' subnets."
  }
  assert {
    condition     = aws_vpc_endpoint.sqs.security_group_ids == toset([aws_security_group.sqs.id]) && output.sqs_security_group_id == aws_security_group.sqs.id && aws_security_group.sqs.vpc_id == "vpc-1"
    error_message = "The SQS endpoint must be behind its security group."
  }
  assert {
    condition     = { for name, rule in aws_vpc_security_group_ingress_rule.sqs : name => [rule.referenced_security_group_id, rule.from_port, rule.to_port, rule.ip_protocol] } == { ingest = ["sg-1", 443, 443, "tcp"], process = ["sg-2", 443, 443, "tcp"] }
    error_message = "Only the functions may reach the SQS endpoint, over HTTPS."
  }
  assert {
    condition     = aws_vpc_endpoint.dynamodb.vpc_endpoint_type == "Gateway" && aws_vpc_endpoint.dynamodb.service_name == "com.amazonaws.eu-central-1.dynamodb" && aws_vpc_endpoint.dynamodb.route_table_ids == toset(var.route_table_ids) && aws_vpc_endpoint.dynamodb.vpc_id == "vpc-1"
    error_message = "DynamoDB must have a route from the functions' subnets."
  }
  assert {
    condition     = aws_vpc_endpoint.sqs.policy == data.aws_iam_policy_document.sqs.json && aws_vpc_endpoint.dynamodb.policy == data.aws_iam_policy_document.dynamodb.json
    error_message = "The endpoints must have their policies."
  }
  assert {
    condition     = alltrue([for resource in concat([aws_security_group.sqs, aws_vpc_endpoint.sqs, aws_vpc_endpoint.dynamodb], values(aws_vpc_security_group_ingress_rule.sqs)) : resource.tags.team == "orders"])
    error_message = "Tags must reach every resource."
  }
  assert {
    condition     = aws_security_group.sqs.name == "orders-sqs-endpoint"
    error_message = "Names must start with the given one."
  }
  assert {
    condition     = aws_security_group.sqs.description == "SQS endpoint of orders: HTTPS in from the functions, nothing out" && aws_vpc_security_group_ingress_rule.sqs["ingest"].description == "HTTPS from ingest" && alltrue([for rule in aws_vpc_security_group_ingress_rule.sqs : rule.security_group_id == aws_security_group.sqs.id])
    error_message = "The security group and its rules must say what they are for."
  }
  assert {
    condition     = [for resource in [aws_security_group.sqs, aws_vpc_endpoint.sqs, aws_vpc_endpoint.dynamodb] : resource.tags.Name] == ["orders-sqs-endpoint", "orders-sqs", "orders-dynamodb"]
    error_message = "The console must show the names."
  }
  assert {
    condition     = [output.sqs_endpoint_id, output.sqs_security_group_id, output.dynamodb_endpoint_id, output.dynamodb_prefix_list_id] == [aws_vpc_endpoint.sqs.id, aws_security_group.sqs.id, aws_vpc_endpoint.dynamodb.id, aws_vpc_endpoint.dynamodb.prefix_list_id]
    error_message = "The outputs must tell what was made."
  }
}
