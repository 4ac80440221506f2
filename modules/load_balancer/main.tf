data "aws_caller_identity" "current" {}

locals {
  is_own            = nonsensitive(var.existing_listener == null)
  has_tls           = local.is_own && nonsensitive(var.certificate != null)
  serves_plain_http = local.is_own && (!local.has_tls || try(nonsensitive(var.certificate.plain_http_allowed), false))

  load_balancer_count = local.is_own ? 1 : 0
  ports               = local.has_tls ? [80, 443] : [80]

  ingress_rules = {
    for pair in setproduct(keys(var.ingress_cidr_blocks), local.ports) :
    "${pair[0]} ${pair[1]}" => { client = pair[0], cidr_block = var.ingress_cidr_blocks[pair[0]], port = pair[1] }
    if local.is_own
  }

  # One rule per listener and path: a rule may have five values at most. At a listener that is created here, a rule finds a free priority
  # by itself, and keeps it.
  rules = !var.listener_rules_enabled ? {} : merge(
    { for path in var.paths : "http ${path}" => { listener = "http", path = path, priority = null } if local.serves_plain_http },
    { for path in var.paths : "https ${path}" => { listener = "https", path = path, priority = null } if local.has_tls },
    { for path, priority in local.existing_priorities : "existing ${path}" => { listener = "existing", path = path, priority = priority } },
  )

  path_patterns = { for path in var.paths : path => [path, "${path}/"] }

  existing_priorities = local.is_own || !var.listener_rules_enabled ? {} : {
    for index, path in var.paths : path => try(var.existing_listener.priorities[path], var.existing_listener.priority + index)
  }

  listener_arns = {
    http     = one(aws_lb_listener.http[*].arn)
    https    = one(aws_lb_listener.https[*].arn)
    existing = one(var.existing_listener[*].arn)
  }

  identity = jsonencode({ name = var.name, internal = var.internal, is_own = local.is_own })
}

# As in modules/table: a change of this replaces what names it in replace_triggered_by, below. While protected it never changes, and the
# switch from "protected" to "unprotected" is not a change either, so a replacement in the apply that removes the protection is refused.
resource "terraform_data" "replaceable" {
  for_each = toset([var.deletion_protection_enabled ? "protected" : "unprotected"])

  input = each.key == "protected" ? null : local.identity
}

# Whether the module created the load balancer, as of the last apply in which that could change.
resource "terraform_data" "is_own" {
  input = local.is_own

  lifecycle {
    ignore_changes       = [input]
    replace_triggered_by = [terraform_data.replaceable]

    postcondition {
      condition     = self.output == local.is_own
      error_message = "existing_listener is ${local.is_own ? "no longer" : "now"} set, which would cause minutes of downtime${local.is_own ? "" : " and delete the load balancer"}, and deletion protection is on, or was at the last apply. ${local.first_unprotect}"
    }
  }
}

locals {
  first_unprotect = "Set deletion_protection_enabled to false and apply that change alone first; docs/changing.md describes how to avoid the downtime."
}

resource "aws_security_group" "this" {
  count = local.load_balancer_count

  name_prefix = "${var.name}-load-balancer-"
  description = "Load balancer ${var.name}: HTTP and HTTPS in, nothing out; Lambda targets need no way out"
  vpc_id      = var.vpc_id

  tags = merge(var.tags, { Name = "${var.name}-load-balancer" })

  lifecycle {
    create_before_destroy = true # the load balancer needs the new group before it releases the old one
  }
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = local.ingress_rules

  security_group_id = aws_security_group.this[0].id
  description       = "Port ${each.value.port} for ${each.value.client}"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = strcontains(each.value.cidr_block, ":") ? null : each.value.cidr_block
  cidr_ipv6         = strcontains(each.value.cidr_block, ":") ? each.value.cidr_block : null

  tags = var.tags
}

resource "aws_lb" "this" {
  count = local.load_balancer_count

  name                       = var.name
  internal                   = var.internal
  load_balancer_type         = "application"
  ip_address_type            = var.ip_address_type
  subnets                    = var.subnet_ids
  security_groups            = aws_security_group.this[*].id
  idle_timeout               = var.idle_timeout_seconds
  enable_deletion_protection = var.deletion_protection_enabled
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "defensive"

  dynamic "access_logs" {
    for_each = var.access_logs[*]

    content {
      enabled = true
      bucket  = access_logs.value.bucket
      prefix  = access_logs.value.prefix
    }
  }

  tags = var.tags

  lifecycle {
    # A replacement is triggered by terraform_data.replaceable, or refused.
    ignore_changes       = [name, internal]
    replace_triggered_by = [terraform_data.replaceable]

    postcondition {
      condition     = self.name == var.name && self.internal == var.internal
      error_message = "Load balancer ${self.name} (${self.internal ? "internal" : "internet-facing"}) would have to be replaced by ${var.name} (${var.internal ? "internal" : "internet-facing"}), with a new DNS name and minutes of downtime, and deletion protection is on, or was at the last apply. ${local.first_unprotect} If you have done so and AWS then refused to delete it, add -replace with the load balancer's address."
    }
    precondition {
      condition     = length(var.subnet_ids) >= 2
      error_message = "subnet_ids (existing_network.load_balancer_subnet_ids) has ${length(var.subnet_ids)} subnets, but an Application Load Balancer needs at least two, in different zones."
    }
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  count = local.is_own && nonsensitive(var.web_acl != null) ? 1 : 0

  resource_arn = aws_lb.this[0].arn
  web_acl_arn  = var.web_acl.arn
}

resource "aws_lb_listener" "http" {
  count = local.load_balancer_count

  load_balancer_arn = aws_lb.this[0].arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    # The first condition is part of the second, but with the second alone checkov assumes that the listener never redirects (CKV_AWS_2).
    type = var.certificate == null || local.serves_plain_http ? "fixed-response" : "redirect"

    dynamic "fixed_response" {
      for_each = local.serves_plain_http ? ["404"] : []

      content {
        status_code  = fixed_response.value
        content_type = "application/json"
        message_body = local.not_found
      }
    }

    dynamic "redirect" {
      for_each = local.serves_plain_http ? [] : ["HTTP_301"]

      content {
        status_code = redirect.value
        protocol    = "HTTPS"
        port        = "443"
      }
    }
  }

  tags = var.tags
}

