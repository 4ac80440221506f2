"""Each service is called where botocore would call it, and nowhere else."""

import itertools
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import create_loader
from hypothesis import given
from hypothesis import strategies as st

from shared import aws, endpoints, settings
from tests.support import clients
from tests.support.properties import examples

FIPS = "AWS_USE_FIPS_ENDPOINT"
DUAL_STACK = "AWS_USE_DUALSTACK_ENDPOINT"


@cache
def session() -> botocore.session.Session:
    """One for all tests, made in their environment."""
    return botocore.session.Session()


# A call without parameters, by service.
LISTING = {"sqs": "list_queues", "dynamodb": "list_tables", "secretsmanager": "list_secrets"}


class Place(NamedTuple):
    region: str
    suffix: str


def _places() -> Iterator[Place]:
    """Every region of every partition that botocore knows."""
    data = create_loader().load_data("partitions")
    for partition in data["partitions"]:
        for region in partition["regions"]:
            if not region.endswith("-global"):
                yield Place(region, partition["outputs"]["dnsSuffix"])


PLACES = list(_places())


def botocores(service: str, region: str) -> str:
    """Where botocore calls a service, or "" if it refuses."""
    called = []

    def keep(request: Any, **_: Any) -> None:
        called.append(request.url)
        raise _NotSentError

    config = Config(account_id_endpoint_mode="disabled", retries={"total_max_attempts": 1})
    try:
        client = session().create_client(service, region, config=config)
        client.meta.events.register("before-send", keep)
        getattr(client, LISTING[service])()
    except (_NotSentError, BotoCoreError):
        pass
    return called[0] if called else ""


class _NotSentError(Exception):
    pass


def ours(service: str, region: str, queue_url: str | None = None) -> str:
    try:
        url = endpoints.url(service, region, queue_url)
    except settings.SettingsError:
        return ""
    return url if urlsplit(url).path else f"{url}/"


def test_every_partition_has_regions_to_test() -> None:
    """Otherwise the next test could pass by trying nothing."""
    assert len(PLACES) > 40
    assert len({place.suffix for place in PLACES}) >= 7


@pytest.mark.parametrize("service", LISTING)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.region)
def test_an_endpoint_is_that_of_botocore_in_every_region(
    service: str, place: Place, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("DNS_SUFFIX", place.suffix)
    queue_url = f"https://sqs.{place.region}.{place.suffix}/123456789012/orders"
    for fips, dual_stack in itertools.product(["false", "true"], repeat=2):
        environment.setenv(FIPS, fips)
        environment.setenv(DUAL_STACK, dual_stack)
        expected = botocores(service, place.region)
        assert ours(service, place.region) == expected
        if service == "sqs":
            assert ours(service, place.region, queue_url) == expected


NAMED = (
    "AWS_ENDPOINT_URL",
    *(f"AWS_ENDPOINT_URL_{name}" for name in ("SQS", "DYNAMODB", "SECRETS_MANAGER")),
)
urls = st.sampled_from(
    [
        "http://127.0.0.1:4566",
        "http://127.0.0.1:4566/",
        "https://[::1]:8443",
        "https://vpce-0123-abcd.sqs.us-east-1.vpce.amazonaws.com",
        "https://vpce-0123-abcd.sqs.us-east-1.vpce.amazonaws.com:443",
        "http://emulator:80/prefix",
        "http://emulator/prefix/",
        "http://Emulator/a%20b/c",
    ]
)
switches = st.none() | st.sampled_from(["true", "false", "True", ""])


@pytest.mark.parametrize("service", LISTING)
@given(
    named=st.dictionaries(st.sampled_from(NAMED), urls | st.just("")),
    ignored=switches,
    fips=switches,
    dual_stack=switches,
)
@examples(100)
def test_an_endpoint_of_the_environment_is_that_of_botocore(
    service: str,
    named: dict[str, str],
    ignored: str | None,
    fips: str | None,
    dual_stack: str | None,
) -> None:
    variables: dict[str, str | None] = {
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": ignored,
        FIPS: fips,
        DUAL_STACK: dual_stack,
        **named,
    }
    with pytest.MonkeyPatch.context() as patch:
        clients.isolate(patch)
        for name, value in variables.items():
            if value is not None:
                patch.setenv(name, value)
        assert ours(service, "eu-west-1") == botocores(service, "eu-west-1")


def test_the_host_of_the_queue_is_the_endpoint() -> None:
    """It is the partition's, whatever DNS_SUFFIX says."""
    url = endpoints.url("sqs", "eu-west-1", "https://sqs.eu-west-1.example:8443/1/orders")
    assert url == "https://sqs.eu-west-1.example:8443"


@pytest.mark.parametrize(
    "url",
    [
        "emulator:4566",
        "ftp://emulator",
        "http://",
        "http://emulator:port",
        "http://emulator:123456",
        "http://emulator:4566/a b",
        "http://emulator/a\r\nX-Injected: 1",
        "http://emulator/é",
        "http://emulator/a//b",
        "http://emulator/a/../b",
        "http://emulator/./a",
        "http://emulator/?a=b",
        "http://user:password@emulator",
    ],
)
@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS"])
def test_an_invalid_url_stops_the_start(
    name: str, url: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv(name, url)
    with pytest.raises(settings.SettingsError, match=f"^{name} must be an HTTP"):
        aws.client("sqs", "eu-west-1", 1)


@pytest.mark.parametrize("name", [FIPS, DUAL_STACK, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"])
def test_an_invalid_switch_stops_the_start(name: str, environment: pytest.MonkeyPatch) -> None:
    environment.setenv(name, "yes")
    with pytest.raises(settings.SettingsError, match=name):
        aws.client("sqs", "eu-west-1", 1)


PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


@pytest.mark.parametrize("name", PROXIES)
def test_a_proxy_stops_the_start(name: str, environment: pytest.MonkeyPatch) -> None:
    """The line names the variable and the way out."""
    environment.setenv(name, "http://proxy:3128")
    with pytest.raises(settings.SettingsError, match=name) as raised:
        aws.client("sqs", "eu-west-1", 1)
    assert "CLIENT_IMPLEMENTATION" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", [*PROXIES, "NO_PROXY", "no_proxy"])
def test_an_empty_proxy_is_ignored(name: str, environment: pytest.MonkeyPatch) -> None:
    environment.setenv(name, "*" if name.lower() == "no_proxy" else "")
    assert isinstance(aws.client("sqs", "eu-west-1", 1), aws.BuiltinClient)


def test_a_proxy_is_used_by_botocore(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HTTPS_PROXY", "http://proxy:3128")
    environment.setenv("CLIENT_IMPLEMENTATION", "botocore")
    assert not isinstance(aws.client("sqs", "eu-west-1", 1), aws.BuiltinClient)


def test_an_unknown_implementation_stops_the_start(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CLIENT_IMPLEMENTATION", "urllib3")
    with pytest.raises(settings.SettingsError, match="CLIENT_IMPLEMENTATION"):
        aws.client("sqs", "eu-west-1", 1)
