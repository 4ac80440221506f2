data "aws_availability_zones" "available" {
  # checkov:skip=CKV_AWS_394:only the first two zones are used, and subnets ignore a change of their zone, so a new zone changes nothing
  count = var.availability_zones == null ? 1 : 0

  state = "available"

  # Local and wavelength zones cannot host a load balancer's ordinary subnets.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  # Known at plan even where depends_on on the module defers the data source.
  zone_count = var.availability_zones == null ? 2 : length(var.availability_zones)
  zone_names = var.availability_zones != null ? var.availability_zones : slice(data.aws_availability_zones.available[0].names, 0, 2)

  # The VPC is divided into equal slots, the first half public, the second half private: 16, so that adding a zone moves no subnet, but
  # only 8 in a /24, because a load balancer does not accept smaller subnets.
  new_bits = tonumber(split("/", var.cidr_block)[1]) <= 23 ? 4 : 3
  slots    = pow(2, local.new_bits)

  nat_count = { none = 0, single = 1, one_per_zone = local.zone_count }[var.nat_gateway]
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr_block
  enable_dns_support   = true
  enable_dns_hostnames = true

  assign_generated_ipv6_cidr_block = var.ipv6_enabled

  tags = merge(var.tags, { Name = var.name })

  lifecycle {
    # Another range would replace the VPC and everything in it, which AWS refuses to delete while it is in use.
    ignore_changes = [cidr_block]

    postcondition {
      condition     = self.cidr_block == var.cidr_block
      error_message = "cidr_block (vpc.cidr_block) is ${var.cidr_block}, but the VPC has ${self.cidr_block}, which cannot be changed: the functions and the load balancer have network interfaces in it. Create a second system beside this one, as docs/changing.md describes."
    }
    precondition {
      condition     = local.zone_count <= local.slots / 2
      error_message = "cidr_block (vpc.cidr_block) ${var.cidr_block} has room for ${local.slots / 2} zones, but there are ${local.zone_count}: a load balancer does not accept subnets smaller than /27. Choose a larger range, /23 or above, or fewer zones."
    }
    precondition {
      condition     = var.availability_zones == null || alltrue([for zone in coalesce(var.availability_zones, []) : startswith(zone, local.region)])
      error_message = "availability_zones (vpc.availability_zones) lists zones outside the provider's region ${local.region}: ${join(", ", coalesce(var.availability_zones, []))}. Remove them, or configure the provider for their region."
    }
  }
}

# Whatever is created without a security group gets this one, which allows nothing. The network ACL stays AWS's default, which allows
# everything: ACLs are stateless, and responses arrive at any port.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = merge(var.tags, { Name = "${var.name}-default-locked" })
}

resource "aws_subnet" "public" {
  count = local.zone_count

  vpc_id                  = aws_vpc.this.id
  availability_zone       = local.zone_names[count.index]
  cidr_block              = cidrsubnet(var.cidr_block, local.new_bits, count.index)
  ipv6_cidr_block         = var.ipv6_enabled ? cidrsubnet(aws_vpc.this.ipv6_cidr_block, 8, count.index) : null
  map_public_ip_on_launch = false

  tags = merge(var.tags, { Name = "${var.name}-public-${local.zone_names[count.index]}" })

  lifecycle {
    # When a zone is removed, what uses the subnet leaves it first.
    create_before_destroy = true

    # It never changes, but it is unknown where depends_on on the module defers the data source, which would replace the subnet.
    ignore_changes = [availability_zone]

    postcondition {
      condition     = var.availability_zones == null || self.availability_zone == local.zone_names[count.index]
      error_message = "availability_zones (vpc.availability_zones) has ${local.zone_names[count.index]} in position ${count.index + 1}, but that subnet is in ${self.availability_zone}, and a subnet in use cannot be replaced. Append new zones, and remove zones from the end."
    }
  }
}

resource "aws_subnet" "private" {
  count = local.zone_count

  vpc_id                  = aws_vpc.this.id
  availability_zone       = local.zone_names[count.index]
  cidr_block              = cidrsubnet(var.cidr_block, local.new_bits, count.index + local.slots / 2)
  map_public_ip_on_launch = false

  tags = merge(var.tags, { Name = "${var.name}-private-${local.zone_names[count.index]}" })

  lifecycle {
    # When a zone is removed, what uses the subnet leaves it first.
    create_before_destroy = true

    # It never changes, but it is unknown where depends_on on the module defers the data source, which would replace the subnet.
    ignore_changes = [availability_zone]

    postcondition {
      condition     = var.availability_zones == null || self.availability_zone == local.zone_names[count.index]
      error_message = "availability_zones (vpc.availability_zones) has ${local.zone_names[count.index]} in position ${count.index + 1}, but that subnet is in ${self.availability_zone}, and a subnet in use cannot be replaced. Append new zones, and remove zones from the end."
    }
  }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = merge(var.tags, { Name = var.name })
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  tags = merge(var.tags, { Name = "${var.name}-public" })

  lifecycle {
    create_before_destroy = true # as for subnets
  }
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
  count = local.zone_count

  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table" "private" {
  count = local.zone_count

  vpc_id = aws_vpc.this.id

  tags = merge(var.tags, { Name = "${var.name}-private-${local.zone_names[count.index]}" })

  lifecycle {
    create_before_destroy = true # as for subnets
  }
}

resource "aws_route_table_association" "private" {
  count = local.zone_count

  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private[count.index].id
}

resource "aws_eip" "nat" {
  count = local.nat_count

  domain = "vpc"

  tags = merge(var.tags, { Name = "${var.name}-nat-${local.zone_names[count.index]}" })
}

resource "aws_nat_gateway" "this" {
  count = local.nat_count

  subnet_id     = aws_subnet.public[count.index].id
  allocation_id = aws_eip.nat[count.index].id

  tags = merge(var.tags, { Name = "${var.name}-${local.zone_names[count.index]}" })

  # A NAT gateway without a route to the internet fails its first connections.
  depends_on = [aws_route.public_internet]
}

resource "aws_route" "private_nat" {
  count = local.nat_count > 0 ? local.zone_count : 0

  route_table_id         = aws_route_table.private[count.index].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[min(count.index, local.nat_count - 1)].id
}
