"""How the runner names resources."""

import pytest

from local.terraform import by_short_address, short_address


@pytest.mark.parametrize(
    ("address", "short"),
    [
        ("module.async_ingest.module.network[0].aws_vpc.this", "network.aws_vpc.this"),
        ("module.complete.module.async_ingest.aws_lb.this", "complete.aws_lb.this"),
        ("aws_kms_key.this", "aws_kms_key.this"),
        ('module.async_ingest.module.x.aws_y.this["a b"]', 'x.aws_y.this["a b"]'),
        ("module.async_ingest.module.network[0].aws_subnet.a[1]", "network.aws_subnet.a[1]"),
    ],
    ids=["nested", "of a consumer", "root", "with a key", "with an index"],
)
def test_a_short_address_has_no_module_prefixes(address: str, short: str) -> None:
    assert short_address(address) == short
    assert by_short_address({address: 1}) == {short: 1}
