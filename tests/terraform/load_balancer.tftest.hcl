mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  name                     = "orders"
  vpc_id                   = "vpc-1"
  subnet_ids               = ["subnet-1", "subnet-2"]
  ingress_cidr_blocks      = { office = "10.0.0.0/16" }
  function_alias_arn       = "arn:aws:lambda:eu-central-1:123456789012:function:orders-ingest:live"
  function_timeout_seconds = 10
}

run "defaults" {
  module { source = "./modules/load_balancer" }

  assert {
    condition     = aws_lb.this[0].internal && aws_lb.this[0].load_balancer_type == "application" && aws_lb.this[0].ip_address_type == "ipv4" && aws_lb.this[0].subnets == toset(var.subnet_ids)
    error_message = "The load balancer must be internal, IPv4, in the given subnets."
  }
  assert {
    condition     = aws_lb.this[0].enable_deletion_protection && aws_lb.this[0].drop_invalid_header_fields && aws_lb.this[0].idle_timeout == 60 && length(aws_lb.this[0].access_logs) == 0
    error_message = "The load balancer must be protected and drop invalid headers."
  }
  assert {
    condition     = aws_lb.this[0].security_groups == toset([aws_security_group.this[0].id]) && aws_security_group.this[0].vpc_id == "vpc-1" && output.security_group_id == aws_security_group.this[0].id
    error_message = "The load balancer must be behind its security group."
  }
  assert {
    condition     = [for rule in aws_vpc_security_group_ingress_rule.this : [rule.cidr_ipv4, rule.from_port, rule.to_port, rule.ip_protocol, rule.security_group_id]] == [["10.0.0.0/16", 80, 80, "tcp", aws_security_group.this[0].id]]
    error_message = "Without a certificate, only port 80 may be open, to the given ranges."
  }
  assert {
    condition     = aws_lb_listener.http[0].load_balancer_arn == aws_lb.this[0].arn && aws_lb_listener.http[0].port == 80 && aws_lb_listener.http[0].protocol == "HTTP" && length(aws_lb_listener.https) == 0
    error_message = "There must be an HTTP listener and no other."
  }
  assert {
    condition     = aws_lb_listener.http[0].default_action[0].type == "fixed-response" && aws_lb_listener.http[0].default_action[0].fixed_response[0].status_code == "404" && aws_lb_listener.http[0].default_action[0].fixed_response[0].content_type == "application/json" && jsondecode(aws_lb_listener.http[0].default_action[0].fixed_response[0].message_body).status == 404
    error_message = "All other paths must return a JSON 404."
  }
  assert {
    condition     = length(aws_lb_listener_rule.this) == 1 && aws_lb_listener_rule.this["http /lambda/api"].listener_arn == aws_lb_listener.http[0].arn && one(one(aws_lb_listener_rule.this["http /lambda/api"].condition).path_pattern).values == toset(["/lambda/api", "/lambda/api/"])
    error_message = "The rule must match the path exactly, with and without a trailing slash."
  }
  assert {
    condition     = aws_lb_listener_rule.this["http /lambda/api"].action[0].type == "forward" && aws_lb_listener_rule.this["http /lambda/api"].action[0].target_group_arn == aws_lb_target_group.this.arn
    error_message = "The rule must forward to the target group."
  }
  assert {
    condition     = aws_lb_target_group.this.target_type == "lambda" && !aws_lb_target_group.this.lambda_multi_value_headers_enabled && length(aws_lb_target_group.this.health_check) == 0
    error_message = "The target group must be for a function, without health checks."
  }
  assert {
    condition     = aws_lb_target_group_attachment.this.target_group_arn == aws_lb_target_group.this.arn && aws_lb_target_group_attachment.this.target_id == var.function_alias_arn
    error_message = "The target group's target must be the function's alias."
  }
  assert {
    condition = (
      aws_lambda_permission.this.principal == "elasticloadbalancing.amazonaws.com" && aws_lambda_permission.this.action == "lambda:InvokeFunction" &&
      aws_lambda_permission.this.function_name == "orders-ingest" && aws_lambda_permission.this.qualifier == "live" &&
      aws_lambda_permission.this.source_arn == aws_lb_target_group.this.arn && aws_lambda_permission.this.source_account == "123456789012"
    )
    error_message = "Only this target group of this account may invoke the function's alias."
  }
  assert {
    condition     = output.endpoint_url == "http://${aws_lb.this[0].dns_name}/lambda/api" && length(aws_wafv2_web_acl_association.this) == 0
    error_message = "Without a certificate, the endpoint must be HTTP."
  }
  assert {
    condition     = aws_lb.this[0].name == "orders" && aws_lb.this[0].desync_mitigation_mode == "defensive" && aws_lb_target_group.this.name == "orders-ingest" && aws_lambda_permission.this.statement_id == "load-balancer"
    error_message = "All names must be as derived, and request smuggling must be mitigated."
  }
  assert {
    condition     = aws_security_group.this[0].name_prefix == "orders-load-balancer-" && aws_security_group.this[0].tags.Name == "orders-load-balancer" && aws_security_group.this[0].description == "Load balancer orders: HTTP and HTTPS in, nothing out; Lambda targets need no way out" && aws_vpc_security_group_ingress_rule.this["office 80"].description == "Port 80 for office"
    error_message = "The security group and its rules must describe their purpose."
  }
  assert {
    condition     = jsondecode(aws_lb_listener.http[0].default_action[0].fixed_response[0].message_body) == { type = "about:blank", title = "Not Found", status = 404, detail = "There is nothing at this path. Orders are taken by POST at /lambda/api." }
    error_message = "The 404 must be an RFC 9457 problem that names the path."
  }
  assert {
    condition     = length(aws_lb_listener_rule.https_only) == 0
    error_message = "Without HTTPS, no rule may refuse plain HTTP."
  }
  assert {
    condition = [output.name, output.arn, output.dns_name, output.zone_id, output.listener_arn, output.target_group_arn] == [
      "orders", aws_lb.this[0].arn, aws_lb.this[0].dns_name, aws_lb.this[0].zone_id, aws_lb_listener.http[0].arn, aws_lb_target_group.this.arn
    ]
    error_message = "The outputs must describe what was created."
  }
}

