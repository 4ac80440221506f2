variable "trigger" {
  description = "Input of the resource that the modules depend on."
  type        = string
  nullable    = false
}
