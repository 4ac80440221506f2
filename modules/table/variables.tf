variable "name" {
  description = "Name of the table: 3 to 255 letters, digits, hyphens, underscores and dots. Changing it replaces the table and deletes its items, and is refused while deletion_protection_enabled is true."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.name))
    error_message = "name is \"${var.name}\", but must be 3 to 255 letters, digits, hyphens, underscores and dots."
  }
}

variable "existing_table" {
  description = "An existing table to use instead of creating one; only the writer's policy is built for it. Its keys must be those of partition_key and sort_key. Setting it later deletes the table that was created here, and is refused while deletion_protection_enabled is true."
  type        = object({ name = string, arn = string })
  default     = null

  validation {
    condition     = var.existing_table == null ? true : try(endswith(var.existing_table.arn, ":table/${var.existing_table.name}"), false)
    error_message = "existing_table.name and existing_table.arn must be the name and the ARN of the same table."
  }

  validation {
    condition     = var.existing_table == null || (var.ttl.attribute == null && var.provisioned_capacity == null && var.stream_view_type == null)
    error_message = "ttl.attribute (table_ttl.attribute), provisioned_capacity and stream_view_type (table_stream_view_type) configure a table that is created here, and have no effect with existing_table. Remove them, and set them where that table is created."
  }
}

variable "partition_key" {
  description = "Name and type (\"S\" string, \"N\" number) of the partition key. Changing it replaces the table and deletes its items, and is refused while deletion_protection_enabled is true."
  type        = object({ name = string, type = string })
  nullable    = false

  validation {
    condition     = try(contains(["S", "N"], var.partition_key.type), false)
    error_message = "partition_key.type (table_partition_key.type) is \"${coalesce(var.partition_key.type, "null")}\", but must be \"S\" (string) or \"N\" (number); JSON has no binary values."
  }

  validation {
    condition     = try(length(var.partition_key.name) >= 1 && length(var.partition_key.name) <= 255, false)
    error_message = "partition_key.name (table_partition_key.name) has ${try(length(var.partition_key.name), "null")} characters, but must have 1 to 255."
  }
}

variable "sort_key" {
  description = "Name and type (\"S\" string, \"N\" number) of the sort key; null for a table without one. Changing it replaces the table and deletes its items, and is refused while deletion_protection_enabled is true."
  type        = object({ name = string, type = string })
  default     = null

  validation {
    condition     = try(contains(["S", "N"], var.sort_key.type), var.sort_key == null)
    error_message = "sort_key.type (table_sort_key.type) is \"${try(coalesce(var.sort_key.type), "null")}\", but must be \"S\" (string) or \"N\" (number); JSON has no binary values."
  }

  validation {
    condition     = try(length(var.sort_key.name) >= 1 && length(var.sort_key.name) <= 255, var.sort_key == null)
    error_message = "sort_key.name (table_sort_key.name) has ${try(length(var.sort_key.name), "null")} characters, but must have 1 to 255."
  }
}

variable "ttl" {
  description = <<-EOT
    Expiry of items (DynamoDB time to live). Changed in place; DynamoDB allows one change per hour.
    attribute: attribute with the time, in seconds since the epoch, at which DynamoDB deletes an item; null keeps items forever.
    enabled: false stops expiry but keeps the attribute's name. Set it to false before removing or changing the attribute.
  EOT
  type        = object({ attribute = optional(string), enabled = optional(bool, true) })
  default     = {}
  nullable    = false

  validation {
    condition     = var.ttl.attribute == null ? true : length(var.ttl.attribute) >= 1 && length(var.ttl.attribute) <= 255
    error_message = "ttl.attribute (table_ttl.attribute) has ${length(coalesce(var.ttl.attribute, "?"))} characters, but must have 1 to 255, or be null."
  }
}

