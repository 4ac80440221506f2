variable "trigger" {
  description = "What is made before the modules."
  type        = string
  nullable    = false
}
