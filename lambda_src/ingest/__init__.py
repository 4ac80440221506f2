"""HTTP request in, one SQS message out."""
