output "vpc_id" {
  description = "ID of the VPC."
  value       = aws_vpc.this.id
}

output "vpc_cidr_block" {
  description = "IPv4 range of the VPC."
  value       = aws_vpc.this.cidr_block
}

output "vpc_ipv6_cidr_block" {
  description = "IPv6 range of the VPC, null without ipv6_enabled."
  value       = var.ipv6_enabled ? aws_vpc.this.ipv6_cidr_block : null
}

output "public_subnet_ids" {
  description = "IDs of the public subnets, in the order of the zones."
  value       = aws_subnet.public[*].id

  # An internet-facing load balancer needs the route to the internet first.
  depends_on = [aws_route.public_internet, aws_route.public_internet_ipv6, aws_route_table_association.public]
}

output "private_subnet_ids" {
  description = "IDs of the private subnets, in the order of the zones."
  value       = aws_subnet.private[*].id
}

output "public_route_table_id" {
  description = "ID of the route table of the public subnets."
  value       = aws_route_table.public.id
}

output "private_route_table_ids" {
  description = "IDs of the private subnets' route tables, in the order of the zones."
  value       = aws_route_table.private[*].id
}

output "nat_public_ips" {
  description = "Public addresses of the NAT gateways, for others' allow lists."
  value       = aws_eip.nat[*].public_ip
}
