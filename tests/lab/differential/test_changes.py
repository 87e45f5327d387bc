"""Clusters that change while they stand: packets must do what a new lab's would."""

from random import Random

import pytest

from kubehop.lab.kernel import Base, Kernel
from kubehop.lab.lab import Lab
from kubehop.lab.plan.values import Make, Sandbox, Sysctl
from kubehop.lab.probe import Prober, fabric_links
from tests.lab.differential.check import Count, check
from tests.lab.differential.clusters import completed, scene
from tests.lab.differential.stand import settled
from tests.lab.differential.vary import varied
from tests.lab.inside import in_lab

CHAINS, CHANGES = 4, 5


@pytest.mark.parametrize("chain", range(CHAINS))
@in_lab
def test_after_a_change_packets_do_what_is_predicted(base: Base, chain: int) -> None:
    dice = Random(chain)
    whole = scene(dice)
    while sum(one["kind"] == "Service" for one in whole["objects"]) < 2:
        whole = scene(dice)
    lab = Lab(Kernel(base))
    try:
        lab.up(completed(varied(dice, whole)))
        for phase in range(CHANGES):
            cluster = completed(varied(dice, whole))
            lab.change(cluster)
            settled(lab)
            _fresh_ports(lab, phase)
            prober = Prober(lab.kernel, fabric_links(lab.plan))
            failures = check(prober, cluster, lab.plan, phase, Count(), most=120)
            assert not failures, f"chain {chain}, change {phase}: {failures[0]}"
    finally:
        lab.down()


def _fresh_ports(lab: Lab, phase: int) -> None:
    """Source ports that no earlier phase used: its flows live on in conntrack, as they should."""
    first = 10000 + 10000 * phase
    lab.kernel.apply(
        [
            Make(Sysctl(thing.namespace, "net.ipv4.ip_local_port_range", f"{first} {first + 9999}"))
            for thing in lab.plan.things
            if isinstance(thing, Sandbox)
        ]
    )
