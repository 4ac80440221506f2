variable "name" {
  description = "Name of the table, 3 to 255 letters, digits, hyphens, underscores and dots. Changing it replaces the table and deletes what is in it, which is refused while the table is protected."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.name))
    error_message = "name must be 3 to 255 letters, digits, hyphens, underscores and dots. Got \"${var.name}\"."
  }
}

variable "existing_table" {
  description = "A table that exists already, instead of one made here: only the writer's policy is made for it. Its keys must be those of partition_key and sort_key. Setting it later deletes the table that was made, which is refused while that is protected."
  type        = object({ name = string, arn = string })
  default     = null

  validation {
    condition     = var.existing_table == null ? true : try(endswith(var.existing_table.arn, ":table/${var.existing_table.name}"), false)
    error_message = "existing_table needs the name of a table and the ARN of the same table."
  }

  validation {
    condition     = var.existing_table == null || (var.ttl_attribute == null && var.provisioned_capacity == null && var.stream_view_type == null)
    error_message = "ttl_attribute, provisioned_capacity and stream_view_type are settings of a table that is made here; with existing_table they would have no effect. Remove them, and set them where that table is made."
  }
}

variable "partition_key" {
  description = "Name and type (\"S\" string, \"N\" number) of the partition key. Changing it replaces the table and deletes what is in it, which is refused while the table is protected."
  type        = object({ name = string, type = string })
  nullable    = false

  validation {
    condition     = try(contains(["S", "N"], var.partition_key.type), false)
    error_message = "partition_key.type must be \"S\" (string) or \"N\" (number). Got \"${coalesce(var.partition_key.type, "null")}\"; JSON has no binary values."
  }

  validation {
    condition     = try(length(var.partition_key.name) >= 1 && length(var.partition_key.name) <= 255, false)
    error_message = "partition_key.name must be 1 to 255 characters. Got ${try(length(var.partition_key.name), "null")}."
  }
}

variable "sort_key" {
  description = "Name and type (\"S\" string, \"N\" number) of the sort key; null for a table without one. Changing it replaces the table and deletes what is in it, which is refused while the table is protected."
  type        = object({ name = string, type = string })
  default     = null

  validation {
    condition     = try(contains(["S", "N"], var.sort_key.type), var.sort_key == null)
    error_message = "sort_key.type must be \"S\" (string) or \"N\" (number). Got \"${try(coalesce(var.sort_key.type), "null")}\"; JSON has no binary values."
  }

  validation {
    condition     = try(length(var.sort_key.name) >= 1 && length(var.sort_key.name) <= 255, var.sort_key == null)
    error_message = "sort_key.name must be 1 to 255 characters. Got ${try(length(var.sort_key.name), "null")}."
  }
}

variable "ttl_attribute" {
  description = "Attribute that holds the time, in seconds since the epoch, at which DynamoDB deletes an item; null keeps items for ever. To remove it, set ttl_enabled to false first. DynamoDB refuses another name while it is enabled, and allows a change an hour."
  type        = string
  default     = null

  validation {
    condition     = var.ttl_attribute == null || try(length(var.ttl_attribute) >= 1 && length(var.ttl_attribute) <= 255, false)
    error_message = "ttl_attribute must be 1 to 255 characters, or null. Got ${length(coalesce(var.ttl_attribute, " "))}."
  }
}

variable "ttl_enabled" {
  description = "Whether items expire by ttl_attribute. false switches it off while the name stays."
  type        = bool
  default     = true
  nullable    = false
}

variable "provisioned_capacity" {
  description = "Autoscaled read and write units (1 to 40000 each) and the utilization in percent (20 to 90) to aim at; null pays per request. Choose it for a steady, predictable load. A switch in either direction keeps the table, AWS allows few a day; the one to provisioned is made by the AWS CLI first, as the plan says."
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
    error_message = "provisioned_capacity needs minima of at least 1 that are not above their maxima. Got read ${try(coalesce(var.provisioned_capacity.read_min), "null")} to ${try(coalesce(var.provisioned_capacity.read_max), "null")}, write ${try(coalesce(var.provisioned_capacity.write_min), "null")} to ${try(coalesce(var.provisioned_capacity.write_max), "null")}."
  }

  validation {
    condition     = try(var.provisioned_capacity.target_utilization >= 20 && var.provisioned_capacity.target_utilization <= 90, var.provisioned_capacity == null)
    error_message = "provisioned_capacity.target_utilization must be 20 to 90 percent, the limits of DynamoDB autoscaling. Got ${try(coalesce(var.provisioned_capacity.target_utilization), "null")}."
  }
}

variable "table_class" {
  description = "\"STANDARD\", or \"STANDARD_INFREQUENT_ACCESS\" where storage costs more than traffic."
  type        = string
  default     = "STANDARD"
  nullable    = false

  validation {
    condition     = contains(["STANDARD", "STANDARD_INFREQUENT_ACCESS"], var.table_class)
    error_message = "table_class must be \"STANDARD\" or \"STANDARD_INFREQUENT_ACCESS\". Got \"${var.table_class}\"."
  }
}

variable "stream_view_type" {
  description = "What the table's stream carries: \"KEYS_ONLY\", \"NEW_IMAGE\", \"OLD_IMAGE\" or \"NEW_AND_OLD_IMAGES\"; null for no stream. Set it when something else reacts to written orders."
  type        = string
  default     = null

  validation {
    condition     = var.stream_view_type == null || contains(["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"], coalesce(var.stream_view_type, "-"))
    error_message = "stream_view_type must be \"KEYS_ONLY\", \"NEW_IMAGE\", \"OLD_IMAGE\", \"NEW_AND_OLD_IMAGES\" or null. Got \"${coalesce(var.stream_view_type, "-")}\"."
  }
}

variable "point_in_time_recovery_enabled" {
  description = "Whether the table can be restored to any second of the last 35 days. Switch it off only for data that can be made again."
  type        = bool
  default     = true
  nullable    = false
}

variable "deletion_protection_enabled" {
  description = "Whether AWS refuses to delete the table, and the plan whatever would. Switch it off, and apply that alone, before a destroy or a replacement that is meant."
  type        = bool
  default     = true
  nullable    = false
}

variable "kms_key" {
  description = "Customer managed key that encrypts the table; null uses a key that AWS owns. Set it where an audit asks for a key of your own. A change is made in place, which takes DynamoDB minutes."
  type        = object({ arn = string })
  default     = null
}

variable "tags" {
  description = "Tags for every resource of this module, in addition to the provider's default tags."
  type        = map(string)
  default     = {}
  nullable    = false
}
