"""Proxies that are believed about where calls come from: few, and none of them a carrier's."""

from __future__ import annotations

import pytest

from config.fault import ConfigError
from config.load import load


@pytest.fixture
def trusting(folder, edit):
    """Load the shipped configuration with these proxies."""

    def take(*networks: str):
        edit("sip.yaml", "trusted_proxies: []", f"trusted_proxies: [{', '.join(networks)}]")
        return load(folder, {})

    return take


def refusal(trusting, *networks: str) -> str:
    with pytest.raises(ConfigError) as caught:
        trusting(*networks)
    (fault,) = caught.value.faults
    return str(fault)


def test_a_cluster_believes_its_own_network(trusting):
    assert trusting("10.0.0.0/16", "2001:db8::/48").sip.trusted_proxies == ("10.0.0.0/16", "2001:db8::/48")


@pytest.mark.parametrize("network", ["0.0.0.0/0", "10.0.0.0/8", "::/0", "2001:db8::/32"])
def test_nobody_believes_half_the_internet(trusting, network):
    told = refusal(trusting, "10.0.0.5/32", network)
    assert "sip.yaml" in told and f"{network} would let" in told and "10.0.0.5/32" in told


def test_a_carrier_is_no_proxy_of_ours(trusting, folder):
    (folder / "lines").mkdir(exist_ok=True)
    (folder / "lines" / "north.yaml").write_text("{country: GB, sources: [198.51.100.10/32]}\n")
    assert "a source of line 'north'" in refusal(trusting, "198.51.100.0/24")
