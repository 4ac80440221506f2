"""Settings: the variables read are those that Terraform sets; invalid ones fail at import."""

import re

import pytest

from local.emulator import ROOT
from shared import orders, settings
from tests.support import child

pytestmark = pytest.mark.usefixtures("quick_calls")

BY_THE_RUNTIME = {"AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION"}
# Set by modules/function from its own input.
BY_THE_MODULE = {"LOG_LEVEL"}
OPTIONAL = {
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "CLIENT_IMPLEMENTATION",
}
READ = """
import os
class Recorder(dict):
    def get(self, name, default=None):
        print(name)
        return super().get(name, default)
from shared import settings
settings.os = type("os", (), {"environ": Recorder(os.environ)})
import FUNCTION.handler
"""


def names_set_by_terraform(function: str) -> set[str]:
    """Returns the names in the function's environment in the root module."""
    text = (ROOT / "main.tf").read_text() + (ROOT / "clients.tf").read_text()
    names: set[str] = set()
    own = ["ingest_environment", "client_environment"]
    for local in (
        *(own if function == "ingest" else ["process_environment"]),
        "shared_environment",
    ):
        [value] = re.findall(rf"^  {local} += (.*?^  [)}}].*?)$", text, re.MULTILINE | re.DOTALL)
        names |= set(re.findall(r"\b([A-Z][A-Z_]+) += ", value))
    return names


@pytest.mark.parametrize("function", ["ingest", "process"])
def test_the_variables_read_are_those_that_terraform_sets(function: str) -> None:
    everything_on = {
        "ORDER_HOOKS": "a_package",
        "ORDER_HOOKS_TIMEOUT_SECONDS": "1",
        "CLIENT_CERTIFICATES": "true",
        "LOG_CLIENT_SUBJECT": "true",
        "SIGNATURE_SECRET_ARN": "arn:…",
        "SIGNATURE_HEADER": "X-Signature",
        "SIGNATURE_TOLERANCE_SECONDS": "300",
    }
    imported = child.run(READ.replace("FUNCTION", function), **everything_on)
    assert imported.returncode == 0, imported.stderr

    names = set(imported.stdout.split()) - BY_THE_RUNTIME - OPTIONAL
    # ingest reads DNS_SUFFIX only if its queue's URL does not name the endpoint.
    assert names | {"DNS_SUFFIX"} == names_set_by_terraform(function) | BY_THE_MODULE


@pytest.mark.parametrize("function", ["ingest", "process"])
def test_hooks_need_their_time(function: str) -> None:
    imported = child.run(f"import {function}.handler", ORDER_HOOKS="a_package")

    assert imported.returncode != 0
    assert "ORDER_HOOKS_TIMEOUT_SECONDS is missing" in imported.stderr.splitlines()[-1]


@pytest.mark.parametrize("function", ["ingest", "process"])
def test_a_missing_variable_stops_the_import_with_a_line_that_names_it(function: str) -> None:
    imported = child.run(f"import {function}.handler", TABLE_KEYS="")

    assert imported.returncode != 0
    last_line = imported.stderr.splitlines()[-1]
    assert last_line == (
        "shared.settings.SettingsError: Environment variable TABLE_KEYS is missing or empty."
    )


BAD = {
    "seconds": ["x", "0", "-1", "nan", "inf", "1s", "1e999"],
    "whole_number": ["x", "1024", "-1", "1.5", "²", "1e6", "9" * 5000],
    "flag": ["True", "1", "yes", "false "],
    "paths": ["x", "{}", "[]", '""', "[1]", '["a"]', '["/a", null]', '["/a", ""]', "null"],
}


@pytest.mark.parametrize(("reader", "value"), [(r, v) for r, values in BAD.items() for v in values])
def test_an_invalid_value_is_refused_with_the_variables_name(
    monkeypatch: pytest.MonkeyPatch, reader: str, value: str
) -> None:
    monkeypatch.setenv("SOME_NAME", value)
    read = {
        "seconds": settings.seconds,
        "whole_number": lambda name: settings.whole_number(name, above=1024),
        "flag": settings.flag,
        "paths": settings.paths,
    }[reader]

    with pytest.raises(settings.SettingsError, match=r"^SOME_NAME must be .* Got ") as error:
        read("SOME_NAME")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "keys",
    [
        "x",
        "[]",
        "{}",
        "null",
        "[1]",
        '["a"]',
        '[{"name":"a"}]',
        '[{"type":"S"}]',
        '[{"name":"a","type":"B"}]',
        '[{"name":"a","type":["S"]}]',
        '[{"name":"","type":"S"}]',
        '[{"name":"a","type":"S"},{"name":"a","type":"N"}]',
        '[{"name":"a","type":"S"},{"name":"b","type":"N"},{"name":"c","type":"N"}]',
        '[{"name":"accepted_at","type":"N"}]',
    ],
)
def test_invalid_table_keys_are_refused(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    monkeypatch.setenv("ACCEPTED_AT_ATTRIBUTE", "accepted_at")
    monkeypatch.setenv("TABLE_KEYS", keys)

    with pytest.raises(settings.SettingsError, match=r"^TABLE_KEYS must be "):
        settings.schema()


def test_valid_values_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "ACCEPTED_AT_ATTRIBUTE": "accepted_at",
        "TABLE_KEYS": '[{"name":"id","type":"N"}]',
        "SECONDS": "1.5",
        "SIZE": "1025",
        "ON": "true",
        "OFF": "false",
        "PATHS": '["/a","/b/c"]',
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)

    assert settings.schema() == orders.Schema((orders.KeyAttribute("id", "N"),), "accepted_at")
    assert settings.seconds("SECONDS") == 1.5
    assert settings.whole_number("SIZE", above=1024) == 1025
    assert (settings.flag("ON"), settings.flag("OFF")) == (True, False)
    assert settings.paths("PATHS") == {"/a", "/a/", "/b/c", "/b/c/"}
