# What a team provides may come from a store that marks it as sensitive, or from resources that the same apply creates.

locals {
  strings = {
    certificate  = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
    trust_store  = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:truststore/clients/0123456789abcdef"
    web_acl      = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/a/1"
    kms_key      = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    boundary     = "arn:aws:iam::123456789012:policy/boundary"
    listener     = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef"
    ingest_role  = "arn:aws:iam::123456789012:role/ingest"
    process_role = "arn:aws:iam::123456789012:role/process"
    table        = "theirs"
    table_arn    = "arn:aws:dynamodb:eu-central-1:123456789012:table/theirs"
    vpc          = "vpc-1"
    zone_1       = "eu-central-1a"
    zone_2       = "eu-central-1b"
    ttl          = "expires_at"
    cidr         = "10.0.0.0/16"
    subnet_1     = "subnet-1"
    subnet_2     = "subnet-2"
    route_table  = "rtb-1"
    bucket       = "logs"
    layer        = "arn:aws:lambda:eu-central-1:123456789012:layer:x:1"
    text         = "x"
    topic        = "arn:aws:sns:eu-central-1:123456789012:on-call"
    secret       = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders/clients-AbCdEf"
    policy       = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "Extra", Effect = "Allow", Action = "sqs:SendMessage", Resource = "*", Principal = { Service = "sns.amazonaws.com" } }] })
  }
}

resource "terraform_data" "created" {
  input = local.strings
}

module "secret_around_it" {
  source = "../../.."

  name                      = "secret"
  certificate               = { arn = sensitive(local.strings.certificate) }
  client_certificates       = { trust_store_arn = sensitive(local.strings.trust_store) }
  load_balancer_web_acl     = { arn = sensitive(local.strings.web_acl) }
  load_balancer_access_logs = { bucket = sensitive(local.strings.bucket), prefix = sensitive(local.strings.text) }
  kms_key                   = { arn = sensitive(local.strings.kms_key) }
  permissions_boundary      = { arn = sensitive(local.strings.boundary) }
  vpc_endpoints             = { sqs_policy_documents = [sensitive(local.strings.policy)], dynamodb_policy_documents = [sensitive(local.strings.policy)] }
  queue_policy_documents    = [sensitive(local.strings.policy)]
  ingest_policy_documents   = [sensitive(local.strings.policy)]
  process_policy_documents  = [sensitive(local.strings.policy)]
  ingest_layers             = [sensitive(local.strings.layer)]
  process_layers            = [sensitive(local.strings.layer)]
  ingest_environment        = { EXTRA = sensitive(local.strings.text) }
  process_environment       = { EXTRA = sensitive(local.strings.text) }
  ingest_package            = { s3_bucket = sensitive(local.strings.bucket), s3_key = sensitive(local.strings.text), source_code_hash = sensitive(local.strings.text) }
  process_package           = { filename = sensitive(local.strings.text), source_code_hash = sensitive(local.strings.text) }
  vpc                       = { cidr_block = sensitive(local.strings.cidr), availability_zones = [sensitive(local.strings.zone_1), sensitive(local.strings.zone_2)] }
  table_ttl                 = { attribute = sensitive(local.strings.ttl) }
  order_version_attribute   = { name = sensitive(local.strings.text), type = "N" }
  tags                      = { team = sensitive(local.strings.text) }
  observability             = { alarm_actions = [sensitive(local.strings.topic)] }
}

module "secret_below_it" {
  source = "../../.."

  name = "secret"
  existing_network = {
    vpc_id                   = sensitive(local.strings.vpc)
    function_subnet_ids      = [sensitive(local.strings.subnet_1), sensitive(local.strings.subnet_2)]
    function_route_table_ids = [sensitive(local.strings.route_table)]
  }
  vpc_endpoints     = { enabled = true }
  existing_listener = { arn = sensitive(local.strings.listener), priority = 1 }
  existing_roles    = { ingest = { arn = sensitive(local.strings.ingest_role) }, process = { arn = sensitive(local.strings.process_role) } }
  existing_table    = { name = sensitive(local.strings.table), arn = sensitive(local.strings.table_arn) }

