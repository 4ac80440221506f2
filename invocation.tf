# One model of an invocation of process, from which the limits between the pieces follow. Its figures are upper bounds:
# `make settle` runs the real handlers against a table as slow as this and counts what a batch needs.

locals {
  invocation = {
    # The handler's own: calls side by side, and what it leaves of its time to read the last message and to report.
    parallel_calls  = 8
    reserve_seconds = 3

    # DynamoDB answers in milliseconds ("single-digit" is its own word); these leave room for slow minutes.
    put_seconds           = 0.020
    batch_call_seconds    = 0.050
    orders_per_batch_call = 25

    # Reading an order, an INSERT that finds its key in the table, and the PutItem that follows, on a whole core. Lambda gives
    # one at 1,769 MB, and less in proportion ("Configure Lambda function memory", AWS Lambda Developer Guide).
    cpu_seconds_per_order = 0.0006
    memory_size_of_a_core = 1769
  }

  seconds_per_order = sum([
    local.invocation.put_seconds / local.invocation.parallel_calls,
    local.invocation.batch_call_seconds / local.invocation.orders_per_batch_call / local.invocation.parallel_calls,
    local.invocation.cpu_seconds_per_order / min(1, var.process_memory_size / local.invocation.memory_size_of_a_core),
  ])
  orders_per_invocation = (var.process_timeout_seconds - local.invocation.reserve_seconds) / local.seconds_per_order

  # Every order of the request may be in the table already, and so may those of its neighbours in the batch. One invocation
  # must settle a message whole: half of what it can do leaves room for a neighbour that was delivered more often. What it does
  # not reach must be settled by its last delivery, whatever is delivered with it. Batches mix messages of all delivery counts,
  # and by chance one has many that are at their last: with a third of what all deliveries could do, none is left over.
  max_orders_per_request = max(1, floor(min(
    1000,
    0.5 * local.orders_per_invocation,
    0.33 * local.orders_per_invocation * module.queue.max_receive_count / var.process_batch_size,
  )))
}
