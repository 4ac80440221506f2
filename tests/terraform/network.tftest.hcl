mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  name = "orders"
}

run "defaults" {
  module { source = "./modules/network" }

  assert {
    condition     = aws_vpc.this.enable_dns_support && aws_vpc.this.enable_dns_hostnames && aws_vpc.this.cidr_block == "10.0.0.0/16"
    error_message = "The VPC must have DNS enabled, which private endpoint names need."
  }
  assert {
    condition     = [for subnet in aws_subnet.public : [subnet.availability_zone, subnet.cidr_block]] == [["eu-central-1a", "10.0.0.0/20"], ["eu-central-1b", "10.0.16.0/20"]]
    error_message = "There must be a public subnet in each of the first two zones."
  }
  assert {
    condition     = [for subnet in aws_subnet.private : [subnet.availability_zone, subnet.cidr_block]] == [["eu-central-1a", "10.0.128.0/20"], ["eu-central-1b", "10.0.144.0/20"]]
    error_message = "There must be a private subnet in each of the first two zones."
  }
  assert {
    condition     = !anytrue([for subnet in concat(aws_subnet.public, aws_subnet.private) : subnet.map_public_ip_on_launch])
    error_message = "No subnet may assign public addresses."
  }
  assert {
    condition     = aws_internet_gateway.this.vpc_id == aws_vpc.this.id && aws_route.public_internet.gateway_id == aws_internet_gateway.this.id && aws_route.public_internet.route_table_id == aws_route_table.public.id && aws_route.public_internet.destination_cidr_block == "0.0.0.0/0"
    error_message = "The public route table must lead to the internet gateway."
  }
  assert {
    condition     = alltrue([for zone, association in aws_route_table_association.public : association.subnet_id == aws_subnet.public[zone].id && association.route_table_id == aws_route_table.public.id]) && length(aws_route_table_association.public) == 2
    error_message = "The public subnets must share the public route table."
  }
  assert {
    condition     = alltrue([for zone, association in aws_route_table_association.private : association.subnet_id == aws_subnet.private[zone].id && association.route_table_id == aws_route_table.private[zone].id]) && length(aws_route_table.private) == 2
    error_message = "Each private subnet must have its own route table."
  }
  assert {
    condition     = length(aws_route.private_nat) == 0 && length(aws_nat_gateway.this) == 0 && length(aws_eip.nat) == 0 && length(output.nat_public_ips) == 0
    error_message = "There must be no NAT gateway by default."
  }
  assert {
    condition     = !aws_vpc.this.assign_generated_ipv6_cidr_block && length(aws_route.public_internet_ipv6) == 0 && aws_subnet.public[0].ipv6_cidr_block == null
    error_message = "There must be no IPv6 by default."
  }
  assert {
    condition     = length(aws_default_security_group.this.ingress) == 0 && length(aws_default_security_group.this.egress) == 0 && aws_default_security_group.this.vpc_id == aws_vpc.this.id
    error_message = "The default security group must allow nothing."
  }
  assert {
    condition     = aws_flow_log.this[0].vpc_id == aws_vpc.this.id && aws_flow_log.this[0].log_destination_type == "cloud-watch-logs" && aws_flow_log.this[0].traffic_type == "ALL" && aws_flow_log.this[0].log_destination == aws_cloudwatch_log_group.flow_logs[0].arn && aws_flow_log.this[0].iam_role_arn == aws_iam_role.flow_logs[0].arn
    error_message = "The VPC's traffic must go to its log group."
  }
  assert {
    condition     = aws_iam_role.flow_logs[0].name_prefix == "orders-flow-logs-" && aws_iam_role.flow_logs[0].path == "/" && aws_iam_role.flow_logs[0].assume_role_policy == data.aws_iam_policy_document.flow_logs_trust[0].json
    error_message = "Only the flow logs may use their role."
  }
  assert {
    condition     = aws_iam_role_policy.flow_logs[0].name == "write-flow-logs" && aws_iam_role_policy.flow_logs[0].role == aws_iam_role.flow_logs[0].id && aws_iam_role_policy.flow_logs[0].policy == data.aws_iam_policy_document.flow_logs[0].json
    error_message = "The flow logs' role must have its policy."
  }
  assert {
    condition     = aws_cloudwatch_log_group.flow_logs[0].name == "/aws/vpc/orders-flow-logs" && aws_cloudwatch_log_group.flow_logs[0].retention_in_days == 365 && aws_cloudwatch_log_group.flow_logs[0].kms_key_id == null
    error_message = "Flow logs must be kept for a year."
  }
  assert {
    condition     = data.aws_availability_zones.available[0].state == "available" && one(data.aws_availability_zones.available[0].filter).name == "opt-in-status" && one(data.aws_availability_zones.available[0].filter).values == toset(["opt-in-not-required"])
    error_message = "Zones must be ordinary ones: local and wavelength zones cannot host a load balancer."
  }
  assert {
    condition = [output.vpc_id, output.vpc_cidr_block, output.public_subnet_ids, output.private_subnet_ids, output.public_route_table_id, output.private_route_table_ids] == [
      aws_vpc.this.id, "10.0.0.0/16",
      aws_subnet.public[*].id,
      aws_subnet.private[*].id,
      aws_route_table.public.id,
      aws_route_table.private[*].id,
    ]
    error_message = "The outputs must describe what was created."
  }
  assert {
    condition     = alltrue([for resource in concat([aws_internet_gateway.this, aws_route_table.public, aws_default_security_group.this], aws_subnet.public, aws_subnet.private, aws_route_table.private) : resource.vpc_id == aws_vpc.this.id])
    error_message = "Everything must be in the VPC."
  }
}

