"""Requests that the command signs."""

import pytest

from async_ingest.main import main
from async_ingest.signing import Headers, Key
from tests.support.signatures import HEADER, ORDER, SHOP, signature


def test_a_signature_is_what_clients_make() -> None:
    key = Key("shop", SHOP)

    made = key.signature(ORDER.encode(), at=1_800_000_000)

    assert made == signature(ORDER, key_id="shop", secret=SHOP, at=1_800_000_000)


def test_each_attempt_is_signed_at_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    headers = Headers({"Host": "orders.example"}, Key("shop", SHOP, header="X-Mine"))
    body = ORDER.encode()
    found = []
    for now in (1_800_000_000.9, 1_800_000_060.0):
        monkeypatch.setattr("time.time", lambda now=now: now)
        found.append(headers.of(body))

    assert found == [
        {
            "Content-Type": "application/json",
            "Host": "orders.example",
            "X-Mine": signature(ORDER, key_id="shop", secret=SHOP, at=at),
        }
        for at in (1_800_000_000, 1_800_000_060)
    ]


def test_nothing_is_signed_without_a_key() -> None:
    assert HEADER not in Headers().of(b"{}")


def test_the_secret_is_shown_nowhere() -> None:
    assert SHOP not in repr(Headers({}, Key("shop", SHOP)))


def test_a_key_without_its_secret_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ASYNC_INGEST_SECRET", raising=False)

    code = main(
        ["load", "--rate", "1", "--url", "http://127.0.0.1:9/", "--no-check", "--sign", "a"]
    )

    assert code == 2
    assert "ASYNC_INGEST_SECRET" in capsys.readouterr().err
