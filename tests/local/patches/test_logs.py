"""local/patches/logs.py: what an operator uses of CloudWatch Logs."""

from local.emulator import Emulator
from tests.local.patches.checks import Checks, code_of

check = Checks("logs")

(
    test_every_patch_has_a_check,
    test_the_check_passes_with_the_patch,
    test_the_check_fails_without_the_patch,
) = check.tests()


@check()
def queries_can_be_saved(emulator: Emulator) -> None:
    logs = emulator.client("logs")
    given = {"name": "orders/slow", "queryString": "fields @message", "logGroupNames": ["a", "b"]}
    assert code_of(logs.put_query_definition, **given) is None

    [saved] = logs.describe_query_definitions(queryDefinitionNamePrefix="orders/")[
        "queryDefinitions"
    ]
    assert given.items() <= saved.items()
    key = {"queryDefinitionId": saved["queryDefinitionId"]}
    logs.put_query_definition(**given | key | {"queryString": "fields @timestamp"})
    [changed] = logs.describe_query_definitions()["queryDefinitions"]
    assert changed["queryString"] == "fields @timestamp"
    assert logs.describe_query_definitions(queryDefinitionNamePrefix="x")["queryDefinitions"] == []
    assert logs.delete_query_definition(**key)["success"]
    for call, arguments in (
        (logs.delete_query_definition, key),
        (logs.put_query_definition, given | key),
    ):
        assert code_of(call, **arguments) == "ResourceNotFoundException"