run "everything_given" {
  module { source = "./modules/network" }
  state_key = "everything_given"

  variables {
    cidr_block           = "172.20.0.0/20"
    availability_zones   = ["eu-central-1c", "eu-central-1a", "eu-central-1b"]
    nat_gateway          = "one_per_zone"
    log_retention_days   = 90
    kms_key              = { arn = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
    permissions_boundary = { arn = "arn:aws:iam::123456789012:policy/boundary" }
    role_path            = "/service/"
    tags                 = { team = "orders" }
  }

  assert {
    condition     = [for subnet in concat(aws_subnet.public, aws_subnet.private) : [subnet.availability_zone, subnet.cidr_block]] == [["eu-central-1c", "172.20.0.0/24"], ["eu-central-1a", "172.20.1.0/24"], ["eu-central-1b", "172.20.2.0/24"], ["eu-central-1c", "172.20.8.0/24"], ["eu-central-1a", "172.20.9.0/24"], ["eu-central-1b", "172.20.10.0/24"]]
    error_message = "Subnets must be allocated from the given range, by the zone's position."
  }
  assert {
    condition     = alltrue([for zone in range(3) : aws_route.private_nat[zone].nat_gateway_id == aws_nat_gateway.this[zone].id && aws_nat_gateway.this[zone].subnet_id == aws_subnet.public[zone].id && aws_nat_gateway.this[zone].allocation_id == aws_eip.nat[zone].id && aws_eip.nat[zone].domain == "vpc" && aws_route.private_nat[zone].route_table_id == aws_route_table.private[zone].id && aws_route.private_nat[zone].destination_cidr_block == "0.0.0.0/0"]) && toset(output.nat_public_ips) == toset([for address in aws_eip.nat : address.public_ip])
    error_message = "Each private subnet must use the NAT gateway in its zone's public subnet."
  }
  assert {
    condition     = aws_cloudwatch_log_group.flow_logs[0].retention_in_days == 90 && aws_cloudwatch_log_group.flow_logs[0].kms_key_id == var.kms_key.arn
    error_message = "Retention and key of the flow logs must be as given."
  }
  assert {
    condition     = aws_iam_role.flow_logs[0].path == "/service/" && aws_iam_role.flow_logs[0].permissions_boundary == var.permissions_boundary.arn
    error_message = "The role must have the given path and boundary."
  }
  assert {
    condition = alltrue([for resource in concat(
      [aws_vpc.this, aws_default_security_group.this, aws_internet_gateway.this, aws_route_table.public, aws_cloudwatch_log_group.flow_logs[0], aws_iam_role.flow_logs[0], aws_flow_log.this[0]],
      aws_subnet.public, aws_subnet.private, aws_route_table.private, aws_eip.nat, aws_nat_gateway.this,
    ) : resource.tags.team == "orders"])
    error_message = "Tags must reach every resource."
  }
  assert {
    condition = [for resource in [
      aws_vpc.this, aws_default_security_group.this, aws_internet_gateway.this, aws_route_table.public, aws_flow_log.this[0],
      aws_subnet.public[1], aws_subnet.private[1], aws_route_table.private[1], aws_eip.nat[1], aws_nat_gateway.this[1],
      ] : resource.tags.Name] == [
      "orders", "orders-default-locked", "orders", "orders-public", "orders",
      "orders-public-eu-central-1a", "orders-private-eu-central-1a", "orders-private-eu-central-1a", "orders-nat-eu-central-1a", "orders-eu-central-1a",
    ]
    error_message = "Resources that the console lists by name must have a Name tag."
  }
}

run "ipv6" {
  module { source = "./modules/network" }
  state_key = "ipv6"

  variables {
    ipv6_enabled = true
  }

  assert {
    condition     = aws_vpc.this.assign_generated_ipv6_cidr_block && aws_subnet.public[1].ipv6_cidr_block == "2001:db8:1234:1a01::/64" && aws_subnet.private[1].ipv6_cidr_block == null
    error_message = "Each public subnet, and no private one, must have an IPv6 range."
  }
  assert {
    condition     = aws_route.public_internet_ipv6[0].destination_ipv6_cidr_block == "::/0" && aws_route.public_internet_ipv6[0].gateway_id == aws_internet_gateway.this.id && aws_route.public_internet_ipv6[0].route_table_id == aws_route_table.public.id
    error_message = "The public route table must lead to the internet gateway for IPv6 as well."
  }
}

run "single_nat_gateway" {
  module { source = "./modules/network" }

  variables {
    nat_gateway       = "single"
    flow_logs_enabled = false
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && alltrue([for route in aws_route.private_nat : route.nat_gateway_id == aws_nat_gateway.this[0].id]) && length(aws_route.private_nat) == 2
    error_message = "All private subnets must use the one NAT gateway."
  }
  assert {
    condition     = length(aws_flow_log.this) == 0 && length(aws_iam_role.flow_logs) == 0 && length(aws_cloudwatch_log_group.flow_logs) == 0
    error_message = "Without flow logs there must be no role and no log group."
  }
}

run "smallest_vpc" {
  module { source = "./modules/network" }
  state_key = "smallest_vpc"
  command   = plan

  variables {
    cidr_block         = "10.0.0.0/24"
    availability_zones = [for letter in split("", "abcd") : "eu-central-1${letter}"]
  }

  assert {
    condition     = aws_subnet.private[3].cidr_block == "10.0.0.224/27" && length(distinct(concat(aws_subnet.public, aws_subnet.private)[*].cidr_block)) == 8
    error_message = "Four zones must fit into a /24 without overlap."
  }
}

run "most_zones" {
  module { source = "./modules/network" }
  state_key = "most_zones"
  command   = plan

  variables {
    availability_zones = [for letter in split("", "abcdefgh") : "eu-central-1${letter}"]
  }

  assert {
    condition     = aws_subnet.public[7].cidr_block == "10.0.112.0/20" && aws_subnet.private[0].cidr_block == "10.0.128.0/20" && length(distinct(concat(aws_subnet.public, aws_subnet.private)[*].cidr_block)) == 16
    error_message = "Eight zones must fit without overlap."
  }
}

run "fewest_zones" {
  module { source = "./modules/network" }
  state_key = "least_zones"
  command   = plan

  variables {
    cidr_block         = "10.0.0.0/23"
    availability_zones = ["eu-central-1a", "eu-central-1b"]
  }

  assert {
    condition     = length(data.aws_availability_zones.available) == 0
    error_message = "Named zones must not be looked up."
  }
  assert {
    condition     = aws_subnet.private[0].cidr_block == "10.0.1.0/27"
    error_message = "A /23 has room for eight zones."
  }
}

# Changes of an existing network.

run "zones" {
  module { source = "./modules/network" }
  state_key = "zones"
}

run "another_range_is_refused" {
  module { source = "./modules/network" }
  state_key = "zones"
  command   = plan

  variables {
    cidr_block = "10.1.0.0/16"
  }

  expect_failures = [aws_vpc.this]
}

run "reordering_zones_is_refused" {
  module { source = "./modules/network" }
  state_key = "zones"
  command   = plan

  variables {
    availability_zones = ["eu-central-1b", "eu-central-1a"]
  }

  expect_failures = [aws_subnet.public, aws_subnet.private]
}

run "removing_the_first_zone_is_refused" {
  module { source = "./modules/network" }
  state_key = "zones"
  command   = plan

  variables {
    availability_zones = ["eu-central-1b", "eu-central-1c"]
  }

  expect_failures = [aws_subnet.public, aws_subnet.private]
}

run "naming_the_first_two_zones_moves_nothing" {
  module { source = "./modules/network" }
  state_key = "zones"

  variables {
    availability_zones = ["eu-central-1a", "eu-central-1b"]
  }

  assert {
    condition     = slice(output.private_subnet_ids, 0, 2) == run.zones.private_subnet_ids && slice(output.public_subnet_ids, 0, 2) == run.zones.public_subnet_ids && slice(output.private_route_table_ids, 0, 2) == run.zones.private_route_table_ids
    error_message = "Naming the first two zones must move nothing."
  }
}

run "appending_a_zone_moves_nothing" {
  module { source = "./modules/network" }
  state_key = "zones"

  variables {
    availability_zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  }

  assert {
    condition     = slice(output.private_subnet_ids, 0, 2) == run.zones.private_subnet_ids && slice(output.public_subnet_ids, 0, 2) == run.zones.public_subnet_ids && slice(output.private_route_table_ids, 0, 2) == run.zones.private_route_table_ids && length(output.private_subnet_ids) == 3
    error_message = "Adding a zone must move nothing."
  }
}

run "removing_the_last_zone_moves_nothing" {
  module { source = "./modules/network" }
  state_key = "zones"

  variables {
    availability_zones = ["eu-central-1a", "eu-central-1b"]
  }

  assert {
    condition     = slice(output.private_subnet_ids, 0, 2) == run.zones.private_subnet_ids && slice(output.public_subnet_ids, 0, 2) == run.zones.public_subnet_ids && slice(output.private_route_table_ids, 0, 2) == run.zones.private_route_table_ids && length(output.private_subnet_ids) == 2
    error_message = "The last zone must be removed without moving another."
  }
}
