output "vpc_id" {
  description = "ID of the VPC."
  value       = aws_vpc.this.id
}

output "vpc_cidr_block" {
  description = "IPv4 range of the VPC."
  value       = aws_vpc.this.cidr_block
}

output "public_subnet_ids" {
  description = "IDs of the public subnets, in the order of the zones."
  value       = [for zone in local.zone_names : aws_subnet.public[zone].id]
}

output "private_subnet_ids" {
  description = "IDs of the private subnets, in the order of the zones."
  value       = [for zone in local.zone_names : aws_subnet.private[zone].id]
}

output "public_route_table_id" {
  description = "ID of the route table of the public subnets."
  value       = aws_route_table.public.id
}

output "private_route_table_ids" {
  description = "IDs of the private subnets' route tables, in the order of the zones."
  value       = [for zone in local.zone_names : aws_route_table.private[zone].id]
}

output "nat_public_ips" {
  description = "Public addresses of the NAT gateways, for the allow lists of others."
  value       = values(aws_eip.nat)[*].public_ip
}
