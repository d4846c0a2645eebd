"""The network that limits are counted for."""

import pytest

from portal_app.domain.identity.network import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("198.51.100.7:5123", "198.51.100.7"),
        (" 198.51.100.7 ", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::7]", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::7]:443", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("[::ffff:c633:6407]:80", "198.51.100.7"),
    ],
)
def test_an_address_belongs_to_a_network(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize("address", ["", "unknown", "_hidden", "1.2.3", "a" * 500, "1.2.3.4:x", "[::1", "1::2::3", "é"])
def test_malformed_addresses_count_as_one_network(address: str) -> None:
    assert network_of(address) == "unknown"


def test_every_address_of_a_household_is_one_network() -> None:
    assert len({network_of(f"2001:db8:0:1::{number:x}") for number in range(1, 100)}) == 1
    assert network_of("2001:db8:0:2::1") != network_of("2001:db8:0:1::1")
