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

  # "Lambda quotas" (AWS Lambda Developer Guide). The size of a value is that of its UTF-8, which base64 shows: 4 characters for 3 bytes.
  environment_bytes_limit = 4096
  environment             = merge(var.environment, { LOG_LEVEL = var.log_level })
  environment_bytes       = nonsensitive(sum([for name, value in local.environment : length(name) + floor(length(replace(base64encode(value), "=", "")) * 3 / 4)]))

  source_files = merge(
    { for file in local.additional_files : file => "${var.additional_source_dir}/${file}" },
    [
      for package in var.source_packages : {
        for file in fileset(var.source_dir, "${package}/**/*.py") : file => "${var.source_dir}/${file}"
      }
    ]...
  )

  # Neither hidden files nor what Python and editors leave behind.
  additional_files = var.additional_source_dir == null ? [] : [
    for file in fileset(var.additional_source_dir, "**") : file if !can(regex("(^|/)(\\.|__pycache__/)|\\.py[co]$|~$", file))
  ]
  binary_files = [for file in local.additional_files : file if !can(file("${var.additional_source_dir}/${file}"))]
  taken_names  = setintersection(concat(var.source_packages, local.standard_library), [for file in local.additional_files : trimsuffix(split("/", file)[0], ".py")])
}

# One block per file, so that only names and contents enter the zip, and it is the same on every machine, whatever the checkout's file
# modes, times and order. The path includes all that can differ between two instances in one configuration.
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
      error_message = "source_packages ${join(", ", var.source_packages)} contain no *.py file below source_dir ${var.source_dir}. List the subdirectories that contain the handler ${var.handler}."
    }
    precondition {
      condition     = var.additional_source_dir == null || anytrue([for file in local.additional_files : endswith(file, ".py")])
      error_message = "additional_source_dir (order_hooks.source_dir) is \"${coalesce(var.additional_source_dir, "null")}\", but there is no *.py file below such a directory. Name one that exists at plan, relative to where Terraform runs or with path.module."
    }
    # Lambda imports from the function's package before the standard library, so everything would import such a file.
    precondition {
      condition     = length(local.taken_names) == 0
      error_message = "additional_source_dir (order_hooks.source_dir) has ${join(", ", local.taken_names)} at its top, but a module of the function or of Python's standard library has that name. Rename it, or move it into your package."
    }
    precondition {
      condition     = length(local.binary_files) == 0
      error_message = "additional_source_dir (order_hooks.source_dir) has ${join(", ", local.binary_files)}, which is not text in UTF-8. Remove it, or put compiled dependencies into a layer."
    }
  }
}

# Created before the function, which would otherwise create it at its first run, without retention and key.
resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = one(var.kms_key[*].arn)

  tags = var.tags
}

resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_116:a function's own dead-letter queue serves asynchronous invocations only, and there are none
  # checkov:skip=CKV_AWS_272:Terraform builds the default package from source, with no third-party signature to check; a package of your own is pinned by its hash or object version
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

  # A version for each change of code or configuration, so that the alias can be rolled back.
  publish = true

  reserved_concurrent_executions = coalesce(var.reserved_concurrency, -1)
  kms_key_arn                    = one(var.kms_key[*].arn)

  environment {
    variables = local.environment
  }

  logging_config {
    log_group  = aws_cloudwatch_log_group.this.name
    log_format = "JSON"
    # Lambda treats a line of metrics as INFO and would drop it at a higher level, so the handler applies a higher level itself.
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

  # Lambda checks at creation that the role may create network interfaces, and a running version must be able to make its calls.
  depends_on = [aws_iam_role_policy.this, aws_vpc_security_group_egress_rule.this]

  lifecycle {
    precondition {
      condition     = var.in_vpc == (length(var.subnet_ids) > 0)
      error_message = "in_vpc is ${var.in_vpc}, but there are ${length(var.subnet_ids)} subnet_ids. Set in_vpc, vpc_id and subnet_ids to run the function in a VPC, or none of them."
    }
    precondition {
      condition     = local.environment_bytes <= local.environment_bytes_limit
      error_message = "environment takes ${local.environment_bytes} bytes, with LOG_LEVEL and what the root module adds, but Lambda allows ${local.environment_bytes_limit} for all names and values. Shorten it, or keep it in a parameter that the handler reads."
    }
    precondition {
      condition     = !(var.snap_start_enabled && var.provisioned_concurrency != null)
      error_message = "snap_start_enabled is true and provisioned_concurrency is ${coalesce(var.provisioned_concurrency, 0)}, but AWS allows only one of them per version. Remove one."
    }
    precondition {
      condition     = try(var.provisioned_concurrency <= var.reserved_concurrency, true)
      error_message = "provisioned_concurrency ${coalesce(var.provisioned_concurrency, 0)} is above reserved_concurrency ${coalesce(var.reserved_concurrency, 0)}, of which it is a part. Lower the former or raise the latter."
    }
  }
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "What callers invoke. Point it at an earlier version to roll back."
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version

  lifecycle {
    # A replaced function has the same name but no alias.
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
  # checkov:skip=CKV2_AWS_5:vpc_config attaches it, by an id that a scanned plan does not know yet
  count = var.in_vpc ? 1 : 0

  name_prefix = "${var.name}-function-"
  description = "Function ${var.name}: nothing in, out only to what it calls"
  vpc_id      = var.vpc_id

  tags = merge(var.tags, { Name = "${var.name}-function" })

  # On destroy, Lambda needs the role's permissions to delete the network interfaces that use this group.
  depends_on = [aws_iam_role_policy.this]

  lifecycle {
    create_before_destroy = true # the function needs the new group before it releases the old one
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