  request_signature       = { secret_arn = sensitive(local.strings.secret) }
  order_version_attribute = { name = "revision", type = "N" }
}

module "secret_network" {
  source = "../../.."

  name = "secret"
  existing_network = {
    vpc_id                   = sensitive(local.strings.vpc)
    vpc_cidr_block           = sensitive(local.strings.cidr)
    load_balancer_subnet_ids = [sensitive(local.strings.subnet_1), sensitive(local.strings.subnet_2)]
    function_subnet_ids      = [sensitive(local.strings.subnet_1)]
  }
}

module "unknown_around_it" {
  source = "../../.."

  name                      = "unknown"
  certificate               = { arn = terraform_data.created.output.certificate }
  client_certificates       = { trust_store_arn = terraform_data.created.output.trust_store }
  load_balancer_web_acl     = { arn = terraform_data.created.output.web_acl }
  load_balancer_access_logs = { bucket = terraform_data.created.output.bucket, prefix = terraform_data.created.output.text }
  kms_key                   = { arn = terraform_data.created.output.kms_key }
  permissions_boundary      = { arn = terraform_data.created.output.boundary }
  vpc_endpoints             = { sqs_policy_documents = [terraform_data.created.output.policy], dynamodb_policy_documents = [terraform_data.created.output.policy] }
  queue_policy_documents    = [terraform_data.created.output.policy]
  ingest_policy_documents   = [terraform_data.created.output.policy]
  process_policy_documents  = [terraform_data.created.output.policy]
  ingest_layers             = [terraform_data.created.output.layer]
  process_layers            = [terraform_data.created.output.layer]
  ingest_environment        = { EXTRA = terraform_data.created.output.text }
  process_environment       = { EXTRA = terraform_data.created.output.text }
  ingest_package            = { s3_bucket = terraform_data.created.output.bucket, s3_key = terraform_data.created.output.text, source_code_hash = terraform_data.created.output.text }
  process_package           = { filename = terraform_data.created.output.text, source_code_hash = terraform_data.created.output.text }
  vpc                       = { cidr_block = terraform_data.created.output.cidr, availability_zones = [terraform_data.created.output.zone_1, terraform_data.created.output.zone_2] }
  table_ttl                 = { attribute = terraform_data.created.output.ttl }
  order_version_attribute   = { name = terraform_data.created.output.text, type = "S" }
  tags                      = { team = terraform_data.created.output.text }
  observability             = { alarm_actions = [terraform_data.created.output.topic] }
}

module "unknown_below_it" {
  source = "../../.."

  name = "unknown"
  existing_network = {
    vpc_id                   = terraform_data.created.output.vpc
    function_subnet_ids      = [terraform_data.created.output.subnet_1, terraform_data.created.output.subnet_2]
    function_route_table_ids = [terraform_data.created.output.route_table]
  }
  vpc_endpoints     = { enabled = true }
  existing_listener = { arn = terraform_data.created.output.listener, priority = 1 }
  existing_roles    = { ingest = { arn = terraform_data.created.output.ingest_role }, process = { arn = terraform_data.created.output.process_role } }
  existing_table    = { name = terraform_data.created.output.table, arn = terraform_data.created.output.table_arn }

  request_signature       = { secret_arn = terraform_data.created.output.secret }
  order_version_attribute = { name = "revision", type = "N" }
}

module "unknown_network" {
  source = "../../.."

  name = "unknown"
  existing_network = {
    vpc_id                   = terraform_data.created.output.vpc
    vpc_cidr_block           = terraform_data.created.output.cidr
    load_balancer_subnet_ids = [terraform_data.created.output.subnet_1, terraform_data.created.output.subnet_2]
    function_subnet_ids      = [terraform_data.created.output.subnet_1]
  }
}

