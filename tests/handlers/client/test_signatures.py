"""The signatures are those of botocore and of AWS's published vectors."""

import datetime
import json
import time
from pathlib import Path
from typing import Any

import pytest
from botocore import auth
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st

from shared.credentials import Credentials
from shared.signing import Signer
from tests.support import clients
from tests.support.properties import examples

SUITE = json.loads(Path(__file__).with_name("sigv4_vectors.json").read_text())

printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60)
keys = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60)
regions = st.from_regex(r"[a-z]{2,4}(-[a-z]{2,9}){1,2}-[1-9]", fullmatch=True)
# Not "." and "..", which an endpoint's URL must not have either.
segments = st.text("abcXYZ019._~-!$&'()*+,;=:@%", min_size=1, max_size=8).filter(
    lambda segment: segment.strip(".")
)
paths = st.lists(segments, max_size=3).map(lambda found: "/" + "/".join(found))
moments = st.integers(0, 4_000_000_000)  # until the year 2096


def botocores(
    *,
    service: str,
    region: str,
    credentials: Credentials,
    url: str,
    headers: dict[str, str],
    body: bytes,
    at: float,
) -> str:
    """Returns the Authorization header of botocore's SigV4Auth for a request at a time."""
    request = AWSRequest("POST", url, {**headers}, body)
    frozen = datetime.datetime.fromtimestamp(at, datetime.UTC)
    token = credentials.token or None
    identity = BotocoreCredentials(credentials.access_key, credentials.secret_key, token)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth, "get_current_datetime", lambda *_, **__: frozen)
        SigV4Auth(identity, service, region).add_auth(request)
    return str(request.headers["Authorization"])


@pytest.mark.parametrize("service", ["sqs", "dynamodb", "secretsmanager"])
@given(
    access_key=keys,
    secret_key=keys,
    token=printable,
    region=regions,
    path=paths,
    at=moments,
    body=st.text(max_size=50),
    operation=st.sampled_from(["PutItem", "SendMessage"]),
    host=st.sampled_from(["a.example", "a.example:4566", "[::1]", "[::1]:80", "127.0.0.1:443"]),
)
@examples(200)
def test_a_request_is_signed_as_by_botocore(
    *,
    service: str,
    access_key: str,
    secret_key: str,
    token: str,
    region: str,
    path: str,
    at: int,
    body: str,
    operation: str,
    host: str,
) -> None:
    url = f"https://{host}{path}"
    with pytest.MonkeyPatch.context() as patch:
        clients.isolate(patch)
        patch.setenv("AWS_ACCESS_KEY_ID", access_key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", secret_key)
        patch.setenv("AWS_SESSION_TOKEN", token)
        client = clients.builtin(url, service, region=region)
        wire = clients.Wire(client)
        patch.setattr(time, "time", lambda: float(at))
        parameters = json.dumps({"MessageBody": body})
        client.call(operation, parameters, clients.deadline())
    (sent,) = wire.sent
    ours = sent.headers["authorization"]
    names = ours.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    signed = {name: sent.headers[name] for name in names}
    assert {"content-type", "host", "x-amz-date", "x-amz-target"} <= signed.keys()
    assert ("x-amz-security-token" in signed) == bool(token)
    assert sent.line == f"POST {path} HTTP/1.1"
    assert ours == botocores(
        service=service,
        region=region,
        credentials=Credentials(access_key, secret_key, token),
        url=url,
        headers=signed,
        body=sent.body,
        at=at,
    )


header_values = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E) | st.just("\t"), max_size=40
)
headers_of_any_kind = st.dictionaries(
    st.from_regex("my-[a-z0-9-]{1,20}", fullmatch=True), header_values, max_size=8
)


@given(headers=headers_of_any_kind, path=paths, body=st.binary(max_size=50), at=moments)
@examples(300)
def test_any_headers_are_signed_as_by_botocore(
    headers: dict[str, str], path: str, body: bytes, at: int
) -> None:
    """Names are sorted, and runs of spaces in values are collapsed."""
    credentials = Credentials("key", "secret")
    date = datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {**headers, "host": "a.example", "x-amz-date": date}
    authorization = Signer("sqs", "us-east-1").authorization(path, headers, body, credentials)
    assert authorization == botocores(
        service="sqs",
        region="us-east-1",
        credentials=credentials,
        url=f"https://a.example{path}",
        headers=headers,
        body=body,
        at=at,
    )


@given(keys_and_moments=st.lists(st.tuples(keys, moments), min_size=2, max_size=6))
@examples(100)
def test_a_derived_key_is_used_for_its_day_and_secret_only(
    keys_and_moments: list[tuple[str, int]],
) -> None:
    signer = Signer("sqs", "us-east-1")
    for secret_key, at in keys_and_moments:
        date = datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
        headers = {"host": "a.example", "x-amz-date": date}
        credentials = Credentials("key", secret_key)
        theirs = botocores(
            service="sqs",
            region="us-east-1",
            credentials=credentials,
            url="https://a.example/",
            headers=headers,
            body=b"",
            at=at,
        )
        assert signer.authorization("/", headers, b"", credentials) == theirs


@pytest.mark.parametrize("vector", SUITE["vectors"], ids=lambda vector: vector["name"])
def test_a_vector_of_aws_is_reproduced(vector: dict[str, Any]) -> None:
    """The file names the source."""
    headers = dict(reversed(vector["headers"].items()))
    headers = {name: f"  {value} " for name, value in headers.items() if name != "x-amz-date"}
    headers["x-amz-date"] = vector["headers"]["x-amz-date"]
    authorization = Signer(SUITE["service"], SUITE["region"]).authorization(
        "/",
        headers,
        vector["body"].encode(),
        Credentials(SUITE["access_key"], SUITE["secret_key"], vector["token"]),
    )
    assert authorization == (
        f"AWS4-HMAC-SHA256 Credential={SUITE['access_key']}/20150830/us-east-1/service/aws4_request"
        f", SignedHeaders={';'.join(vector['headers'])}, Signature={vector['signature']}"
    )
