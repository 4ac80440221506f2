# The text of the output next_steps.

locals {
  # An order with everything that ingest asks for, and the key of its row. jsondecode() because a conditional would turn a number into text.
  example_keys = {
    for index, key in module.table.keys : key.name => jsondecode(key.type == "N" ? ["123", "1"][index] : ["\"123\"", "\"Kopi Susu\""][index])
  }
  example_versions = { N = "1", S = "\"2026-01-01T00:00:00Z\"" }
  example_order = merge(
    { qty = 2 },
    var.fair_queue_attribute == null ? {} : { (var.fair_queue_attribute) = "tenant-1" },
    nonsensitive(var.order_version_attribute == null) ? {} : { (var.order_version_attribute.name) = jsondecode(local.example_versions[var.order_version_attribute.type]) },
    local.example_keys,
  )
  example_key = { for key in module.table.keys : key.name => { (key.type) = tostring(local.example_keys[key.name]) } }

  # A name that the certificate covers need not lead to the load balancer yet.
  is_https      = nonsensitive(var.certificate != null)
  uses_listener = nonsensitive(var.existing_listener != null)
  send_url      = local.is_https || local.uses_listener ? "${local.is_https ? "https" : "http"}://NAME${var.paths[0]}" : module.load_balancer.endpoint_url
  send_via      = "${local.is_https ? "--connect-to ${local.quoted["via"]} " : ""}${nonsensitive(var.client_certificates == null) ? "" : "--cert CERTIFICATE --key KEY "}"
  send_from = (local.uses_listener
    ? "NAME is that of the load balancer of existing_listener; use https:// if its listener does"
    : "from ${var.load_balancer_internal ? "inside the VPC or a connected network, with " : ""}an address in ${join(" or ", values(local.ingress_cidr_blocks))}${local.is_https ? "; NAME is one that the certificate covers" : ""}"
  )

  quoted = {
    for name, text in {
      order = jsonencode(local.example_order)
      key   = jsonencode(local.example_key)
      url   = local.send_url
      via   = "::${coalesce(module.load_balancer.dns_name, "-")}:"
    } : name => "'${replace(text, "'", "'\\''")}'"
  }

  region = split(":", module.queue.arn)[3]

  next_steps = <<-EOT
    Send an order (${local.send_from}${local.checks_signatures ? "; add the header ${var.request_signature.header}, as docs/clients.md describes" : ""}):

      curl -i ${local.quoted["url"]} ${local.send_via}-H 'Content-Type: application/json' -d ${local.quoted["order"]}

    The answer is 202${var.listener_rules_enabled ? "" : ", if your own listener rules let it through"}. A moment later its row is in the table:

      aws dynamodb get-item --region ${local.region} --table-name ${module.table.name} --key ${local.quoted["key"]}

    If it is not, find the first hop that fails; see traffic, queue, dead letters and alarms (async-ingest: ops/README.md of the module):

      async-ingest doctor --region ${local.region} --name ${var.name}
      async-ingest status --region ${local.region} --name ${var.name}

    Read the logs, with one line of metrics for each invocation:

      aws logs tail /aws/lambda/${module.ingest.name} --region ${local.region} --since 10m
      aws logs tail /aws/lambda/${module.process.name} --region ${local.region} --since 10m

    Look at orders that could not be written, and why (failure_reason); once the cause is fixed, have them delivered again, all of them, or a selection by async-ingest dlq:

      aws sqs receive-message --region ${local.region} --queue-url ${module.queue.dead_letter_url} --message-attribute-names All --max-number-of-messages 10
      aws sqs start-message-move-task --region ${local.region} --source-arn ${module.queue.dead_letter_arn} --destination-arn ${module.queue.arn}

    Pause process until the next apply; orders are still accepted, and wait in the queue for at most ${var.queue_retention_seconds} s:

      aws lambda update-event-source-mapping --region ${local.region} --uuid ${aws_lambda_event_source_mapping.process.uuid} --no-enabled
  EOT
}
