# A model of one process invocation, from which max_orders_per_request is derived. Its figures are upper bounds: `make settle` runs the
# real handlers against a table as slow as this and counts the deliveries that a batch needs.

locals {
  invocation = {
    # The handler's own: concurrent calls, and the time that it reserves to read the last message and to report. Of that time, it reads
    # so many bytes in read_seconds, and takes longer for a larger message, in proportion.
    parallel_calls  = 8
    reserve_seconds = 3
    read_seconds    = 1.5
    read_bytes      = 262144

    # Orders are copied for a hook and back, and checked again: that much longer.
    hook_read_factor = 2

    # What Lambda passes on at most, whatever process_batch_size is ("BatchSize", AWS Lambda API Reference).
    batch_bytes = 6291456

    # DynamoDB documents "single-digit millisecond" latency; these leave room for slow minutes.
    put_seconds           = 0.020
    batch_call_seconds    = 0.050
    orders_per_batch_call = 25

    # Reading an order, an INSERT that finds its key in the table, and the PutItem that follows, on a full core. Lambda provides one
    # at 1,769 MB, and proportionally less below ("Configure Lambda function memory", AWS Lambda Developer Guide).
    cpu_seconds_per_order = 0.0006
    memory_size_of_a_core = 1769
  }

  seconds_per_order = sum([
    local.invocation.put_seconds / local.invocation.parallel_calls,
    local.invocation.batch_call_seconds / local.invocation.orders_per_batch_call / local.invocation.parallel_calls,
    local.invocation.cpu_seconds_per_order / min(1, var.process_memory_size / local.invocation.memory_size_of_a_core),
  ])
  read_factor           = local.hook_seconds > 0 ? local.invocation.hook_read_factor : 1
  read_seconds          = local.read_factor * local.invocation.read_seconds
  reserve_seconds       = local.invocation.reserve_seconds - local.invocation.read_seconds + local.read_seconds * max(1, var.queue_max_message_bytes / local.invocation.read_bytes)
  orders_per_invocation = (var.process_timeout_seconds - local.reserve_seconds - local.hook_seconds) / local.seconds_per_order

  # A body takes time by its size, however few orders it has: all deliveries together must have time for a whole batch of the largest.
  # Each has time for two of them at least, by the validations of process_timeout_seconds and queue_max_message_bytes.
  largest_message_seconds    = local.read_seconds * var.queue_max_message_bytes / local.invocation.read_bytes
  largest_messages_per_batch = min(var.process_batch_size, ceil(local.invocation.batch_bytes / var.queue_max_message_bytes))
  largest_messages_read      = floor((var.process_timeout_seconds - local.invocation.reserve_seconds) / local.largest_message_seconds) * module.queue.max_receive_count

  # Far more than a request needs, and still quick to check.
  most_orders_per_request = 1000

  # Every order of the request, and of its neighbours in the batch, may already be in the table. One invocation must be able to settle
  # a whole message; half of its capacity leaves room for a neighbour that was delivered more often.
  share_of_an_invocation = 0.5

  # Orders that an invocation does not settle must be settled by the last delivery, together with whatever else is in that batch. Batches
  # mix messages with all delivery counts, and may by chance have many at their last: a third of all deliveries' capacity is enough.
  share_of_all_deliveries = 0.33

  max_orders_per_request = max(1, floor(min(
    local.most_orders_per_request,
    local.share_of_an_invocation * local.orders_per_invocation,
    local.share_of_all_deliveries * local.orders_per_invocation * module.queue.max_receive_count / var.process_batch_size,
  )))
}
