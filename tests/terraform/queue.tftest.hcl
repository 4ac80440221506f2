mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

override_resource {
  target = aws_sqs_queue.dead_letter
  values = { arn = "arn:aws:sqs:eu-central-1:123456789012:orders-dead-letter" }
}

variables {
  name                     = "orders"
  consumer_timeout_seconds = 30
}

run "defaults" {
  module { source = "./modules/queue" }

  assert {
    condition     = aws_sqs_queue.this.visibility_timeout_seconds == 180
    error_message = "The visibility timeout must be six times the consumer's timeout."
  }
  assert {
    condition = jsondecode(aws_sqs_queue.this.redrive_policy) == {
      deadLetterTargetArn = "arn:aws:sqs:eu-central-1:123456789012:orders-dead-letter"
      maxReceiveCount     = 485
    }
    error_message = "The queue's redrive policy must point at the dead-letter queue."
  }
  assert {
    condition = jsondecode(aws_sqs_queue.dead_letter.redrive_allow_policy) == {
      redrivePermission = "byQueue"
      sourceQueueArns   = ["arn:aws:sqs:eu-central-1:123456789012:orders"]
    }
    error_message = "Only the queue may redrive to the dead-letter queue."
  }
  assert {
    condition     = aws_sqs_queue.dead_letter.message_retention_seconds == 1209600 && aws_sqs_queue.this.message_retention_seconds == 345600
    error_message = "The dead-letter queue must keep messages for 14 days, the queue for 4."
  }
  assert {
    condition     = aws_sqs_queue.this.sqs_managed_sse_enabled && aws_sqs_queue.dead_letter.sqs_managed_sse_enabled
    error_message = "Both queues must be encrypted by SQS."
  }
  assert {
    condition = alltrue([
      for document in values(data.aws_iam_policy_document.tls_only) :
      document.statement[0].effect == "Deny" && document.statement[0].actions == toset(["sqs:*"]) && one(document.statement[0].condition).variable == "aws:SecureTransport"
    ])
    error_message = "Both queues must refuse everything without TLS."
  }
  assert {
    condition = (
      data.aws_iam_policy_document.tls_only["source"].statement[0].resources == toset(["arn:aws:sqs:eu-central-1:123456789012:orders"]) &&
      data.aws_iam_policy_document.tls_only["dead_letter"].statement[0].resources == toset(["arn:aws:sqs:eu-central-1:123456789012:orders-dead-letter"])
    )
    error_message = "Each queue's policy must be about that queue."
  }
  assert {
    condition     = aws_sqs_queue.this.policy == data.aws_iam_policy_document.queue.json && data.aws_iam_policy_document.queue.source_policy_documents == tolist([data.aws_iam_policy_document.tls_only["source"].json]) && aws_sqs_queue.dead_letter.policy == data.aws_iam_policy_document.tls_only["dead_letter"].json
    error_message = "Both queues must have their policies."
  }
  assert {
    condition     = aws_sqs_queue.this.max_message_size == 262144 && aws_sqs_queue.dead_letter.max_message_size == 262144 && output.max_message_bytes == 262144
    error_message = "Both queues and the producer must have the same limit, or a message might not fit."
  }
  assert {
    condition     = aws_sqs_queue.this.name == "orders" && aws_sqs_queue.dead_letter.name == "orders-dead-letter"
    error_message = "Both queues must have the name."
  }
  assert {
    condition     = aws_sqs_queue.this.delay_seconds == 0 && aws_sqs_queue.this.receive_wait_time_seconds == 20 && aws_sqs_queue.dead_letter.receive_wait_time_seconds == 20
    error_message = "Messages must be available immediately, and pollers must wait as long as SQS allows."
  }
  assert {
    condition     = aws_sqs_queue.this.kms_master_key_id == null && aws_sqs_queue.dead_letter.kms_master_key_id == null
    error_message = "Without a key, the queues must have none."
  }
  assert {
    condition = [output.name, output.url, output.arn, output.visibility_timeout_seconds, output.dead_letter_name, output.dead_letter_url, output.dead_letter_arn, output.producer_policy_json, output.consumer_policy_json] == [
      aws_sqs_queue.this.name, aws_sqs_queue.this.url, aws_sqs_queue.this.arn, 180,
      aws_sqs_queue.dead_letter.name, aws_sqs_queue.dead_letter.url, aws_sqs_queue.dead_letter.arn,
      data.aws_iam_policy_document.producer.json, data.aws_iam_policy_document.consumer.json,
    ]
    error_message = "The outputs must describe what was created."
  }
}

