data "aws_caller_identity" "current" {}

locals {
  load_balancer_count = var.existing_listener == null ? 1 : 0
  https_count         = var.existing_listener == null && var.certificate != null ? 1 : 0

  ports = var.certificate == null ? [80] : [80, 443]

  # Keyed by position: ranges may be unknown at plan, how many there are may not.
  ingress_rules = {
    for pair in setproduct(range(length(var.ingress_cidr_blocks)), local.ports) :
    "${pair[0]}-${pair[1]}" => { cidr_block = var.ingress_cidr_blocks[pair[0]], port = pair[1] }
    if var.existing_listener == null
  }

  listener_arn   = var.existing_listener != null ? var.existing_listener.arn : try(aws_lb_listener.https[0], aws_lb_listener.http[0]).arn
  first_priority = var.existing_listener != null ? var.existing_listener.priority : 1
}

resource "aws_security_group" "this" {
  count = local.load_balancer_count

  name        = "${var.name}-load-balancer"
  description = "Load balancer ${var.name}: HTTP and HTTPS in, nothing out; Lambda targets need no way out"
  vpc_id      = var.vpc_id

  tags = merge(var.tags, { Name = "${var.name}-load-balancer" })
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = local.ingress_rules

  security_group_id = aws_security_group.this[0].id
  description       = "Port ${each.value.port} for clients"
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
    precondition {
      condition     = length(var.subnet_ids) >= 2
      error_message = "subnet_ids needs at least two subnets in two zones, as an Application Load Balancer does. Got ${length(var.subnet_ids)}."
    }
    precondition {
      condition     = var.function_timeout_seconds < var.idle_timeout_seconds
      error_message = "idle_timeout_seconds ${var.idle_timeout_seconds} must be above the function's timeout ${var.function_timeout_seconds} s: the client would be told 504 about an order that is still being accepted. Raise idle_timeout_seconds or lower the function's timeout."
    }
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  count = local.load_balancer_count * length(var.web_acl[*])

  resource_arn = aws_lb.this[0].arn
  web_acl_arn  = var.web_acl.arn
}

resource "aws_lb_listener" "http" {
  count = local.load_balancer_count

  load_balancer_arn = aws_lb.this[0].arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = var.certificate == null ? "fixed-response" : "redirect"

    dynamic "fixed_response" {
      for_each = var.certificate == null ? ["404"] : []

      content {
        status_code  = fixed_response.value
        content_type = "application/json"
        message_body = local.not_found
      }
    }

    dynamic "redirect" {
      for_each = var.certificate == null ? [] : ["HTTP_301"]

      content {
        status_code = redirect.value
        protocol    = "HTTPS"
        port        = "443"
      }
    }
  }

  tags = var.tags
}

resource "aws_lb_listener" "https" {
  count = local.https_count

  load_balancer_arn = aws_lb.this[0].arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = var.certificate.ssl_policy
  certificate_arn   = var.certificate.arn

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
  # In the shape of the errors that the function gives (RFC 9457); a fixed response cannot have their content type, nor more
  # than 1024 characters, which 20 long paths would exceed.
  not_found = jsonencode({
    type   = "about:blank"
    title  = "Not Found"
    status = 404
    detail = "There is nothing at this path. Orders are taken by POST at ${join(" or ", slice(var.paths, 0, min(3, length(var.paths))))}."
  })
}

# One rule a path: a rule takes five values at the most.
resource "aws_lb_listener_rule" "this" {
  count = length(var.paths)

  listener_arn = local.listener_arn
  priority     = local.first_priority + count.index

  condition {
    path_pattern {
      values = [var.paths[count.index], "${var.paths[count.index]}/"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }

  tags = var.tags

  # A rule whose target group has no target yet answers 503.
  depends_on = [aws_lb_target_group_attachment.this]
}

resource "aws_lb_target_group" "this" {
  name        = "${var.name}-ingest"
  target_type = "lambda"

  lambda_multi_value_headers_enabled = var.multi_value_headers_enabled

  # Health checks invoke the function, and are billed as such. Without the block AWS's default holds, which is off; a block
  # with enabled = false would have the provider warn of a protocol that nobody set.
  dynamic "health_check" {
    for_each = var.health_check_enabled ? [var.paths[0]] : []

    content {
      enabled  = true
      path     = health_check.value
      matcher  = "405"
      interval = 35
      timeout  = 30
    }
  }

  tags = var.tags
}

resource "aws_lambda_permission" "this" {
  statement_id   = "load-balancer"
  action         = "lambda:InvokeFunction"
  function_name  = var.function.name
  qualifier      = var.function.alias_name
  principal      = "elasticloadbalancing.amazonaws.com"
  source_arn     = aws_lb_target_group.this.arn
  source_account = data.aws_caller_identity.current.account_id
}

resource "aws_lb_target_group_attachment" "this" {
  target_group_arn = aws_lb_target_group.this.arn
  target_id        = var.function.alias_arn

  # AWS refuses a target that the group may not invoke.
  depends_on = [aws_lambda_permission.this]
}
