"""Which event source mappings of a queue Lambda accepts, and the content of their events."""

from __future__ import annotations

from typing import Any

from local.patches import around, internal, patch

JsonObject = dict[str, Any]

BATCH_WITHOUT_WINDOW = 10


@patch
def records_have_all_members() -> None:
    """AWS: a message attribute has list values, which are empty, and a record its attributes' MD5.

    Recorded by LocalStack's test_message_body_and_attributes_passed_correctly. For a message
    without attributes, the MD5 is null in the 29 recordings of mappings with a batching window, and
    absent in the five without (test_lambda_integration_sqs.snapshot.json). The emulator has
    neither.
    """

    @around("services.lambda_svc", "_sqs_message_attributes_to_camel_case")
    def attributes_of(original: Any, attrs: JsonObject) -> JsonObject:
        lists: JsonObject = {"stringListValues": [], "binaryListValues": []}
        return {name: attribute | lists for name, attribute in original(attrs).items()}

    @around("services.lambda_svc", "_run_sqs_batch")
    def run(  # noqa: PLR0917 - as the emulator has it
        original: Any,
        esm: JsonObject,
        func_rec: JsonObject,
        event: JsonObject,
        batch: list[JsonObject],
        queue_url: str,
        queue_name: str,
    ) -> None:
        hashes = {message["id"]: message.get("md5_attrs") for message in batch}
        for record in event["Records"]:
            md5 = hashes[record["messageId"]]
            if md5 or esm.get("MaximumBatchingWindowInSeconds"):
                record["md5OfMessageAttributes"] = md5
        original(esm, func_rec, event, batch, queue_url, queue_name)


@patch
def mappings_of_large_batches_need_a_window() -> None:
    """AWS: a mapping with a batch size above 10 needs a batching window of at least 1 s.

    "MaximumBatchingWindowInSeconds" in "CreateEventSourceMapping", AWS Lambda API Reference;
    recorded for creation and update by LocalStack's test_event_source_mapping_default_batch_size.
    The emulator accepts such a mapping.
    """
    mappings = internal("services.lambda_svc", "_esms")

    def refusal(mapping: JsonObject) -> Any:
        size = mapping.get("BatchSize") or 0
        if size <= BATCH_WITHOUT_WINDOW or mapping.get("MaximumBatchingWindowInSeconds"):
            return None
        return _invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is "
            "greater than 10"
        )

    @around("services.lambda_svc", "_create_esm")
    def create(original: Any, data: JsonObject) -> Any:
        return (refusal(data) if _reads_queue(data) else None) or original(data)

    @around("services.lambda_svc", "_update_esm")
    def update(original: Any, esm_id: str, data: JsonObject) -> Any:
        mapping = mappings.get(esm_id) or {}
        return (refusal(mapping | data) if _reads_queue(mapping) else None) or original(
            esm_id, data
        )


@patch
def mappings_need_a_queue_that_hides_messages_long_enough() -> None:
    """AWS: the queue must exist, with a visibility timeout of at least the function's timeout.

    "Creating and configuring an Amazon SQS event source mapping", AWS Lambda Developer Guide. The
    text is quoted in terraform-aws-github-runner issues 465 and 5383; that of a missing queue is
    recorded by LocalStack's test_esm_with_not_existing_sqs_queue. The emulator accepts any queue.
    (Here neither is checked when the function or the queue changes.)
    """
    queue_of = internal("services.sqs", "_queue_by_arn")
    function_of = internal("services.lambda_svc", "_get_func_record_for_ref")

    @around("services.lambda_svc", "_create_esm")
    def create(original: Any, data: JsonObject) -> Any:
        _, function, _ = function_of(data.get("FunctionName", ""))
        if not _reads_queue(data) or not function:
            return original(data)
        queue = queue_of(data["EventSourceArn"])
        if not queue:
            return _invalid(
                "Error occurred while ReceiveMessage. SQS Error Code: "
                "AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue "
                "does not exist."
            )
        visibility, timeout = int(queue["attributes"]["VisibilityTimeout"]), function["Timeout"]
        if visibility < timeout:
            return _invalid(
                f"Queue visibility timeout: {visibility} seconds is less than Function timeout: "
                f"{timeout} seconds"
            )
        return original(data)


@patch
def mappings_are_created_once() -> None:
    """AWS: a queue can be mapped to a function only once.

    "ResourceConflictException" in "CreateEventSourceMapping", AWS Lambda API Reference; recorded by
    LocalStack's test_duplicate_event_source_mappings. So a mapping cannot be replaced by one that
    is created before the old one is destroyed. The emulator creates any number. (Whether AWS treats
    a function and its alias as the same is not recorded; here they are different.)
    """
    mappings = internal("services.lambda_svc", "_esms")
    resolve = internal("services.lambda_svc", "_resolve_existing_esm_function")
    error = internal("services.lambda_svc", "error_response_json")

    @around("services.lambda_svc", "_create_esm")
    def create(original: Any, data: JsonObject) -> Any:
        name, qualifier, _ = resolve(data.get("FunctionName", ""))
        queue_arn = data.get("EventSourceArn")
        for mapping in list(mappings.values()) if name and _reads_queue(data) else []:
            same_function = (mapping["FunctionName"], mapping["Qualifier"]) == (name, qualifier)
            if same_function and mapping["EventSourceArn"] == queue_arn:
                text = (
                    f'An event source mapping with SQS arn (" {queue_arn} ") and function '
                    f'(" {name} ") already exists. Please update or delete the existing mapping '
                    f"with UUID {mapping['UUID']}"
                )
                return error("ResourceConflictException", text, 409)
        return original(data)


def _reads_queue(mapping: JsonObject) -> bool:
    return ":sqs:" in (mapping.get("EventSourceArn") or "")


def _invalid(text: str) -> Any:
    error = internal("services.lambda_svc", "error_response_json")
    return error("InvalidParameterValueException", text, 400)
