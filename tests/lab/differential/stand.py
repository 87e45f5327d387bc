"""A lab of a cluster, built and taken away again, in a process that has entered one."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from kubehop.lab.kernel import Base, Kernel
from kubehop.lab.lab import Lab
from kubehop.lab.plan.build import build_plan
from kubehop.lab.plan.rules import load_text
from kubehop.lab.plan.values import Make, Nft, Plan
from kubehop.lab.probe import Prober, fabric_links
from kubehop.lab.servers import Servers
from kubehop.model.cluster import Cluster
from kubehop.service.balancer import local_ready_nodes
from kubehop.service.classes import barred

_SECONDS = 10.0


class UnsettledError(AssertionError):
    """A load balancer that does not come to know what health checks say."""


@dataclass(frozen=True)
class Stand:
    """What stands."""

    cluster: Cluster
    plan: Plan
    kernel: Kernel
    prober: Prober


@contextmanager
def standing(base: Base, cluster: Cluster, whole: bool = False) -> Iterator[Stand]:
    """The cluster's namespaces, rules and servers; nothing of them is left.

    `whole`: with DNS servers, and a load balancer that has asked every health check.
    """
    if whole:
        with lab_of(base, cluster) as lab:
            yield _stand(cluster, lab.plan, lab.kernel)
        return
    plan, kernel = build_plan(cluster), Kernel(base)
    try:
        kernel.apply([Make(thing) for thing in plan.things])
        kernel.apply([Nft(where, load_text(rules)) for where, rules in plan.rulesets.items()])
        servers = Servers(kernel.inside)
        servers.start()
        try:
            servers.apply((), plan.listeners)
            yield _stand(cluster, plan, kernel)
        finally:
            servers.stop()
    finally:
        kernel.close()


@contextmanager
def lab_of(base: Base, cluster: Cluster) -> Iterator[Lab]:
    """A Lab that is up and balances by what health checks said."""
    lab = Lab(Kernel(base))
    try:
        lab.up(cluster)
        settled(lab)
        yield lab
    finally:
        lab.down()


def settled(lab: Lab) -> None:
    """Wait until the load balancer knows what health checks say now. Raises UnsettledError."""
    out = lab.cluster.derived(barred).keys()
    expected = {
        (service.namespace, service.name): local_ready_nodes(lab.cluster, service) - out
        for service in lab.cluster.services
        if service.spec.type == "LoadBalancer" and service.spec.external_traffic_policy == "Local"
    }
    until = time.monotonic() + _SECONDS
    while lab.healthy is None or not _agree(lab.healthy, expected):
        if time.monotonic() > until:
            raise UnsettledError(f"health checks: {lab.healthy}, not {expected}")
        time.sleep(0.005)


def _agree(
    told: Mapping[tuple[str, str], frozenset[str]], expected: dict[tuple[str, str], frozenset[str]]
) -> bool:
    return all(told.get(name, frozenset()) == nodes for name, nodes in expected.items())


def _stand(cluster: Cluster, plan: Plan, kernel: Kernel) -> Stand:
    return Stand(cluster, plan, kernel, Prober(kernel, fabric_links(plan)))
