# What a customer managed key must allow, for those who bring one in kms_key. The functions' roles get their share by IAM,
# which the first statement lets decide.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# Its region as well: data.aws_region has no attribute that providers 5 and 6 both know without a warning, see
# docs/compatibility.md. In China, AWS's documents name CloudWatch Logs with and without ".cn"; the provider knows with.
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

  # "Encrypt log data in CloudWatch Logs using AWS Key Management Service" (Amazon CloudWatch Logs User Guide). Not its
  # kms:Describe*: such a call has no encryption context, so the condition would never let it through.
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
