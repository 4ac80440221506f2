# For production: HTTPS at your own domain name, your own key, access logs, larger batches and higher concurrency.

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

  paths                              = ["/orders"]
  certificate                        = { arn = aws_acm_certificate_validation.this.certificate_arn }
  load_balancer_access_logs          = { bucket = var.access_logs_bucket, prefix = var.name }
  load_balancer_ingress_cidr_blocks  = var.client_cidr_blocks
  load_balancer_idle_timeout_seconds = 30

  ingest_memory_size = 1024

  process_batch_size              = 100
  process_batching_window_seconds = 1
  process_maximum_concurrency     = 50
  process_memory_size             = 1024
  queue_max_receive_count         = 10

  table_ttl = { attribute = "expires_at" }

  observability = { alarm_actions = var.alarm_topic_arns }

  vpc                         = { availability_zones = var.availability_zones }
  kms_key                     = { arn = aws_kms_key.this.arn }
  deletion_protection_enabled = var.deletion_protection
  tags                        = { service = var.name }
}

# kms_key_policy_json depends on the system's name alone, so key and module do not depend on each other in a cycle.
resource "aws_kms_key" "this" {
  description         = "Orders of ${var.name}"
  enable_key_rotation = true
  policy              = module.async_ingest.kms_key_policy_json
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
