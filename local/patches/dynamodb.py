"""The checks that DynamoDB makes of a PartiQL statement before it writes."""

from __future__ import annotations

from typing import Any

from local.patches import around, internal, patch

JsonObject = dict[str, Any]

MAX_STATEMENT_BYTES = 8192


@patch
def inserts_are_checked_as_puts_are() -> None:
    """AWS: an INSERT must have the table's keys, and respect DynamoDB's limits, as a PutItem.

    "Service, account, and table quotas in Amazon DynamoDB" and "Supported data types and naming
    rules in Amazon DynamoDB", Amazon DynamoDB Developer Guide. Recorded for PutItem by dynalite and
    by the suite dynamodb-conformance, which also has numbers and sizes of INSERT. AWS's own
    DynamoDB Local refuses the same by INSERT as by PutItem, except for 0e126 and 0e-131, and
    normalizes numbers, so that 8.0 and 8 are one key. The emulator does all that only for PutItem.
    (The texts are those of PutItem.)
    """
    values_error = internal("services.dynamodb", "_values_error_response")
    item_error = internal("services.dynamodb", "_validate_item")  # also normalizes numbers
    index_error = internal("services.dynamodb", "_validate_index_key_values")
    type_mismatch = internal("services.dynamodb", "_key_type_mismatch_reason")

    @around("services.dynamodb", "_partiql_insert")
    def insert(original: Any, table: JsonObject, parsed: JsonObject) -> Any:
        item = _item_of(parsed)
        keys = [name for name in (table["pk_name"], table["sk_name"]) if name]
        missing = [name for name in keys if name not in item]
        wrong = "One or more parameter values were invalid: "
        return (
            (_error(f"{wrong}Attribute name must not be empty") if "" in item else None)
            or values_error(item.values(), envelope=False)
            or item_error(item, table["pk_name"], table["sk_name"])
            or index_error(table, item)
            or (_error(f"{wrong}Missing the key {missing[0]} in the item") if missing else None)
            or _error(type_mismatch(table, item))
            or original(table, parsed)
        )


@patch
def statements_have_at_most_8192_bytes() -> None:
    """AWS: a PartiQL statement has 1 to 8192 bytes; a longer one refuses the whole call.

    "BatchStatementRequest", Amazon DynamoDB API Reference. AWS's own DynamoDB Local counts bytes,
    and its text is used here. The emulator has no limit.
    """
    for name, member in (
        ("_execute_statement", None),
        ("_batch_execute_statement", "Statements"),
        ("_execute_transaction", "TransactStatements"),
    ):
        _limit_statements(name, member)


def _limit_statements(name: str, member: str | None) -> None:
    @around("services.dynamodb", name)
    def execute(original: Any, data: JsonObject) -> Any:
        statements = data.get(member) or [] if member else [data]
        lengths = [len(str(one.get("Statement") or "").encode()) for one in statements]
        if max(lengths, default=0) > MAX_STATEMENT_BYTES:
            return _error(f"Member must have length less than or equal to {MAX_STATEMENT_BYTES}")
        return original(data)


@patch
def batches_insert_a_key_once() -> None:
    """AWS: a call that names an item twice is refused, however the key is spelled.

    Measured with AWS's own DynamoDB Local, which may have executed some statements by then; not in
    the API Reference. Here nothing is written. The emulator answers DuplicateItem for the second
    statement. (Only INSERT is checked here.)
    """
    parse = internal("services.dynamodb", "_parse_partiql")
    tables = internal("services.dynamodb", "_tables")
    canonical = internal("services.dynamodb", "_ddb_canonicalize_number")

    def key_of(statement: JsonObject) -> tuple[str, ...] | None:
        try:
            parsed = parse(statement.get("Statement", ""), statement.get("Parameters", []))
        except ValueError:
            return None  # answered elsewhere
        table = tables.get(parsed["table"])
        if parsed["op"] != "INSERT" or not table:
            return None
        item, key = _item_of(parsed), [parsed["table"]]
        for name in filter(None, (table["pk_name"], table["sk_name"])):
            value = item.get(name) or {}
            key.append(str(canonical(value["N"]) if "N" in value else value))
        return tuple(key)

    @around("services.dynamodb", "_batch_execute_statement")
    def execute(original: Any, data: JsonObject) -> Any:
        keys = [key for key in map(key_of, data.get("Statements") or []) if key]
        if len(set(keys)) < len(keys):
            return _error("Provided list of item keys contains duplicates")
        return original(data)


def _item_of(parsed: JsonObject) -> JsonObject:
    item: JsonObject = parsed.get("item") or {}
    return item["M"] if set(item) == {"M"} else item


def _error(text: str | None) -> Any:
    if text is None:
        return None
    return internal("services.dynamodb", "error_response_json")("ValidationException", text, 400)
