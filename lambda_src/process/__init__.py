"""SQS messages in, table items out."""
