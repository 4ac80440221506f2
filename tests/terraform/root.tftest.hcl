# The pieces together: each points at the right neighbour.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

override_resource {
  target = module.ingest[0].aws_lambda_alias.live
  values = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:async-ingest-ingest:live" }
}

override_resource {
  target = module.process[0].aws_lambda_alias.live
  values = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:async-ingest-process:live" }
}

override_resource {
  target = module.queue[0].aws_sqs_queue.this
  values = {
    arn = "arn:aws:sqs:eu-central-1:123456789012:async-ingest"
    url = "https://sqs.eu-central-1.amazonaws.com/123456789012/async-ingest"
  }
}

override_resource {
  target = module.queue[0].aws_sqs_queue.dead_letter
  values = {
    arn = "arn:aws:sqs:eu-central-1:123456789012:async-ingest-dead-letter"
    url = "https://sqs.eu-central-1.amazonaws.com/123456789012/async-ingest-dead-letter"
  }
}

run "wiring" {
  assert {
    condition     = aws_lambda_event_source_mapping.process[0].event_source_arn == output.queue_arn
    error_message = "The event source mapping must read the queue."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.process[0].function_name == "arn:aws:lambda:eu-central-1:123456789012:function:async-ingest-process:live"
    error_message = "The event source mapping must invoke the live alias of process."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.process[0].function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "Without ReportBatchItemFailures, messages that process reports as failed are deleted."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.process[0].scaling_config[0].maximum_concurrency == 5 && aws_lambda_event_source_mapping.process[0].batch_size == 10
    error_message = "The event source mapping must have the default batch size and maximum concurrency."
  }
  assert {
    condition     = output.endpoint_url == "http://${output.load_balancer_dns_name}/lambda/api"
    error_message = "The endpoint must be the load balancer's name and the first path."
  }
}

run "smoke" {
  command = plan
}
