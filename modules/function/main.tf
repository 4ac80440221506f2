data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# The region: data.aws_region has no attribute that providers 5 and 6 both know without a warning, see docs/compatibility.md.
data "aws_service_principal" "sqs" {
  service_name = "sqs"
}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_service_principal.sqs.region

  has_own_role = nonsensitive(var.existing_role == null)
  role_arn     = local.has_own_role ? one(aws_iam_role.this[*].arn) : var.existing_role.arn

  environment       = merge(var.environment, { LOG_LEVEL = var.log_level })
  environment_bytes = nonsensitive(sum([for name, value in local.environment : length(name) + floor(length(replace(base64encode(value), "=", "")) * 3 / 4)]))

  source_files = merge([
    for package in var.source_packages : {
      for file in fileset(var.source_dir, "${package}/**/*.py") : file => "${var.source_dir}/${file}"
    }
  ]...)
}

# One block per file: names and contents alone enter the zip, so it is the same on every machine whatever the checkout's
# file modes, times and order. The path has all that can differ between two instances in one configuration.
data "archive_file" "this" {
  count = var.package == null ? 1 : 0

  type        = "zip"
  output_path = "${path.root}/.terraform/packages/${local.account_id}-${local.region}-${var.name}.zip"

  dynamic "source" {
    for_each = local.source_files

    content {
      filename = source.key
      content  = file(source.value)
    }
  }

  lifecycle {
    precondition {
      condition     = length(local.source_files) > 0
      error_message = "source_packages ${join(", ", var.source_packages)} hold no *.py file below source_dir ${var.source_dir}. Name the sub-directories that the handler ${var.handler} is in."
    }
  }
}

# Before the function: a function that runs first makes its own log group, without retention and key.
resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = one(var.kms_key[*].arn)

  tags = var.tags
}

resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_116:a function's own dead-letter queue serves asynchronous invocations only; nothing invokes this one so
  # checkov:skip=CKV_AWS_272:the default package is made from source by Terraform on the spot, with nobody else's signature to check; a package of your own is pinned by its hash or object version
  function_name = var.name
  description   = var.description
  role          = local.role_arn

  runtime       = var.runtime
  architectures = [var.architecture]
  handler       = var.handler
  layers        = var.layers
  memory_size   = var.memory_size
  timeout       = var.timeout_seconds

  filename          = var.package == null ? data.archive_file.this[0].output_path : var.package.filename
  source_code_hash  = var.package == null ? data.archive_file.this[0].output_base64sha256 : var.package.source_code_hash
  s3_bucket         = one(var.package[*].s3_bucket)
  s3_key            = one(var.package[*].s3_key)
  s3_object_version = one(var.package[*].s3_object_version)

  # A version for each change of code or configuration, so that the alias can go back to the one before.
  publish = true

  reserved_concurrent_executions = coalesce(var.reserved_concurrency, -1)
  kms_key_arn                    = one(var.kms_key[*].arn)

  environment {
    variables = local.environment
  }

  logging_config {
    log_group  = aws_cloudwatch_log_group.this.name
    log_format = "JSON"
    # Lambda takes a line of metrics for INFO and would drop it at a higher level, so the handler applies such a level itself.
    application_log_level = contains(["WARN", "ERROR", "FATAL"], var.log_level) ? "INFO" : var.log_level
    system_log_level      = "WARN"
  }

  tracing_config {
    mode = var.tracing_enabled ? "Active" : "PassThrough"
  }

  dynamic "snap_start" {
    for_each = var.snap_start_enabled ? ["PublishedVersions"] : []

    content {
      apply_on = snap_start.value
    }
  }

  dynamic "vpc_config" {
    for_each = var.in_vpc ? ["vpc"] : []

    content {
      subnet_ids         = var.subnet_ids
      security_group_ids = aws_security_group.this[*].id
    }
  }

  tags = var.tags

  # Lambda checks at creation that the role may make network interfaces; and a version that runs has its way out.
  depends_on = [aws_iam_role_policy.this, aws_vpc_security_group_egress_rule.this]

  lifecycle {
    precondition {
      condition     = var.in_vpc == (length(var.subnet_ids) > 0)
      error_message = "in_vpc, vpc_id and subnet_ids go together: set all to run the function in a VPC, or none."
    }
    precondition {
      condition     = local.environment_bytes <= 4096
      error_message = "The environment takes ${local.environment_bytes} bytes, and Lambda allows 4096 for all names and values. Shorten what environment holds, or keep it in a parameter that the handler reads."
    }
    precondition {
      condition     = !(var.snap_start_enabled && var.provisioned_concurrency != null)
      error_message = "snap_start_enabled and provisioned_concurrency ${coalesce(var.provisioned_concurrency, 0)} exclude each other at AWS: both answer the same question, how to start fast. Keep one."
    }
    precondition {
      condition     = try(var.provisioned_concurrency <= var.reserved_concurrency, true)
      error_message = "provisioned_concurrency ${coalesce(var.provisioned_concurrency, 0)} is above reserved_concurrency ${coalesce(var.reserved_concurrency, 0)}, of which it is a part. Raise the one or lower the other."
    }
  }
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "What callers invoke. Point it at an earlier version to roll back."
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version

  lifecycle {
    # It goes with the function, whose name stays.
    replace_triggered_by = [aws_lambda_function.this.id]
  }
}

resource "aws_lambda_provisioned_concurrency_config" "this" {
  count = var.provisioned_concurrency == null ? 0 : 1

  function_name                     = aws_lambda_function.this.function_name
  qualifier                         = aws_lambda_alias.live.name
  provisioned_concurrent_executions = var.provisioned_concurrency

  lifecycle {
    replace_triggered_by = [aws_lambda_alias.live.id]
  }
}

resource "aws_security_group" "this" {
  count = var.in_vpc ? 1 : 0

  name_prefix = "${var.name}-function-"
  description = "Function ${var.name}: nothing in, out only to what it calls"
  vpc_id      = var.vpc_id

  tags = merge(var.tags, { Name = "${var.name}-function" })

  # At the end Lambda needs the role's permissions to delete the network interfaces that this group waits for.
  depends_on = [aws_iam_role_policy.this]

  lifecycle {
    create_before_destroy = true # nothing lets go of a group before it has another
  }
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each = var.in_vpc ? var.egress : {}

  security_group_id            = aws_security_group.this[0].id
  description                  = "HTTPS to ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = each.value.security_group_id
  prefix_list_id               = each.value.prefix_list_id
  cidr_ipv4                    = each.value.cidr_ipv4

  tags = var.tags
}
