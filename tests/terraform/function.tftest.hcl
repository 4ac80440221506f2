mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  name            = "orders-ingest"
  source_dir      = "lambda_src"
  source_packages = ["ingest", "shared"]
  handler         = "ingest.handler.handle"
  timeout_seconds = 10
}

run "defaults" {
  module { source = "./modules/function" }

  assert {
    condition     = aws_lambda_function.this.function_name == "orders-ingest" && aws_lambda_function.this.handler == "ingest.handler.handle" && aws_lambda_function.this.runtime == "python3.13" && aws_lambda_function.this.architectures == tolist(["arm64"]) && aws_lambda_function.this.timeout == 10 && aws_lambda_function.this.memory_size == 512
    error_message = "The function must be a Python 3.13 function on arm64."
  }
  assert {
    condition     = toset([for source in data.archive_file.this[0].source : source.filename]) == setunion(fileset("lambda_src", "ingest/**/*.py"), fileset("lambda_src", "shared/**/*.py"))
    error_message = "The zip must contain the packages' Python files at their import paths, and nothing else."
  }
  assert {
    condition     = aws_lambda_function.this.filename == data.archive_file.this[0].output_path && aws_lambda_function.this.source_code_hash == data.archive_file.this[0].output_base64sha256
    error_message = "The function must be created from the zip, and change with it."
  }
  assert {
    condition     = strcontains(data.archive_file.this[0].output_path, "123456789012-eu-central-1-orders-ingest")
    error_message = "The zip's name must include account, region and name, so that no two instances share it."
  }
  assert {
    condition     = aws_lambda_function.this.publish && aws_lambda_alias.live.function_name == aws_lambda_function.this.function_name && aws_lambda_alias.live.function_version == aws_lambda_function.this.version && output.alias_name == "live"
    error_message = "The alias must point at the published version."
  }
  assert {
    condition     = aws_lambda_function.this.role == aws_iam_role.this[0].arn && aws_iam_role_policy.this[0].role == aws_iam_role.this[0].id && aws_iam_role_policy.this[0].policy == data.aws_iam_policy_document.this.json && output.role_arn == aws_iam_role.this[0].arn
    error_message = "The function must have its own role with its own policy."
  }
  assert {
    condition     = aws_lambda_function.this.logging_config[0].log_group == aws_cloudwatch_log_group.this.name && aws_lambda_function.this.logging_config[0].log_format == "JSON" && aws_lambda_function.this.logging_config[0].application_log_level == "INFO" && aws_cloudwatch_log_group.this.retention_in_days == 365
    error_message = "Logs must be JSON, in the function's log group, kept for a year."
  }
  assert {
    condition     = aws_lambda_function.this.tracing_config[0].mode == "Active" && aws_lambda_function.this.reserved_concurrent_executions == -1 && length(aws_lambda_function.this.snap_start) == 0 && length(aws_lambda_provisioned_concurrency_config.this) == 0
    error_message = "Tracing must be on, and no concurrency reserved."
  }
  assert {
    condition     = length(aws_lambda_function.this.vpc_config) == 0 && length(aws_security_group.this) == 0 && output.security_group_id == null
    error_message = "Without in_vpc the function must be outside a VPC."
  }
  assert {
    condition     = aws_lambda_function.this.description == "" && length(aws_lambda_function.this.layers) == 0 && aws_lambda_function.this.kms_key_arn == null && aws_cloudwatch_log_group.this.kms_key_id == null && aws_lambda_function.this.environment[0].variables == tomap({ LOG_LEVEL = "INFO" })
    error_message = "Optional settings must be absent by default."
  }
  assert {
    condition     = aws_lambda_function.this.logging_config[0].system_log_level == "WARN" && aws_lambda_alias.live.name == "live" && aws_lambda_alias.live.description == "What callers invoke. Point it at an earlier version to roll back."
    error_message = "Lambda's own messages must be warnings only, and the alias must describe its purpose."
  }
  assert {
    condition     = aws_iam_role.this[0].name_prefix == "orders-ingest-" && aws_iam_role.this[0].description == "Execution role of the function orders-ingest" && aws_iam_role.this[0].path == "/" && aws_iam_role.this[0].permissions_boundary == null && aws_iam_role.this[0].assume_role_policy == data.aws_iam_policy_document.trust[0].json && aws_iam_role_policy.this[0].name == "least-privilege"
    error_message = "The role must be named after the function, and only Lambda may assume it."
  }
  assert {
    condition = [output.name, output.arn, output.alias_arn, output.version, output.log_group_name, output.policy_json] == [
      "orders-ingest", aws_lambda_function.this.arn, aws_lambda_alias.live.arn, aws_lambda_alias.live.function_version, "/aws/lambda/orders-ingest", data.aws_iam_policy_document.this.json
    ]
    error_message = "The outputs must describe what was created."
  }
  assert {
    condition     = alltrue([for source in data.archive_file.this[0].source : source.content == file("lambda_src/${source.filename}")])
    error_message = "Each file in the zip must equal its source."
  }
}

