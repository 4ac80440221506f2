# The policy that the key in kms_key must have. The functions' roles get their permissions from IAM, which the first statement admits.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# Also the source of the region: data.aws_region has no attribute that providers 5 and 6 both know without a warning, see
# docs/compatibility.md. In China, AWS documents the CloudWatch Logs principal with and without ".cn"; the provider has it with.
data "aws_service_principal" "logs" {
  service_name = "logs"
}

data "aws_iam_policy_document" "kms_key" {
  # checkov:skip=CKV_AWS_109:in a key's own policy, "*" means this key
  # checkov:skip=CKV_AWS_111:in a key's own policy, "*" means this key
  # checkov:skip=CKV_AWS_356:in a key's own policy, "*" means this key
  statement {
    sid       = "LetIAMDecide"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }

  # "Encrypt log data in CloudWatch Logs using AWS Key Management Service" (Amazon CloudWatch Logs User Guide). Without its
  # kms:Describe*: such a call has no encryption context, so the condition would never match.
  statement {
    sid       = "EncryptLogs"
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${data.aws_service_principal.logs.region}.${data.aws_service_principal.logs.suffix}"]
    }

    condition {
      test     = "ArnEquals"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values = [
        for log_group in ["/aws/lambda/${var.name}-ingest", "/aws/lambda/${var.name}-process", "/aws/vpc/${var.name}-flow-logs"] :
        "arn:${data.aws_partition.current.partition}:logs:${data.aws_service_principal.logs.region}:${data.aws_caller_identity.current.account_id}:log-group:${log_group}"
      ]
    }
  }
}
