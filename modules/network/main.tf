data "aws_availability_zones" "available" {
  count = var.availability_zones == null ? 1 : 0

  state = "available"

  # Local and wavelength zones cannot host a load balancer's ordinary subnets.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  zone_names = var.availability_zones != null ? var.availability_zones : slice(data.aws_availability_zones.available[0].names, 0, 2)

  # The VPC is cut into equal slots, the first half public, the second half private: 8 slots for up to 4 zones, so that
  # going from 2 to 4 zones moves no subnet, and 16 beyond that.
  slots    = length(local.zone_names) <= 4 ? 8 : 16
  new_bits = local.slots == 8 ? 3 : 4

  zones = {
    for index, zone in local.zone_names : zone => {
      index              = index
      public_cidr_block  = cidrsubnet(var.cidr_block, local.new_bits, index)
      private_cidr_block = cidrsubnet(var.cidr_block, local.new_bits, index + local.slots / 2)
    }
  }

  nat_zones = {
    none         = []
    single       = slice(local.zone_names, 0, 1)
    one_per_zone = local.zone_names
  }[var.nat_gateway]
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr_block
  enable_dns_support   = true
  enable_dns_hostnames = true

  assign_generated_ipv6_cidr_block = var.ipv6_enabled

  tags = merge(var.tags, { Name = var.name })

  lifecycle {
    precondition {
      condition     = tonumber(split("/", var.cidr_block)[1]) + local.new_bits <= 27
      error_message = "cidr_block ${var.cidr_block} cut into ${local.slots} subnets for ${length(local.zone_names)} zones gives subnets smaller than /27, the smallest that a load balancer accepts. Give a larger block (at most /${27 - local.new_bits}) or fewer zones."
    }
  }
}

# Everything that is not put into a security group or network ACL of its own gets these: nothing in, nothing out.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = merge(var.tags, { Name = "${var.name}-default-locked" })
}

resource "aws_default_network_acl" "this" {
  default_network_acl_id = aws_vpc.this.default_network_acl_id

  tags = merge(var.tags, { Name = "${var.name}-default-locked" })

  lifecycle {
    # A subnet removed from another network ACL falls back to this one behind Terraform's back.
    ignore_changes = [subnet_ids]
  }
}

resource "aws_subnet" "public" {
  for_each = local.zones

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = each.value.public_cidr_block
  ipv6_cidr_block         = var.ipv6_enabled ? cidrsubnet(aws_vpc.this.ipv6_cidr_block, 8, each.value.index) : null
  map_public_ip_on_launch = false

  tags = merge(var.tags, { Name = "${var.name}-public-${each.key}" })
}

resource "aws_subnet" "private" {
  for_each = local.zones

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = each.value.private_cidr_block
  map_public_ip_on_launch = false

  tags = merge(var.tags, { Name = "${var.name}-private-${each.key}" })
}

resource "aws_network_acl" "this" {
  vpc_id     = aws_vpc.this.id
  subnet_ids = concat(values(aws_subnet.public)[*].id, values(aws_subnet.private)[*].id)

  # Security groups decide who may come in; this ACL only keeps out what never has business here. Remote desktop (3389)
  # lies inside the ephemeral range, hence the two ranges around it.
  dynamic "ingress" {
    for_each = [
      { protocol = "-1", cidr_block = var.cidr_block, from_port = 0, to_port = 0 },
      { protocol = "tcp", cidr_block = "0.0.0.0/0", from_port = 80, to_port = 80 },
      { protocol = "tcp", cidr_block = "0.0.0.0/0", from_port = 443, to_port = 443 },
      { protocol = "tcp", cidr_block = "0.0.0.0/0", from_port = 1024, to_port = 3388 },
      { protocol = "tcp", cidr_block = "0.0.0.0/0", from_port = 3390, to_port = 65535 },
    ]

    content {
      rule_no    = 100 + 10 * ingress.key
      action     = "allow"
      protocol   = ingress.value.protocol
      cidr_block = ingress.value.cidr_block
      from_port  = ingress.value.from_port
      to_port    = ingress.value.to_port
    }
  }

  dynamic "ingress" {
    for_each = var.ipv6_enabled ? [[80, 80], [443, 443], [1024, 3388], [3390, 65535]] : []

    content {
      rule_no         = 200 + 10 * ingress.key
      action          = "allow"
      protocol        = "tcp"
      ipv6_cidr_block = "::/0"
      from_port       = ingress.value[0]
      to_port         = ingress.value[1]
    }
  }

  egress {
    rule_no    = 100
    action     = "allow"
    protocol   = "-1"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }

  dynamic "egress" {
    for_each = var.ipv6_enabled ? ["::/0"] : []

    content {
      rule_no         = 200
      action          = "allow"
      protocol        = "-1"
      ipv6_cidr_block = egress.value
      from_port       = 0
      to_port         = 0
    }
  }

  tags = merge(var.tags, { Name = var.name })
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = merge(var.tags, { Name = var.name })
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  tags = merge(var.tags, { Name = "${var.name}-public" })
}

resource "aws_route" "public_internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route" "public_internet_ipv6" {
  count = var.ipv6_enabled ? 1 : 0

  route_table_id              = aws_route_table.public.id
  destination_ipv6_cidr_block = "::/0"
  gateway_id                  = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "public" {
  for_each = local.zones

  subnet_id      = aws_subnet.public[each.key].id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table" "private" {
  for_each = local.zones

  vpc_id = aws_vpc.this.id

  tags = merge(var.tags, { Name = "${var.name}-private-${each.key}" })
}

resource "aws_route_table_association" "private" {
  for_each = local.zones

  subnet_id      = aws_subnet.private[each.key].id
  route_table_id = aws_route_table.private[each.key].id
}

resource "aws_eip" "nat" {
  for_each = toset(local.nat_zones)

  domain = "vpc"

  tags = merge(var.tags, { Name = "${var.name}-nat-${each.key}" })
}

resource "aws_nat_gateway" "this" {
  for_each = toset(local.nat_zones)

  subnet_id     = aws_subnet.public[each.key].id
  allocation_id = aws_eip.nat[each.key].id

  tags = merge(var.tags, { Name = "${var.name}-${each.key}" })

  # AWS asks for the order: a NAT gateway without a way out fails its first connections.
  depends_on = [aws_route.public_internet]
}

resource "aws_route" "private_nat" {
  for_each = length(local.nat_zones) > 0 ? local.zones : {}

  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = try(aws_nat_gateway.this[each.key], aws_nat_gateway.this[local.nat_zones[0]]).id
}
