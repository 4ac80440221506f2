# On the internet: HTTPS at your own domain name, signed requests, and a firewall that limits how much one client may send.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80"
    }
  }
}

provider "aws" {
  region = var.region
}

module "async_ingest" {
  source = "../.."

  name = var.name

  paths                             = ["/orders"]
  load_balancer_internal            = false
  load_balancer_ingress_cidr_blocks = ["0.0.0.0/0"]
  load_balancer_web_acl             = { arn = aws_wafv2_web_acl.this.arn }
  load_balancer_access_logs         = { bucket = var.access_logs_bucket, prefix = var.name }
  certificate                       = { arn = aws_acm_certificate_validation.this.certificate_arn }
  request_signature                 = { secret_arn = var.clients_secret_arn }

  # A signed request that somebody sends again then changes nothing.
  order_version_attribute = { name = "updated_at", type = "S" }

  deletion_protection_enabled = var.deletion_protection
  tags                        = { service = var.name }
}

resource "aws_wafv2_web_acl" "this" {
  name        = var.name
  description = "In front of the load balancer of ${var.name}"
  scope       = "REGIONAL"

  default_action {
    allow {}
  }

  # First, so that a flood is not inspected any further.
  rule {
    name     = "RatePerClient"
    priority = 0

    statement {
      rate_based_statement {
        aggregate_key_type    = "IP"
        limit                 = var.requests_per_client
        evaluation_window_sec = 60
      }
    }

    action {
      block {
        custom_response {
          response_code = 429

          response_header {
            name  = "Retry-After"
            value = "60"
          }
        }
      }
    }

    visibility_config {
      metric_name                = "${var.name}-rate-per-client"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = false # samples show headers, which may have credentials
    }
  }

  rule {
    name     = "CommonRules"
    priority = 1

    override_action {
      none {}
    }

    statement {
      managed_rule_group_statement {
        vendor_name = "AWS"
        name        = "AWSManagedRulesCommonRuleSet"

        # It refuses bodies above 8 KB; ingest has a limit of its own.
        rule_action_override {
          name = "SizeRestrictions_BODY"

          action_to_use {
            count {}
          }
        }
      }
    }

    visibility_config {
      metric_name                = "${var.name}-common-rules"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = false
    }
  }

  rule {
    name     = "KnownBadInputs"
    priority = 2

    override_action {
      none {}
    }

    statement {
      managed_rule_group_statement {
        vendor_name = "AWS"
        name        = "AWSManagedRulesKnownBadInputsRuleSet"
      }
    }

    visibility_config {
      metric_name                = "${var.name}-known-bad-inputs"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = false
    }
  }

  visibility_config {
    metric_name                = var.name
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled   = false
  }
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.firewall.arn]

  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  redacted_fields {
    single_header {
      name = "x-signature"
    }
  }

  # What was let through is in the access logs.
  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }
    }
  }
}

resource "aws_cloudwatch_log_group" "firewall" {
  # checkov:skip=CKV_AWS_158:refused requests without their bodies, under CloudWatch's own key
  name              = "aws-waf-logs-${var.name}" # AWS WAF takes no other prefix
  retention_in_days = 365
}

resource "aws_acm_certificate" "this" {
  domain_name       = var.domain_name
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  for_each = toset([var.domain_name])

  zone_id = var.zone_id
  name    = one([for option in aws_acm_certificate.this.domain_validation_options : option.resource_record_name if option.domain_name == each.key])
  type    = one([for option in aws_acm_certificate.this.domain_validation_options : option.resource_record_type if option.domain_name == each.key])
  records = [one([for option in aws_acm_certificate.this.domain_validation_options : option.resource_record_value if option.domain_name == each.key])]
  ttl     = 60
}

resource "aws_acm_certificate_validation" "this" {
  certificate_arn         = aws_acm_certificate.this.arn
  validation_record_fqdns = values(aws_route53_record.validation)[*].fqdn
}

resource "aws_route53_record" "endpoint" {
  zone_id = var.zone_id
  name    = var.domain_name
  type    = "A"

  alias {
    name                   = module.async_ingest.load_balancer_dns_name
    zone_id                = module.async_ingest.load_balancer_zone_id
    evaluate_target_health = false
  }
}
