"""Which literal addresses may be called."""

import pytest

from app.kit.addresses import is_allowed, networks

DENIED = """
0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1
172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.7 203.0.113.9
224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 64:ff9b::7f00:1
64:ff9b:1::1 100::1 2001::1 2001:10::1 2001:db8::1 2002:7f00:1:: 3fff::1 5f00::1 fc00::1 fd12::1
fe80::1 fe80::1%eth0 fec0::1 ff02::1
localhost 127.1 0x7f.1 2130706433 0177.0.0.1 example.org 1.1.1.1.1
""".split()  # noqa: SIM905 - to be read
ALLOWED = """
1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.0.1.1 198.17.0.1 198.20.0.1
223.255.255.255 ::ffff:8.8.8.8 64:ff9b::808:808 2606:4700::1111 2001:4860:4860::8888 2a00:1450::1
""".split()  # noqa: SIM905


@pytest.mark.parametrize("address", [*DENIED, ""])
def test_denied(address: str) -> None:
    assert not is_allowed(address)


@pytest.mark.parametrize("address", ALLOWED)
def test_allowed(address: str) -> None:
    assert is_allowed(address)


def test_what_the_operator_names() -> None:
    named = networks(["10.20.0.0/16", " fd00:1::/32 "])
    assert is_allowed("10.20.3.4", named)
    assert is_allowed("::ffff:10.20.3.4", named)
    assert is_allowed("fd00:1::7", named)
    assert not is_allowed("10.21.0.1", named)
    with pytest.raises(ValueError, match="does not appear to be"):
        networks(["everywhere"])
    with pytest.raises(ValueError, match="host bits"):
        networks(["10.20.0.1/16"])