run "everything_given" {
  module { source = "./modules/load_balancer" }
  state_key = "everything"

  variables {
    paths                       = ["/orders", "/v2/orders"]
    internal                    = false
    ingress_cidr_blocks         = { world = "0.0.0.0/0", office = "198.51.100.0/24" }
    certificate                 = { arn = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555" }
    idle_timeout_seconds        = 30
    multi_value_headers_enabled = true
    health_check_enabled        = true
    access_logs                 = { bucket = "logs", prefix = "orders" }
    web_acl                     = { arn = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/orders/11111111-2222-3333-4444-555555555555" }
    deletion_protection_enabled = false
    tags                        = { team = "orders" }
  }

  assert {
    condition     = !aws_lb.this[0].internal && aws_lb.this[0].idle_timeout == 30 && !aws_lb.this[0].enable_deletion_protection && aws_lb.this[0].access_logs[0].enabled && aws_lb.this[0].access_logs[0].bucket == "logs" && aws_lb.this[0].access_logs[0].prefix == "orders"
    error_message = "The load balancer must be as given."
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.this : "${rule.cidr_ipv4} ${rule.from_port}"]) == toset(["0.0.0.0/0 80", "0.0.0.0/0 443", "198.51.100.0/24 80", "198.51.100.0/24 443"])
    error_message = "With a certificate, 80 and 443 must be open to each range."
  }
  assert {
    condition     = aws_lb_listener.https[0].port == 443 && aws_lb_listener.https[0].protocol == "HTTPS" && aws_lb_listener.https[0].certificate_arn == var.certificate.arn && aws_lb_listener.https[0].ssl_policy == "ELBSecurityPolicy-TLS13-1-2-Res-2021-06" && aws_lb_listener.https[0].load_balancer_arn == aws_lb.this[0].arn && aws_lb_listener.https[0].default_action[0].type == "fixed-response" && aws_lb_listener.https[0].default_action[0].fixed_response[0].status_code == "404" && aws_lb_listener.https[0].default_action[0].fixed_response[0].content_type == "application/json" && jsondecode(aws_lb_listener.https[0].default_action[0].fixed_response[0].message_body).detail == "There is nothing at this path. Orders are taken by POST at /orders or /v2/orders."
    error_message = "The HTTPS listener must have the certificate and require TLS 1.2 or newer."
  }
  assert {
    condition     = aws_lb_listener.http[0].default_action[0].type == "redirect" && aws_lb_listener.http[0].default_action[0].redirect[0].status_code == "HTTP_301" && aws_lb_listener.http[0].default_action[0].redirect[0].protocol == "HTTPS" && aws_lb_listener.http[0].default_action[0].redirect[0].port == "443"
    error_message = "With a certificate, port 80 must redirect."
  }
  assert {
    condition = (
      aws_lb_listener_rule.https_only[0].listener_arn == aws_lb_listener.http[0].arn && one(one(aws_lb_listener_rule.https_only[0].condition).http_request_method).values == toset(["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) &&
      aws_lb_listener_rule.https_only[0].action[0].type == "fixed-response" && aws_lb_listener_rule.https_only[0].action[0].fixed_response[0].status_code == "403" && aws_lb_listener_rule.https_only[0].action[0].fixed_response[0].content_type == "application/json" &&
      jsondecode(aws_lb_listener_rule.https_only[0].action[0].fixed_response[0].message_body) == { type = "about:blank", title = "Forbidden", status = 403, detail = "Orders are taken over HTTPS only." }
    )
    error_message = "Port 80 must refuse requests that a redirect would turn into a GET."
  }
  assert {
    condition     = keys(aws_lb_listener_rule.this) == ["https /orders", "https /v2/orders"] && alltrue([for rule in aws_lb_listener_rule.this : rule.listener_arn == aws_lb_listener.https[0].arn]) && one(one(aws_lb_listener_rule.this["https /v2/orders"].condition).path_pattern).values == toset(["/v2/orders", "/v2/orders/"])
    error_message = "Each path must have a rule at the HTTPS listener."
  }
  assert {
    condition     = aws_lb_target_group.this.lambda_multi_value_headers_enabled && aws_lb_target_group.this.health_check[0].enabled && aws_lb_target_group.this.health_check[0].path == "/orders" && aws_lb_target_group.this.health_check[0].matcher == "405" && aws_lb_target_group.this.health_check[0].interval == 35 && aws_lb_target_group.this.health_check[0].timeout == 30
    error_message = "Multi-value headers and health checks must be on; the function answers a GET with 405."
  }
  assert {
    condition     = aws_wafv2_web_acl_association.this[0].resource_arn == aws_lb.this[0].arn && aws_wafv2_web_acl_association.this[0].web_acl_arn == var.web_acl.arn
    error_message = "The web ACL must be associated with the load balancer."
  }
  assert {
    condition     = output.endpoint_url == "https://${aws_lb.this[0].dns_name}/orders"
    error_message = "With a certificate, the endpoint must be HTTPS."
  }
  assert {
    condition     = alltrue([for resource in concat([aws_lb.this[0], aws_security_group.this[0], aws_lb_listener.http[0], aws_lb_listener.https[0], aws_lb_target_group.this, aws_lb_listener_rule.https_only[0]], values(aws_lb_listener_rule.this), values(aws_vpc_security_group_ingress_rule.this)) : resource.tags.team == "orders"])
    error_message = "Tags must reach every resource."
  }
}

run "ssl_policy" {
  module { source = "./modules/load_balancer" }
  command = plan

  variables {
    certificate = { arn = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555", ssl_policy = "ELBSecurityPolicy-TLS13-1-3-2021-06" }
  }

  assert {
    condition     = aws_lb_listener.https[0].ssl_policy == "ELBSecurityPolicy-TLS13-1-3-2021-06"
    error_message = "The listener must have the given security policy."
  }
}

run "plain_http_allowed" {
  module { source = "./modules/load_balancer" }
  command = plan

  variables {
    certificate = { arn = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555", plain_http_allowed = true }
  }

  assert {
    condition     = keys(aws_lb_listener_rule.this) == ["http /lambda/api", "https /lambda/api"] && aws_lb_listener.http[0].default_action[0].type == "fixed-response" && length(aws_lb_listener_rule.https_only) == 0
    error_message = "Both ports must accept orders, and return 404 for everything else."
  }
}

run "client_certificates" {
  module { source = "./modules/load_balancer" }
  command = plan

  variables {
    certificate         = { arn = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555" }
    client_certificates = { trust_store_arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:truststore/clients/0123456789abcdef" }
  }

  assert {
    condition     = aws_lb_listener.https[0].mutual_authentication[0].mode == "verify" && aws_lb_listener.https[0].mutual_authentication[0].trust_store_arn == var.client_certificates.trust_store_arn && !aws_lb_listener.https[0].mutual_authentication[0].ignore_client_certificate_expiry
    error_message = "The HTTPS listener must verify the certificates of clients, and that they have not expired."
  }
}

run "expired_client_certificates" {
  module { source = "./modules/load_balancer" }
  command = plan

  variables {
    certificate         = { arn = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555" }
    client_certificates = { trust_store_arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:truststore/clients/0123456789abcdef", ignore_expiry = true }
  }

  assert {
    condition     = aws_lb_listener.https[0].mutual_authentication[0].ignore_client_certificate_expiry
    error_message = "Expired certificates must be accepted where that is asked for."
  }
}

run "dualstack" {
  module { source = "./modules/load_balancer" }
  command = plan

  variables {
    ip_address_type     = "dualstack"
    ingress_cidr_blocks = { four = "10.0.0.0/16", six = "2001:db8::/32" }
  }

  assert {
    condition     = aws_lb.this[0].ip_address_type == "dualstack" && toset([for rule in aws_vpc_security_group_ingress_rule.this : rule.cidr_ipv6 if rule.cidr_ipv4 == null]) == toset(["2001:db8::/32"]) && toset([for rule in aws_vpc_security_group_ingress_rule.this : rule.cidr_ipv4 if rule.cidr_ipv6 == null]) == toset(["10.0.0.0/16"])
    error_message = "IPv6 clients must be admitted by IPv6 rules."
  }
}

run "existing_listener" {
  module { source = "./modules/load_balancer" }
  state_key = "existing"

  variables {
    vpc_id              = null
    subnet_ids          = []
    ingress_cidr_blocks = {}
    paths               = ["/orders", "/v2/orders", "/v3/orders"]
    existing_listener   = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef", priority = 100, priorities = { "/v2/orders" = 7 } }
  }

  assert {
    condition     = length(aws_lb.this) == 0 && length(aws_lb_listener.http) == 0 && length(aws_security_group.this) == 0 && length(aws_vpc_security_group_ingress_rule.this) == 0 && length(aws_wafv2_web_acl_association.this) == 0
    error_message = "No load balancer may be created."
  }
  assert {
    condition     = { for key, rule in aws_lb_listener_rule.this : key => rule.priority } == { "existing /orders" = 100, "existing /v2/orders" = 7, "existing /v3/orders" = 102 } && aws_lb_listener_rule.this["existing /orders"].listener_arn == var.existing_listener.arn && output.listener_arn == var.existing_listener.arn
    error_message = "The rules must belong to the existing listener, with consecutive or their own priorities."
  }
  assert {
    condition     = output.endpoint_url == null && output.dns_name == null && output.name == null
    error_message = "The outputs must not name a load balancer that was not created here."
  }
}

run "rules_of_ones_own" {
  module { source = "./modules/load_balancer" }
  state_key = "rules_of_ones_own"

  variables {
    paths                  = ["/orders"]
    certificate            = { arn = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555" }
    listener_rules_enabled = false
  }

  assert {
    condition     = length(aws_lb_listener_rule.this) == 0 && length(aws_lb_listener_rule.https_only) == 1
    error_message = "No rule may forward to the function, and plain HTTP must stay refused."
  }
  assert {
    condition     = aws_lb_target_group_attachment.this.target_group_arn == output.target_group_arn && aws_lambda_permission.this.source_arn == output.target_group_arn && output.listener_arn == aws_lb_listener.https[0].arn && output.path_patterns == { "/orders" = ["/orders", "/orders/"] }
    error_message = "The target group must be ready for rules of the caller's, and the outputs must be what these need."
  }
}

run "rules_of_ones_own_at_an_existing_listener" {
  module { source = "./modules/load_balancer" }
  state_key = "rules_of_ones_own_existing"

  variables {
    vpc_id                 = null
    subnet_ids             = []
    ingress_cidr_blocks    = {}
    listener_rules_enabled = false
    existing_listener      = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef" }
  }

  assert {
    condition     = length(aws_lb_listener_rule.this) == 0 && length(aws_lb.this) == 0 && output.listener_arn == var.existing_listener.arn
    error_message = "A listener without rules of the module needs no priority."
  }
}

run "smallest" {
  module { source = "./modules/load_balancer" }
  state_key = "smallest"
  command   = plan

  variables {
    name                     = "a"
    paths                    = ["/a"]
    function_timeout_seconds = 0
    idle_timeout_seconds     = 1
  }

  assert {
    condition     = aws_lb.this[0].idle_timeout == 1
    error_message = "The shortest idle timeout must be accepted."
  }
}

run "largest" {
  module { source = "./modules/load_balancer" }
  state_key = "largest"
  command   = plan

  variables {
    name                     = "a23456789-123456789-1234"
    paths                    = [for number in range(20) : "/${substr("00${number}", -2, -1)}${join("", [for _ in range(124) : "p"])}"]
    function_timeout_seconds = 3999
    idle_timeout_seconds     = 4000
  }

  assert {
    condition     = length(aws_lb_target_group.this.name) <= 32 && length(aws_lb.this[0].name) <= 32
    error_message = "The longest name must fit within 32 characters."
  }
  assert {
    condition     = length(aws_lb_listener_rule.this) == 20 && length(aws_lb_listener.http[0].default_action[0].fixed_response[0].message_body) <= 1024 && length(split(" or ", aws_lb_listener.http[0].default_action[0].fixed_response[0].message_body)) == 3
    error_message = "The longest paths must be accepted, and the 404 must list as many as fit into a fixed response."
  }
}
