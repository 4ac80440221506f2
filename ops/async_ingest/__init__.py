"""Operates a system of terraform-aws-async-ingest. The command is `async-ingest`."""