run "additional_source_dir" {
  module { source = "./modules/function" }

  variables {
    additional_source_dir = "examples/hooks/hooks"
  }

  assert {
    condition     = toset([for source in data.archive_file.this[0].source : source.filename]) == setunion(fileset("lambda_src", "ingest/**/*.py"), fileset("lambda_src", "shared/**/*.py"), ["order_hooks/__init__.py", "order_hooks/invalid.py", "order_hooks/order.schema.json", "order_hooks/order_schema.py"])
    error_message = "The zip must also contain the other directory's files, at the same import root, without caches."
  }
  assert {
    condition     = alltrue([for source in data.archive_file.this[0].source : source.content == file("examples/hooks/hooks/${source.filename}") if startswith(source.filename, "order_hooks/")])
    error_message = "Each of its files must be in the zip as it is."
  }
}

run "one_source_file" {
  module { source = "./modules/function" }

  variables {
    source_dir      = "examples/hooks"
    source_packages = ["tests"]
  }

  assert {
    condition     = one(data.archive_file.this[0].source).filename == "tests/test_order_hooks.py"
    error_message = "One file must do."
  }
}

run "everything_given" {
  module { source = "./modules/function" }

  variables {
    description             = "Takes orders"
    runtime                 = "python3.12"
    architecture            = "x86_64"
    layers                  = ["arn:aws:lambda:eu-central-1:123456789012:layer:agent:1"]
    memory_size             = 1769
    environment             = { QUEUE_URL = "https://example.com" }
    reserved_concurrency    = 20
    provisioned_concurrency = 3
    in_vpc                  = true
    vpc_id                  = "vpc-1"
    subnet_ids              = ["subnet-1", "subnet-2"]
    egress = {
      SQS      = { security_group_id = "sg-1" }
      DynamoDB = { prefix_list_id = "pl-1" }
      World    = { cidr_ipv4 = "0.0.0.0/0" }
    }
    policy_documents     = ["{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"sqs:SendMessage\",\"Resource\":\"arn:aws:sqs:eu-central-1:123456789012:orders\"}]}"]
    permissions_boundary = { arn = "arn:aws:iam::123456789012:policy/boundary" }
    role_path            = "/service/"
    log_level            = "DEBUG"
    log_retention_days   = 90
    tracing_enabled      = false
    kms_key              = { arn = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
    tags                 = { team = "orders" }
  }

  assert {
    condition     = aws_lambda_function.this.description == "Takes orders" && aws_lambda_function.this.runtime == "python3.12" && aws_lambda_function.this.architectures == tolist(["x86_64"]) && aws_lambda_function.this.layers == tolist(var.layers) && aws_lambda_function.this.memory_size == 1769
    error_message = "The function must be as given."
  }
  assert {
    condition     = aws_lambda_function.this.environment[0].variables == tomap({ QUEUE_URL = "https://example.com", LOG_LEVEL = var.log_level }) && aws_lambda_function.this.kms_key_arn == var.kms_key.arn && aws_cloudwatch_log_group.this.kms_key_id == var.kms_key.arn
    error_message = "The function must have the given environment, encrypted with the key, as must be the logs."
  }
  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == 20 && aws_lambda_provisioned_concurrency_config.this[0].provisioned_concurrent_executions == 3 && aws_lambda_provisioned_concurrency_config.this[0].qualifier == "live" && aws_lambda_provisioned_concurrency_config.this[0].function_name == "orders-ingest"
    error_message = "Concurrency must be reserved for the function and provisioned at the alias."
  }
  assert {
    condition     = aws_lambda_function.this.vpc_config[0].subnet_ids == toset(["subnet-1", "subnet-2"]) && aws_lambda_function.this.vpc_config[0].security_group_ids == toset([aws_security_group.this[0].id]) && aws_security_group.this[0].vpc_id == "vpc-1"
    error_message = "The function must be in the subnets, behind its own security group."
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.this["SQS"].referenced_security_group_id == "sg-1" && aws_vpc_security_group_egress_rule.this["DynamoDB"].prefix_list_id == "pl-1" && aws_vpc_security_group_egress_rule.this["World"].cidr_ipv4 == "0.0.0.0/0" && alltrue([for rule in aws_vpc_security_group_egress_rule.this : rule.from_port == 443 && rule.to_port == 443 && rule.ip_protocol == "tcp" && rule.security_group_id == aws_security_group.this[0].id])
    error_message = "The function must be able to call the named destinations over HTTPS, and nothing else."
  }
  assert {
    condition     = aws_security_group.this[0].name_prefix == "orders-ingest-function-" && aws_security_group.this[0].tags.Name == "orders-ingest-function" && aws_security_group.this[0].description == "Function orders-ingest: nothing in, out only to what it calls" && aws_vpc_security_group_egress_rule.this["SQS"].description == "HTTPS to SQS" && output.security_group_id == aws_security_group.this[0].id
    error_message = "The security group and its rules must describe their purpose."
  }
  assert {
    condition     = data.aws_iam_policy_document.this.source_policy_documents == tolist([data.aws_iam_policy_document.runtime.json, data.aws_iam_policy_document.environment.json, var.policy_documents[0]])
    error_message = "The policy must contain the handler's permissions."
  }
  assert {
    condition     = aws_iam_role.this[0].permissions_boundary == var.permissions_boundary.arn && aws_iam_role.this[0].path == "/service/"
    error_message = "The role must have the given path and boundary."
  }
  assert {
    condition     = aws_lambda_function.this.tracing_config[0].mode == "PassThrough" && aws_lambda_function.this.logging_config[0].application_log_level == "DEBUG" && aws_cloudwatch_log_group.this.retention_in_days == 90
    error_message = "Tracing and logs must be as given."
  }
  assert {
    condition     = alltrue([for resource in concat([aws_lambda_function.this, aws_cloudwatch_log_group.this, aws_iam_role.this[0], aws_security_group.this[0]], values(aws_vpc_security_group_egress_rule.this)) : resource.tags.team == "orders"])
    error_message = "Tags must reach every resource."
  }
}

