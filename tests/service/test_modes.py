"""Where the proxy modes differ (reference: kube-proxy, section 8)."""

import dataclasses

import pytest

from kubehop.model.proxy import ProxyMode
from kubehop.service.modes import MODES, ModeRules

NFT, IPT, IPVS = ProxyMode.NFTABLES, ProxyMode.IPTABLES, ProxyMode.IPVS

# The columns of the table, one line per question: the modes that say yes.
YES: dict[str, set[ProxyMode]] = {
    "nodeports_on_primary_only": {NFT},
    "loopback_nodeports": {IPT},
    "rejects_undefined_ports": {NFT, IPVS},
    "binds_service_addresses": {IPVS},
    "drops_unallocated": {NFT},
    "short_circuits": {NFT, IPT},
    "local_falls_back": {IPVS},
    "filters_when_empty": {NFT, IPVS},
}


def test_every_mode_has_its_rules() -> None:
    assert set(MODES) == set(ProxyMode)


def test_every_question_is_tested() -> None:
    assert set(YES) == {field.name for field in dataclasses.fields(ModeRules)}


@pytest.mark.parametrize("question", YES)
def test_the_modes_answer(question: str) -> None:
    assert {mode for mode in ProxyMode if getattr(MODES[mode], question)} == YES[question]
