"""Functions of the applied system, configured otherwise for a while."""

import contextlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from local.stack import Stack


@contextlib.contextmanager
def configured(
    stack: Stack, name: str, variables: dict[str, str], **settings: Any
) -> Iterator[None]:
    """Gives a function further environment variables and other settings, restored afterwards."""
    before = stack.lambda_.get_function_configuration(FunctionName=name)
    environment = before["Environment"]["Variables"]
    stack.lambda_.update_function_configuration(
        FunctionName=name, Environment={"Variables": environment | variables}, **settings
    )
    try:
        yield
    finally:
        stack.lambda_.update_function_configuration(
            FunctionName=name,
            Environment={"Variables": environment},
            **{setting: before[setting] for setting in settings},
        )


@contextlib.contextmanager
def replaceable(
    stack: Stack, name: str, variables: dict[str, str], **settings: Any
) -> Iterator[None]:
    """Configures a function, and points its alias to $LATEST, so that its code can be replaced.

    Everything is restored in the end: Terraform then sees no change.
    """
    code = urlsplit(stack.lambda_.get_function(FunctionName=name)["Code"]["Location"])
    version = stack.lambda_.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    package = stack.emulator.request(f"{code.path}?{code.query}")
    with configured(stack, name, variables, **settings):
        stack.lambda_.update_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")
        try:
            yield
        finally:
            stack.lambda_.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
            stack.lambda_.update_function_code(FunctionName=name, ZipFile=package)


@contextlib.contextmanager
def mapped(stack: Stack, **changes: Any) -> Iterator[None]:
    """Changes the event source mapping, and restores it afterwards."""
    uuid = stack.outputs["event_source_mapping_id"]
    before = stack.lambda_.get_event_source_mapping(UUID=uuid)
    absent: dict[str, Any] = {"MaximumBatchingWindowInSeconds": 0, "ScalingConfig": {}}
    stack.lambda_.update_event_source_mapping(UUID=uuid, **changes)
    try:
        yield
    finally:
        stack.lambda_.update_event_source_mapping(
            UUID=uuid, **{name: before.get(name, absent.get(name)) for name in changes}
        )