run "snap_start" {
  module { source = "./modules/function" }
  command = plan

  variables {
    snap_start_enabled = true
  }

  assert {
    condition     = aws_lambda_function.this.snap_start[0].apply_on == "PublishedVersions"
    error_message = "SnapStart must apply to published versions."
  }
}

run "existing_role" {
  module { source = "./modules/function" }
  command = plan

  variables {
    existing_role = { arn = "arn:aws:iam::123456789012:role/LabRole" }
  }

  assert {
    condition     = aws_lambda_function.this.role == var.existing_role.arn && output.role_arn == var.existing_role.arn && length(aws_iam_role.this) == 0 && length(aws_iam_role_policy.this) == 0
    error_message = "With an existing role, no IAM resources may be created."
  }
}

run "local_package" {
  module { source = "./modules/function" }
  command = plan

  variables {
    package = { filename = "ours.zip", source_code_hash = "abc=" }
  }

  assert {
    condition     = aws_lambda_function.this.filename == "ours.zip" && aws_lambda_function.this.source_code_hash == "abc=" && length(data.archive_file.this) == 0
    error_message = "A given zip must be used as it is."
  }
}

run "package_in_s3" {
  module { source = "./modules/function" }
  command = plan

  variables {
    package = { s3_bucket = "packages", s3_key = "ours.zip", s3_object_version = "7" }
  }

  assert {
    condition     = aws_lambda_function.this.s3_bucket == "packages" && aws_lambda_function.this.s3_key == "ours.zip" && aws_lambda_function.this.s3_object_version == "7" && aws_lambda_function.this.filename == null
    error_message = "A given object must be used as it is."
  }
}

run "smallest" {
  module { source = "./modules/function" }
  command = plan

  variables {
    name                    = "f"
    memory_size             = 128
    timeout_seconds         = 1
    reserved_concurrency    = 1
    provisioned_concurrency = 1
  }

  assert {
    condition     = aws_lambda_function.this.memory_size == 128 && aws_lambda_function.this.timeout == 1
    error_message = "The smallest function must be accepted."
  }
}

run "largest" {
  module { source = "./modules/function" }
  command = plan

  variables {
    name            = join("", [for _ in range(64) : "f"])
    description     = join("", [for _ in range(256) : "d"])
    layers          = [for number in range(5) : "arn:aws:lambda:eu-central-1:123456789012:layer:agent:${number}"]
    memory_size     = 10240
    timeout_seconds = 900
  }

  assert {
    condition     = length(aws_lambda_function.this.layers) == 5
    error_message = "The largest function must be accepted."
  }
}
