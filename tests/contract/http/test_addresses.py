from __future__ import annotations

import pytest

from backout.http.addresses import ANY_ADDRESS, NO_LOCAL


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "loopback"),
        ("127.8.8.8", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::127.0.0.1", "loopback"),
        ("64:ff9b::7f00:1", "loopback"),
        ("64:ff9b:1::7f00:1", "loopback"),
        ("::ffff:0:7f00:1", "loopback"),
        ("2001:0:0:0:0:0:80ff:fffe", "loopback"),
        ("fd00:ec2::23", "metadata"),
        ("2002:7f00:1::", "loopback"),
        ("169.254.1.1", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("0.0.0.0", "unspecified"),  # noqa: S104 (it is denied here)
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "multicast"),
        ("169.254.169.254", "metadata"),
        ("::ffff:169.254.169.254", "metadata"),
        ("64:ff9b::a9fe:a9fe", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("fd00:ec2::254%1", "metadata"),
        ("100.100.100.200", "metadata"),
        ("168.63.129.16", "metadata"),
        ("not an address", "not an IP"),
    ],
)
def test_no_local_denies(address: str, why: str) -> None:
    assert why in (NO_LOCAL.objection(address) or "")


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "172.16.0.1", "192.168.1.1", "8.8.8.8", "fd12::1", "2606:4700::1"]
)
def test_no_local_allows_private_and_public_addresses(address: str) -> None:
    assert NO_LOCAL.objection(address) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1"])
def test_any_address_allows_everything(address: str) -> None:
    assert ANY_ADDRESS.objection(address) is None
