# Who may send: signatures, whose secrets ingest reads itself, and client certificates, which the load balancer verifies.

locals {
  checks_signatures = nonsensitive(var.request_signature != null)

  client_environment = merge(
    local.checks_signatures ? {
      SIGNATURE_SECRET_ARN        = var.request_signature.secret_arn
      SIGNATURE_HEADER            = var.request_signature.header
      SIGNATURE_TOLERANCE_SECONDS = var.request_signature.tolerance_seconds
    } : {},
    nonsensitive(var.client_certificates != null) ? { CLIENT_CERTIFICATES = true } : {},
    nonsensitive(try(var.client_certificates.log_subject, false)) ? { LOG_CLIENT_SUBJECT = true } : {},
  )

  # What ingest or the load balancer reads or writes; others are names that no client would choose for a signature.
  reserved_headers = ["authorization", "connection", "content-encoding", "content-length", "content-type", "host", "transfer-encoding", "user-agent", "x-amzn-trace-id"]

  # As for SQS in modules/queue/role_policies.tf.
  secrets_manager_names = distinct([
    for suffix in ["amazonaws.com", data.aws_partition.current.dns_suffix] : "secretsmanager.${data.aws_service_principal.logs.region}.${suffix}"
  ])
}

data "aws_iam_policy_document" "secret" {
  count = local.checks_signatures ? 1 : 0

  statement {
    sid       = "ReadSecret"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [var.request_signature.secret_arn]
  }

  # Any key, but only for this secret and through Secrets Manager: "Secret encryption and decryption in AWS Secrets Manager" (AWS Secrets
  # Manager User Guide). A version stays encrypted under the key with which it was written.
  statement {
    sid       = "DecryptSecret"
    actions   = ["kms:Decrypt"]
    resources = ["arn:${data.aws_partition.current.partition}:kms:${data.aws_service_principal.logs.region}:*:key/*"]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = local.secrets_manager_names
    }
    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:SecretARN"
      values   = [var.request_signature.secret_arn]
    }
  }
}

# The order is accepted again, with a new time of acceptance, and so would overwrite a newer one.
check "replayed_requests" {
  assert {
    condition     = !local.checks_signatures || nonsensitive(var.order_version_attribute != null)
    error_message = "request_signature is set without order_version_attribute: whoever has seen a signed request may send it again for ${try(var.request_signature.tolerance_seconds, 0)} seconds, which overwrites a newer order of the same key. Set order_version_attribute, so that the newer order stays."
  }
}