run "numbers" {
  module { source = "./modules/queue" }

  variables {
    consumer_timeout_seconds         = 60
    consumer_batching_window_seconds = 20
    retention_seconds                = 86400
    dead_letter_retention_seconds    = 604800
    max_receive_count                = 12
    delay_seconds                    = 7
    max_message_bytes                = 65536
    policy_documents                 = ["{\"Statement\":[]}"]
    tags                             = { team = "orders" }
  }

  assert {
    condition     = data.aws_iam_policy_document.queue.source_policy_documents == tolist(concat([data.aws_iam_policy_document.tls_only["source"].json], var.policy_documents))
    error_message = "The queue's policy must contain the further statements beside the Deny."
  }

  assert {
    condition     = aws_sqs_queue.this.visibility_timeout_seconds == 380
    error_message = "The visibility timeout must include the batching window."
  }
  assert {
    condition     = aws_sqs_queue.this.message_retention_seconds == 86400 && aws_sqs_queue.dead_letter.message_retention_seconds == 604800
    error_message = "Retention must be as given."
  }
  assert {
    condition     = jsondecode(aws_sqs_queue.this.redrive_policy).maxReceiveCount == 12 && aws_sqs_queue.this.delay_seconds == 7
    error_message = "The redrive policy and the delay must be as given."
  }
  assert {
    condition     = aws_sqs_queue.this.max_message_size == 65536 && aws_sqs_queue.dead_letter.max_message_size == 65536
    error_message = "Both queues must have the given limit."
  }
  assert {
    condition     = aws_sqs_queue.this.tags.team == "orders" && aws_sqs_queue.dead_letter.tags.team == "orders"
    error_message = "Tags must reach both queues."
  }
}

run "an_outage_of_a_day_is_survived" {
  module { source = "./modules/queue" }

  assert {
    condition     = output.max_receive_count == 485 && output.survived_outage_seconds == 484 * 180 && output.survived_outage_seconds >= 86400
    error_message = "480 deliveries, one per visibility timeout of 180 s, last a day, and 5 remain for afterwards."
  }
}

run "a_longer_outage_takes_more_deliveries" {
  module { source = "./modules/queue" }

  variables { survived_outage_seconds = 150000 }

  assert {
    condition     = output.max_receive_count == 839 && output.visibility_timeout_seconds == 180
    error_message = "ceil(150000 / 180) + 5 deliveries."
  }
}

run "the_visibility_timeout_is_longer_where_1000_deliveries_do_not_suffice" {
  module { source = "./modules/queue" }

  variables { consumer_timeout_seconds = 6 }

  assert {
    condition     = output.visibility_timeout_seconds == 87 && output.max_receive_count == 999 && output.survived_outage_seconds >= 86400
    error_message = "A day at 36 s, 6 × the timeout, would take 2,405 deliveries, but SQS allows 1,000."
  }
}

run "a_short_retention_shortens_the_outage" {
  module { source = "./modules/queue" }

  variables { retention_seconds = 36000 }

  assert {
    condition     = output.max_receive_count == 105 && output.survived_outage_seconds == 104 * 180
    error_message = "Half of the retention, 18,000 s, takes 100 deliveries, plus 5."
  }
}

run "customer_key" {
  module { source = "./modules/queue" }
  command = plan

  variables { kms_key = { arn = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555" } }

  assert {
    condition     = aws_sqs_queue.this.kms_master_key_id == var.kms_key.arn && aws_sqs_queue.dead_letter.kms_master_key_id == var.kms_key.arn
    error_message = "Both queues must be encrypted with the key."
  }
  assert {
    condition     = aws_sqs_queue.this.kms_data_key_reuse_period_seconds == 300 && aws_sqs_queue.dead_letter.kms_data_key_reuse_period_seconds == 300
    error_message = "A data key must be reused for five minutes, because each KMS call is billed."
  }
}

run "longer_visibility_timeout" {
  module { source = "./modules/queue" }
  command = plan

  variables { visibility_timeout_seconds = 900 }

  assert {
    condition     = aws_sqs_queue.this.visibility_timeout_seconds == 900
    error_message = "A visibility timeout above the derived one must be accepted."
  }
}

run "smallest" {
  module { source = "./modules/queue" }
  command = plan

  variables {
    name                             = "q"
    consumer_timeout_seconds         = 1
    consumer_batching_window_seconds = 0
    visibility_timeout_seconds       = 6
    retention_seconds                = 60
    dead_letter_retention_seconds    = 172860
    max_receive_count                = 1
    delay_seconds                    = 0
    max_message_bytes                = 4096
  }

  assert {
    condition     = aws_sqs_queue.this.visibility_timeout_seconds == 6
    error_message = "The shortest visibility timeout must be accepted."
  }
}

run "largest" {
  module { source = "./modules/queue" }
  command = plan

  variables {
    name                             = join("", [for _ in range(68) : "q"])
    consumer_timeout_seconds         = 900
    consumer_batching_window_seconds = 300
    visibility_timeout_seconds       = 43200
    retention_seconds                = 1036800
    dead_letter_retention_seconds    = 1209600
    max_receive_count                = 18
    delay_seconds                    = 900
    max_message_bytes                = 262144
  }

  assert {
    condition     = length(aws_sqs_queue.dead_letter.name) == 80
    error_message = "The longest name must just fit."
  }
}

run "most_deliveries" {
  module { source = "./modules/queue" }
  command = plan

  variables {
    consumer_timeout_seconds      = 100
    retention_seconds             = 800000
    dead_letter_retention_seconds = 1209600
    max_receive_count             = 1000
  }

  assert {
    condition     = output.survived_outage_seconds == 999 * 600
    error_message = "1,000 deliveries, 600 s apart, are exactly three quarters of the retention."
  }
}
