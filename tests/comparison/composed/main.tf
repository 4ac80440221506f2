# The default system, composed of public modules as their READMEs show. tests/comparison mutates it, and counts its lines.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.99" }
  }
}

provider "aws" {
  region = "us-east-1"
}

data "aws_availability_zones" "available" {}

locals {
  name  = "orders"
  cidr  = "10.0.0.0/16"
  zones = slice(data.aws_availability_zones.available.names, 0, 2)
}

module "vpc" {
  source = "git::https://github.com/terraform-aws-modules/terraform-aws-vpc.git?ref=v5.21.0"

  name          = local.name
  cidr          = local.cidr
  azs           = local.zones
  intra_subnets = [for number in range(2) : cidrsubnet(local.cidr, 8, number)]

  enable_flow_log                      = true
  create_flow_log_cloudwatch_log_group = true
  create_flow_log_cloudwatch_iam_role  = true
}

module "endpoints" {
  source = "git::https://github.com/terraform-aws-modules/terraform-aws-vpc.git//modules/vpc-endpoints?ref=v5.21.0"

  vpc_id                = module.vpc.vpc_id
  create_security_group = true
  security_group_name   = "${local.name}-endpoints"
  security_group_rules = {
    functions = { source_security_group_id = aws_security_group.functions.id }
  }

  endpoints = {
    dynamodb = {
      service         = "dynamodb"
      service_type    = "Gateway"
      route_table_ids = module.vpc.intra_route_table_ids
    }
    sqs = {
      service             = "sqs"
      private_dns_enabled = true
      subnet_ids          = module.vpc.intra_subnets
    }
  }
}

resource "aws_security_group" "functions" {
  name        = "${local.name}-functions"
  description = "Functions, to the endpoints"
  vpc_id      = module.vpc.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "sqs" {
  security_group_id            = aws_security_group.functions.id
  description                  = "SQS"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = module.endpoints.security_group_id
}

resource "aws_vpc_security_group_egress_rule" "dynamodb" {
  security_group_id = aws_security_group.functions.id
  description       = "DynamoDB"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = module.endpoints.endpoints["dynamodb"].prefix_list_id
}

module "alb" {
  source = "git::https://github.com/terraform-aws-modules/terraform-aws-alb.git?ref=v9.17.0"

  name     = local.name
  internal = true
  vpc_id   = module.vpc.vpc_id
  subnets  = module.vpc.intra_subnets

  security_group_ingress_rules = {
    clients = {
      ip_protocol = "tcp"
      from_port   = 80
      to_port     = 80
      cidr_ipv4   = local.cidr
    }
  }

  listeners = {
    http = {
      port     = 80
      protocol = "HTTP"
      fixed_response = {
        content_type = "application/json"
        message_body = jsonencode({ error = "not found" })
        status_code  = "404"
      }
      rules = {
        orders = {
          actions    = [{ type = "forward", target_group_key = "ingest" }]
          conditions = [{ path_pattern = { values = ["/lambda/api"] } }]
        }
      }
    }
  }

  target_groups = {
    ingest = {
      name_prefix              = "in-"
      target_type              = "lambda"
      target_id                = module.ingest.lambda_function_arn
      attach_lambda_permission = true
    }
  }
}

module "ingest" {
  source = "git::https://github.com/terraform-aws-modules/terraform-aws-lambda.git?ref=v7.21.1"

  function_name = "${local.name}-ingest"
  source_path   = "${path.module}/src/ingest"
  handler       = "handler.handler"
  runtime       = "python3.13"
  architectures = ["arm64"]
  memory_size   = 512
  timeout       = 10

  environment_variables = { QUEUE_URL = module.queue.queue_url }

  vpc_subnet_ids         = module.vpc.intra_subnets
  vpc_security_group_ids = [aws_security_group.functions.id]
  attach_network_policy  = true

  attach_policy_statements = true
  policy_statements = {
    send = {
      effect    = "Allow"
      actions   = ["sqs:SendMessage"]
      resources = [module.queue.queue_arn]
    }
  }

  cloudwatch_logs_retention_in_days = 30
}

module "queue" {
  source = "git::https://github.com/terraform-aws-modules/terraform-aws-sqs.git?ref=v4.3.1"

  name                       = local.name
  visibility_timeout_seconds = 180
  message_retention_seconds  = 345600

  create_dlq                    = true
  dlq_message_retention_seconds = 1209600
  redrive_policy                = { maxReceiveCount = 10 }
}

module "process" {
  source = "git::https://github.com/terraform-aws-modules/terraform-aws-lambda.git?ref=v7.21.1"

  function_name                  = "${local.name}-process"
  source_path                    = "${path.module}/src/process"
  handler                        = "handler.handler"
  runtime                        = "python3.13"
  architectures                  = ["arm64"]
  memory_size                    = 512
  timeout                        = 30
  reserved_concurrent_executions = 10

  environment_variables = { TABLE_NAME = module.table.dynamodb_table_id }

  vpc_subnet_ids         = module.vpc.intra_subnets
  vpc_security_group_ids = [aws_security_group.functions.id]
  attach_network_policy  = true

  event_source_mapping = {
    queue = {
      event_source_arn        = module.queue.queue_arn
      batch_size              = 10
      function_response_types = ["ReportBatchItemFailures"]
      scaling_config          = { maximum_concurrency = 5 }
    }
  }

  attach_policy_statements = true
  policy_statements = {
    receive = {
      effect    = "Allow"
      actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
      resources = [module.queue.queue_arn]
    }
    write = {
      effect    = "Allow"
      actions   = ["dynamodb:PutItem"]
      resources = [module.table.dynamodb_table_arn]
    }
  }

  cloudwatch_logs_retention_in_days = 30
}

module "table" {
  source = "git::https://github.com/terraform-aws-modules/terraform-aws-dynamodb-table.git?ref=v4.4.0"

  name       = local.name
  hash_key   = "order_id"
  attributes = [{ name = "order_id", type = "S" }]

  point_in_time_recovery_enabled = true
  deletion_protection_enabled    = true
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "${local.name}-dead-letters"
  alarm_description   = "Orders that could not be written"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = module.queue.dead_letter_queue_name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
}