# Refused rather than redirected: many clients turn a redirected POST into a GET (RFC 9110, 15.4.2), and by then the order has already
# been sent in plain text.
resource "aws_lb_listener_rule" "https_only" {
  count = local.has_tls && !local.serves_plain_http ? 1 : 0

  listener_arn = aws_lb_listener.http[0].arn

  condition {
    http_request_method {
      values = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    }
  }

  action {
    type = "fixed-response"

    fixed_response {
      status_code  = "403"
      content_type = "application/json"
      message_body = jsonencode({ type = "about:blank", title = "Forbidden", status = 403, detail = "Orders are taken over HTTPS only." })
    }
  }

  tags = var.tags
}

resource "aws_lb_listener" "https" {
  count = local.has_tls ? 1 : 0

  load_balancer_arn = aws_lb.this[0].arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = var.certificate.ssl_policy
  certificate_arn   = var.certificate.arn

  dynamic "mutual_authentication" {
    for_each = var.client_certificates[*]

    content {
      mode                             = "verify"
      trust_store_arn                  = mutual_authentication.value.trust_store_arn
      ignore_client_certificate_expiry = mutual_authentication.value.ignore_expiry
    }
  }

  default_action {
    type = "fixed-response"

    fixed_response {
      status_code  = "404"
      content_type = "application/json"
      message_body = local.not_found
    }
  }

  tags = var.tags
}

locals {
  # In the format of the function's errors (RFC 9457). A fixed response cannot have their content type, nor more than 1024 characters,
  # into which three of the longest paths fit.
  listed_paths = slice(var.paths, 0, min(3, length(var.paths)))
  not_found = jsonencode({
    type   = "about:blank"
    title  = "Not Found"
    status = 404
    detail = "There is nothing at this path. Orders are taken by POST at ${join(" or ", local.listed_paths)}."
  })
}

resource "aws_lb_listener_rule" "this" {
  for_each = local.rules

  listener_arn = local.listener_arns[each.value.listener]
  priority     = each.value.priority

  condition {
    path_pattern {
      values = local.path_patterns[each.value.path]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }

  tags = var.tags

  # Until its target group has a target, a rule answers 503.
  depends_on = [aws_lb_target_group_attachment.this]

  lifecycle {
    # AWS does not delete a target group that is in use, so the rule must go first.
    replace_triggered_by = [aws_lb_target_group.this.arn]

    precondition {
      condition     = length(distinct(values(local.existing_priorities))) == length(local.existing_priorities)
      error_message = "existing_listener gives two paths the same priority: ${join(", ", [for path, priority in local.existing_priorities : "${path} ${priority}"])}. Set one for each path in existing_listener.priorities."
    }
  }
}

resource "aws_lb_target_group" "this" {
  name        = "${var.name}-ingest"
  target_type = "lambda"

  lambda_multi_value_headers_enabled = var.multi_value_headers_enabled

  # Without the block, AWS's default applies, which is off. With it, the provider warns about a protocol that was never set when it
  # creates the group.
  dynamic "health_check" {
    for_each = var.health_check_enabled[*]

    content {
      enabled  = health_check.value
      path     = var.paths[0]
      matcher  = "405"
      interval = 35 # AWS's defaults for Lambda targets
      timeout  = 30
    }
  }

  tags = var.tags

  lifecycle {
    # A target group belongs to one load balancer, so the rules of the old must go before those of the new come.
    replace_triggered_by = [terraform_data.is_own]

    postcondition {
      condition     = var.health_check_enabled != null || !try(self.health_check[0].enabled, false)
      error_message = "health_check_enabled (load_balancer_health_check_enabled) is null, but health checks are on, and the provider would not switch them off. Set it to false to switch them off."
    }
  }
}

# Function and alias come from the alias's ARN, which is unknown while either is replaced, so that the permission is replaced too.
resource "aws_lambda_permission" "this" {
  statement_id   = "load-balancer"
  action         = "lambda:InvokeFunction"
  function_name  = split(":", var.function_alias_arn)[6]
  qualifier      = split(":", var.function_alias_arn)[7]
  principal      = "elasticloadbalancing.amazonaws.com"
  source_arn     = aws_lb_target_group.this.arn
  source_account = data.aws_caller_identity.current.account_id

  lifecycle {
    # It never changes, but it is unknown where depends_on on the module defers the data source, which would replace the permission.
    ignore_changes = [source_account]
  }
}

resource "aws_lb_target_group_attachment" "this" {
  target_group_arn = aws_lb_target_group.this.arn
  target_id        = var.function_alias_arn

  # AWS refuses a target that the group is not allowed to invoke.
  depends_on = [aws_lambda_permission.this]
}