variable "provisioned_capacity" {
  description = "Autoscaled read and write capacity units (1 to 40000 each), and the target utilization in percent (20 to 90); null is billed per request. Set it for a steady, predictable load. A switch in either direction keeps the table, but AWS allows only a few per day; a switch to provisioned capacity first takes an AWS CLI command, which the plan prints."
  type = object({
    read_min           = number
    read_max           = number
    write_min          = number
    write_max          = number
    target_utilization = optional(number, 70)
  })
  default = null

  validation {
    condition     = try(var.provisioned_capacity.read_min >= 1 && var.provisioned_capacity.read_min <= var.provisioned_capacity.read_max && var.provisioned_capacity.write_min >= 1 && var.provisioned_capacity.write_min <= var.provisioned_capacity.write_max, var.provisioned_capacity == null)
    error_message = "provisioned_capacity is read ${try(coalesce(var.provisioned_capacity.read_min), "null")} to ${try(coalesce(var.provisioned_capacity.read_max), "null")}, write ${try(coalesce(var.provisioned_capacity.write_min), "null")} to ${try(coalesce(var.provisioned_capacity.write_max), "null")}, but each minimum must be at least 1 and not above its maximum."
  }

  validation {
    condition     = try(var.provisioned_capacity.target_utilization >= 20 && var.provisioned_capacity.target_utilization <= 90, var.provisioned_capacity == null)
    error_message = "provisioned_capacity.target_utilization is ${try(coalesce(var.provisioned_capacity.target_utilization), "null")}, but must be 20 to 90 percent, DynamoDB autoscaling's limits."
  }
}

variable "table_class" {
  description = "\"STANDARD\", or \"STANDARD_INFREQUENT_ACCESS\" where storage costs more than traffic. Changed in place."
  type        = string
  default     = "STANDARD"
  nullable    = false

  validation {
    condition     = contains(["STANDARD", "STANDARD_INFREQUENT_ACCESS"], var.table_class)
    error_message = "table_class is \"${var.table_class}\", but must be \"STANDARD\" or \"STANDARD_INFREQUENT_ACCESS\"."
  }
}

variable "stream_view_type" {
  description = "Contents of the table's stream: \"KEYS_ONLY\", \"NEW_IMAGE\", \"OLD_IMAGE\" or \"NEW_AND_OLD_IMAGES\"; null for no stream. Set it if something else reacts to written orders. Switched on and off in place; another value ends the stream and starts one with another ARN."
  type        = string
  default     = null

  validation {
    condition     = var.stream_view_type == null || contains(["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"], coalesce(var.stream_view_type, "-"))
    error_message = "stream_view_type (table_stream_view_type) is \"${coalesce(var.stream_view_type, "-")}\", but must be \"KEYS_ONLY\", \"NEW_IMAGE\", \"OLD_IMAGE\", \"NEW_AND_OLD_IMAGES\" or null."
  }
}

variable "point_in_time_recovery_enabled" {
  description = "Keep the table restorable to any second of the last 35 days. Disable it only for data that can be recreated. Changed in place."
  type        = bool
  default     = true
  nullable    = false
}

variable "deletion_protection_enabled" {
  description = "Have AWS refuse to delete the table, and the plan refuse to replace it. Before an intentional destroy or replacement, set it to false and apply that change alone. Changed in place."
  type        = bool
  default     = true
  nullable    = false
}

variable "kms_key" {
  description = "Customer managed key that encrypts the table; null uses a key that AWS owns. Set it where an audit requires a key of your own. Changed in place, which takes DynamoDB minutes."
  type        = object({ arn = string })
  default     = null

  validation {
    condition     = var.kms_key == null ? true : can(regex(":key/", var.kms_key.arn))
    error_message = "kms_key.arn is ${try(jsonencode(var.kms_key.arn), "not set")}, but must be the ARN of a KMS key, not of an alias. To use keys that AWS owns, set kms_key itself to null."
  }
}

variable "tags" {
  description = "Tags for every resource of this module, in addition to the provider's default tags. Changed in place."
  type        = map(string)
  default     = {}
  nullable    = false
}
