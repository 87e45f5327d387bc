"""Shares, with so many connections that a bias of a few hundredths shows."""

from dataclasses import replace
from typing import Any

import pytest

from kubehop.lab.kernel import Base
from kubehop.lab.plan.values import OUTSIDE
from kubehop.lab.probe import Prober, fabric_links
from kubehop.lab.probe.aims import Aim
from kubehop.lab.probe.compare import WRONG, compare, tally
from kubehop.lab.probe.expect import Outcome, expected, listens_at
from kubehop.model.cluster import Cluster
from kubehop.trace.aim import Shot
from kubehop.trace.questions import external_origin, pod_origin
from tests.clusters import balanced, behind, cluster, endpoint, node, pod
from tests.lab.differential.stand import lab_of
from tests.lab.inside import in_lab

MANY = 2000
"""A share of 1/4 that is 0.33 is found at WRONG in half of the runs, one that is 0.37 in all."""
ECHO = ({"containerPort": 8080}, {"containerPort": 8080, "protocol": "UDP"})
UNEVEN = [("10.42.0.2", "n0"), ("10.42.1.2", "n1"), ("10.42.1.3", "n1"), ("10.42.1.4", "n1")]
CLIENT = pod("client", "10.42.2.9", "n2")


def scene(**spec: Any) -> Cluster:
    """Two nodes with one and three endpoints, a third without, in two zones."""
    ports = [
        {"name": "t", "port": 80, "nodePort": 30080},
        {"name": "u", "port": 80, "protocol": "UDP", "nodePort": 30081},
    ]
    subject = balanced(ports=ports, externalIPs=["198.51.100.7"], **spec)
    pods = [pod(f"p{at}", address, name, *ECHO) for at, (address, name) in enumerate(UNEVEN)]
    ends = [endpoint(*one) for one in UNEVEN]
    nodes = [node(0, "za"), node(1, "zb"), node(2, "zb")]
    return cluster(subject, CLIENT, *nodes, *pods, *behind(subject, *ends))


OUTSIDER = Aim(external_origin(""), OUTSIDE, Shot("198.51.100.1", 80, "TCP"))
AIMS = (
    OUTSIDER,
    replace(OUTSIDER, shot=Shot("198.51.100.1", 80, "UDP")),
    replace(OUTSIDER, shot=Shot("198.51.100.7", 80, "UDP")),
    replace(OUTSIDER, shot=Shot("192.168.0.10", 30080, "TCP")),
    Aim(pod_origin(CLIENT), "pod/default/client", Shot("10.43.0.1", 80, "UDP")),
)


def biased(outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    """The same with half of the likeliest share given to another outcome."""
    first, second, *rest = sorted(outcomes, key=lambda one: -one.probability)
    part = first.probability / 2
    return (
        replace(first, probability=first.probability - part),
        replace(second, probability=second.probability + part),
        *rest,
    )


@pytest.mark.parametrize("policy", ["Cluster", "Local"])
@in_lab
def test_shares_are_exact(base: Base, policy: str) -> None:
    """And a wrong prediction of them would be noticed."""
    found = scene(externalTrafficPolicy=policy)
    with lab_of(base, found) as lab:
        prober, find = Prober(lab.kernel, fabric_links(lab.plan)), listens_at(lab.plan)
        for aim in AIMS:
            outcomes = expected(aim.trace(found), find)
            counts = tally(prober.run([aim.probe(MANY)], 2.0))
            assert not compare(outcomes, counts, WRONG), str(aim)
            if len(outcomes) > 1:
                assert compare(biased(outcomes), counts, 1e-3), str(aim)
